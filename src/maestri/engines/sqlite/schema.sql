-- One journal file. Times are seconds since 1970.
begin immediate;

create table run (
    key      integer primary key,
    id       text    not null unique,
    name     text    not null,
    workflow text    not null,
    cwd      text    not null,
    created  real    not null,
    epoch    integer not null,  -- grows with each lease; over all files, the highest is the truth
    held     integer not null,  -- 1 while leased; means nothing once the owner of the file is gone
    "end"    integer,
    changed  real    not null,
    waiting  text    not null
);

-- place = run key * 2^32 + sequence number in the run, from 1 without gaps: a run's events lie together,
-- keep their numbers when the run moves to another file, and a missing one is noticed.
create table event (
    place  integer primary key,
    kind   integer not null,
    scope  text    not null,
    name   text    not null,
    at     real    not null,
    digest         not null,    -- 8 bytes where it is 16 hexadecimal digits, else text
    crc    integer not null,    -- over all columns and the run's id
    body   text    not null
);

-- A resume reads `settled` alone; the place follows each scope as the rowid of the entry.
create index settled on event (scope) where kind > 9;
create index passing on event (scope) where kind <= 9;

-- What is settled otherwise than well: found, and left out of a count, without a look at the rest.
create index unusual on event (kind) where kind > 9 and kind < 40 and kind <> 11 and kind <> 30;

create table blob (digest blob primary key, text not null);  -- plain or compressed, whichever is smaller

create table message (run integer not null, id text not null, primary key (run, id)) without rowid;

pragma application_id = 1296123219;  -- "MAES"
pragma user_version = 1;
commit;

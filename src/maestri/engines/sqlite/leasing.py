"""What is done to a run's row when it is born, leased, taken over from another file, or let go.

Rule 1: each function here runs on the writer, inside a transaction, and may be run again after a rollback.
Rule 2: a run that another process's file holds is copied: nobody writes a file that it does not own.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from maestri.engines.sqlite.batch import Lease
from maestri.engines.sqlite.rows import Part
from maestri.engines.sqlite.schema import PLACES_PER_RUN, connect_writer, is_busy, open_reader, translated
from maestri.errors import EngineError, StaleOwner
from maestri.kernel.codec import blobs_in
from maestri.kernel.ports import RunInfo
from maestri.records import NamedTuple

_AT_ONCE = 1000


class Leased(NamedTuple):
    """A run under lease: the last sequence number, and the ids of the messages that were taken."""

    lease: Lease
    last_seq: int
    taken: frozenset[str]


def insert_run(db: sqlite3.Connection, key: int, info: RunInfo) -> None:
    """Add a run, held by this process.

    Raises:
        EngineError: The file has a run of this id.
    """
    try:
        db.execute(
            "insert into run values (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
            (key, *info[:5], info.epoch, info.end, info.changed, info.waiting),
        )
    except sqlite3.IntegrityError as error:
        message = f"there is a run with the id `{info.id}` already"
        raise EngineError(message, fix="draw another id", run=info.id) from error


def take_lease(db: sqlite3.Connection, key: int, info: RunInfo) -> Leased:
    """Lease a run of this file: its epoch grows by one.

    Raises:
        StaleOwner: Another process has leased it since it was looked at.
    """
    query = "update run set epoch = epoch + 1, held = 1 where key = ? and epoch = ?"
    if db.execute(query, (key, info.epoch)).rowcount != 1:
        raise _leased_meanwhile(info)
    return _leased(db, key, info._replace(epoch=info.epoch + 1, alive=True))


def _leased_meanwhile(info: RunInfo) -> StaleOwner:
    message = f"run {info.id} was leased by another process just now"
    return StaleOwner(message, fix="look at it and try again", run=info.id)


def adopt(db: sqlite3.Connection, key: int, info: RunInfo, source: Part) -> Leased:
    """Copy a run with its history and large texts from another file into this one, under the next epoch.

    An older part of the run in this file is replaced.

    Raises:
        JournalDamaged: The other file cannot be read.
        StaleOwner: Another process has leased it since it was looked at.
        EngineError: Who has lost the other file is still at a commit.
    """
    taken_over = info._replace(epoch=info.epoch + 1, alive=True)
    _forget(db, info.id)
    insert_run(db, key, taken_over)
    try:
        _outwait(source.file)
        other = open_reader(source.file)  # a connection belongs to the thread that opened it
        if other is not None:
            with closing(other):
                _copy(other, source, db, key, info)
    except sqlite3.Error as error:
        raise translated(error, source.file) from error
    return _leased(db, key, taken_over)


def _outwait(file: Path) -> None:
    """Wait until a commit is over that an owner of before has begun, whose lock was removed; it has no more.

    Nothing is written: SQLite lets two begin to write one after the other only.

    Raises:
        sqlite3.OperationalError: It does not come to its end.
    """
    with suppress(OSError), closing(connect_writer(file)) as db:  # who could not write has not
        try:
            db.execute("begin immediate")
            db.execute("rollback")
        except sqlite3.Error as error:
            if is_busy(error):
                raise


def _copy(other: sqlite3.Connection, source: Part, db: sqlite3.Connection, key: int, info: RunInfo) -> None:
    other.execute("begin")  # one moment of the other file for all that is copied
    epoch = other.execute("select epoch from run where key = ?", (source.key,)).fetchone()
    if epoch != (info.epoch,):
        raise _leased_meanwhile(info)
    shift = (key - source.key) * PLACES_PER_RUN
    events = other.execute(
        "select place + ?, kind, scope, name, at, digest, crc, body from event where place > ? and place < ?",
        (shift, source.first, source.end),
    )
    while rows := events.fetchmany(_AT_ONCE):
        db.executemany("insert into event values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        _copy_blobs(other, db, rows)
    taken = other.execute("select id from message where run = ?", (source.key,)).fetchall()
    db.executemany("insert into message values (?, ?)", [(key, row[0]) for row in taken])
    other.execute("commit")


def _copy_blobs(other: sqlite3.Connection, db: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    for row in rows:
        body = row[-1]
        if isinstance(body, str) and '"$blob"' in body:
            keys = [(bytes.fromhex(name),) for name in sorted(blobs_in(body))]
            for name in keys:
                found = other.execute("select digest, text from blob where digest = ?", name)
                db.executemany("insert or ignore into blob values (?, ?)", found)


def _forget(db: sqlite3.Connection, run_id: str) -> None:
    row = db.execute("select key from run where id = ?", (run_id,)).fetchone()
    if row is not None:
        first = row[0] * PLACES_PER_RUN
        db.execute("delete from event where place > ? and place < ?", (first, first + PLACES_PER_RUN))
        db.execute("delete from message where run = ?", row)
        db.execute("delete from run where key = ?", row)


def _leased(db: sqlite3.Connection, key: int, info: RunInfo) -> Leased:
    first = key * PLACES_PER_RUN
    query = "select place from event where place > ? and place < ? order by place desc limit 1"
    row = db.execute(query, (first, first + PLACES_PER_RUN)).fetchone()
    ids = db.execute("select id from message where run = ?", (key,)).fetchall()
    return Leased(Lease(key, info), row[0] - first if row else 0, frozenset(name for (name,) in ids))


def let_go(db: sqlite3.Connection, lease: Lease) -> None:
    """Give a lease back; a lease that was lost is left alone."""
    first = lease.key * PLACES_PER_RUN
    db.execute(
        "update run set held = 0, changed = coalesce((select at from event where place > ? and place < ?"
        " order by place desc limit 1), changed) where key = ? and epoch = ?",
        (first, first + PLACES_PER_RUN, lease.key, lease.info.epoch),
    )


def let_all_go(db: sqlite3.Connection) -> None:
    """Give all leases of this file back."""
    db.execute("update run set held = 0 where held = 1")

"""Rows of a journal file to events, each checked on the way.

Rule 1: a row that does not agree with its checksum is never handed on.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maestri.engines.sqlite.checksum import checksum, seed
from maestri.engines.sqlite.schema import PLACES_PER_RUN, translated
from maestri.engines.sqlite.texts import unpacked_text
from maestri.errors import JournalDamaged
from maestri.kernel import codec
from maestri.kernel.events import Stored
from maestri.kernel.path import join
from maestri.records import NamedTuple

# The partial indexes serve a query only when it says the same.
SETTLED = "kind > 9"
PASSING = "kind <= 9"
UNUSUAL = "kind > 9 and kind < 40 and kind <> 11 and kind <> 30"

COLUMNS = "place, kind, scope, name, at, digest, crc, body"
_BLOBS_AT_ONCE = 500
_SEQ = PLACES_PER_RUN - 1


class Part(NamedTuple):
    """One run's part of one journal file."""

    db: sqlite3.Connection
    file: Path
    run_id: str
    key: int

    @property
    def first(self) -> int:
        """The place before the run's first event."""
        return self.key * PLACES_PER_RUN

    @property
    def end(self) -> int:
        """The place after the last event that the run could have."""
        return (self.key + 1) * PLACES_PER_RUN


def packed(digest: str) -> bytes | str:
    """Return a digest as it is stored: 8 bytes for 16 hexadecimal digits, else the text itself."""
    if len(digest) == 16:
        try:
            short = bytes.fromhex(digest)
        except ValueError:
            return digest
        if short.hex() == digest:
            return short
    return digest


def unpacked(digest: bytes | str) -> str:
    """Return a digest as events have it."""
    return digest.hex() if isinstance(digest, bytes) else digest


def select(part: Part, condition: str, values: Iterable[Any] = (), after: int = 0) -> list[Stored]:
    """Return the events of a run that meet a condition, checked and with their large texts.

    Args:
        part: Where the run is.
        condition: SQL after `and`, with its order and limit; fixed text of this package.
        values: What its question marks stand for.
        after: The sequence number to begin behind: SQLite seeks to one lower bound only, so it goes here.

    Raises:
        JournalDamaged: A row or a large text does not agree with its checksum, or is missing.
    """
    query = f"select {COLUMNS} from event where place > ? and place < ? and {condition}"  # noqa: S608
    try:
        return _stored(part, fetched(part.db, query, (part.first + after, part.end, *values)))
    except sqlite3.Error as error:
        raise translated(error, part.file) from error


def fetched(db: sqlite3.Connection, query: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return all rows of a query, also those whose text is no longer text: a checksum will tell."""
    values = tuple(values)
    try:
        return db.execute(query, values).fetchall()
    except sqlite3.OperationalError as error:
        if not str(error).startswith("Could not decode"):
            raise
    db.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        return db.execute(query, values).fetchall()
    finally:
        db.text_factory = str


def _stored(part: Part, rows: list[tuple[Any, ...]]) -> list[Stored]:
    start = seed(part.run_id)
    found: list[Stored] = []
    marked: list[tuple[int, str]] = []  # places of events that may lack large texts, with their bodies
    decode, new = codec.decode, tuple.__new__  # for each of many: `Stored(...)` would be a call of Python
    for place, kind, scope, name, at, digest, crc, body in rows:
        seq = place & _SEQ
        text = digest.hex() if type(digest) is bytes else digest
        if not agrees(start, seq, kind, scope, name, at, text, crc, body):
            raise damage(part, seq, scope, name, "its checksum does not agree")
        if '"$' in body:
            marked.append((len(found), body))
        found.append(new(Stored, (kind, scope, name, at, text, decode(body), seq)))
    if marked:
        blobs = _blobs(part, [body for _, body in marked])
        for number, body in marked:
            found[number] = _expanded(part, found[number], body, blobs)
    return found


def agrees(
    start: int, seq: int, kind: Any, scope: Any, name: Any, at: Any, digest: Any, crc: Any, body: Any
) -> bool:
    """Tell whether a row is what was written; a flipped bit may have changed the type of a column too."""
    try:
        return bool(checksum(start, seq, kind, scope, name, at, digest, body) == crc)
    except (TypeError, ValueError, struct.error):
        return False


def _expanded(part: Part, event: Stored, body: str, blobs: dict[str, str]) -> Stored:
    try:
        return event._replace(body=codec.expand(body, blobs))
    except KeyError as error:
        cause = f"its large text {error} is missing or damaged"
        raise damage(part, event.seq, event.scope, event.name, cause) from error


def _blobs(part: Part, bodies: list[str]) -> dict[str, str]:
    wanted: set[str] = set()
    for body in bodies:
        if '"$blob"' in body:
            wanted |= codec.blobs_in(body)
    return read_blobs(part.db, sorted(wanted))


def read_blobs(db: sqlite3.Connection, names: list[str]) -> dict[str, str]:
    """Return the large texts of these digests that are there and agree with their digest."""
    found = {}
    for at in range(0, len(names), _BLOBS_AT_ONCE):
        keys = [bytes.fromhex(name) for name in names[at : at + _BLOBS_AT_ONCE]]
        marks = ",".join("?" * len(keys))
        query = f"select digest, text from blob where digest in ({marks})"  # noqa: S608
        for key, stored in db.execute(query, keys):
            text = unpacked_text(stored)
            if text is not None and codec.text_digest(text) == key.hex():
                found[key.hex()] = text
    return found


def damage(part: Part, seq: int, scope: Any, name: Any, cause: str) -> JournalDamaged:
    """Return the error that names file, run, path and sequence number of a damaged event."""
    path = join(scope, name) if isinstance(scope, str) and isinstance(name, str) and scope else None
    whose = f"event {seq} of run {part.run_id}" + (f" ({path})" if path else "")
    message = f"{whose} in {part.file} is damaged"
    fix = "restore the file from a backup, or run the workflow anew; other runs are not affected"
    return JournalDamaged(message, cause=cause, fix=fix, run=part.run_id, path=path, file=str(part.file))

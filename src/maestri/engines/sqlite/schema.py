"""Connections to a journal file: how they are set up, and what their errors mean.

Rule 1: exactly one connection writes and checkpoints a file; all others are `mode=ro` and `query_only`.
Rule 2: every error of SQLite leaves this package as a `MaestriError` that names the file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from maestri.engines.artifacts import sync_folder
from maestri.errors import EngineError, JournalDamaged, JournalTooNew, StateUnusable

VERSION: Final = 1
APPLICATION_ID: Final = 0x4D414553
PLACES_PER_RUN: Final = 1 << 32

Connect = Callable[[Path], sqlite3.Connection]

DURABILITIES = {"power-safe": "full", "kill-safe": "normal"}
_BUSY_S = 2.0
_DAMAGE_FIX = "restore the file from a backup, or move it away; other files are not affected"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_CLOSED_DOORS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
_PRIMARY = 0xFF  # the low byte of an extended code
_QUICKLY_CHECKED_BYTES = 4 << 20  # a millisecond for each of them


def connect_writer(file: Path) -> sqlite3.Connection:
    """Open a journal file for writing, private to the user."""
    # SQLite gives the files beside it the mode of this one. A file that is there is not opened here: closing
    # it would take the locks away that SQLite has on it for other connections of this process.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    return sqlite3.connect(file, isolation_level=None, timeout=_BUSY_S)


def open_writer(file: Path, durability: str, connect: Connect) -> sqlite3.Connection:
    """Open the one connection that writes a file, and make its tables where it is new.

    Args:
        file: The journal file.
        durability: `power-safe` (each commit survives a power cut) or `kill-safe` (a killed process).
        connect: Opens the connection; a test may inject faults here.

    Raises:
        JournalDamaged: It is no journal.
        JournalTooNew: A newer version wrote it.
        StateUnusable: It cannot be opened or written.
    """
    db = None
    try:
        if not file.exists() or not file.stat().st_size:
            _bear(file)
        db = connect(file)
        if not check_version(db, file):  # before anything is changed in what may not be ours
            raise damaged(file, "it has no tables")
        for pragma in (
            "trusted_schema = off",
            "journal_mode = wal",
            f"synchronous = {DURABILITIES[durability]}",
            "fullfsync = 1",  # macOS: a plain fsync does not reach the disk
            "checkpoint_fullfsync = 1",
            "wal_autocheckpoint = 1000",
            "journal_size_limit = 8388608",
            "mmap_size = 0",
        ):
            db.execute(f"pragma {pragma}")
        if file.stat().st_size <= _QUICKLY_CHECKED_BYTES and (wrong := sound(db)):
            raise damaged(file, wrong)
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        raise translated(error, file) from error
    except EngineError:
        if db is not None:
            db.close()
        raise
    return db


def _bear(file: Path) -> None:
    """Make a journal file aside and put it in its place whole: a power cut leaves no half of one."""
    aside = file.with_name(file.name + ".new")
    for left in (aside, aside.with_name(aside.name + "-journal"), aside.with_name(aside.name + "-wal")):
        left.unlink(missing_ok=True)
    with contextlib.closing(connect_writer(aside)) as db:
        db.execute("pragma synchronous = full")
        db.executescript(Path(__file__).with_name("schema.sql").read_text())
        db.execute("pragma journal_mode = wal")
    descriptor = os.open(aside, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    aside.rename(file)
    sync_folder(file.parent)


def open_reader(file: Path) -> sqlite3.Connection | None:
    """Open a connection that only reads; None while the file has no tables yet.

    Raises:
        JournalDamaged: It is no journal.
        JournalTooNew: A newer version wrote it.
        StateUnusable: It cannot be read, or needs a recovery that is not possible here.
    """
    try:
        return _opened(file, "mode=ro")
    except sqlite3.Error as error:
        if _code(error) not in _CLOSED_DOORS:
            raise translated(error, file) from error
    wal = file.with_name(file.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        message = f"{file} was not closed and its folder cannot be written to, so that it cannot be read"
        raise StateUnusable(message, fix="make the folder writable once, or copy it", file=str(file))
    try:
        return _opened(file, "mode=ro&immutable=1")
    except sqlite3.Error as error:
        raise translated(error, file) from error


def _opened(file: Path, options: str) -> sqlite3.Connection | None:
    # Closed by hand: a connection that failed its check would wait for the garbage collector.
    db = sqlite3.connect(
        f"file:{quote(str(file))}?{options}", uri=True, isolation_level=None, timeout=_BUSY_S
    )
    try:
        db.execute("pragma query_only = on")
        db.execute("pragma trusted_schema = off")
        if check_version(db, file):
            return db
    except BaseException:
        db.close()
        raise
    db.close()
    return None


def check_version(db: sqlite3.Connection, file: Path) -> bool:
    """Tell whether a file has our tables, and refuse one that is not ours or too new.

    Raises:
        JournalDamaged: It is a database of something else.
        JournalTooNew: A newer version wrote it.
    """
    application = db.execute("pragma application_id").fetchone()[0]
    version = db.execute("pragma user_version").fetchone()[0]
    if not application and not version and db.execute("select 1 from sqlite_master").fetchone() is None:
        return False
    if application != APPLICATION_ID:
        raise JournalDamaged(f"{file} is a database, but not a journal", fix="move it away", file=str(file))
    if version > VERSION:
        message = f"{file} has format {version}, and this version of Maestri reads up to {VERSION}"
        raise JournalTooNew(message, fix="upgrade Maestri", file=str(file))
    return True


def sound(db: sqlite3.Connection) -> str:
    """Return what is wrong with the structure of a file, or an empty text; rows have their checksums.

    Raises:
        sqlite3.Error: It cannot even be looked at.
    """
    (words,) = db.execute("pragma quick_check(1)").fetchone()
    return "" if words == "ok" else " ".join(str(words).split())


def damaged(file: Path, cause: str) -> JournalDamaged:
    """Return the error of a file whose structure is not sound."""
    return JournalDamaged(f"{file} is damaged", cause=cause, fix=_DAMAGE_FIX, file=str(file))


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY


def is_full(error: sqlite3.Error) -> bool:
    """Tell whether SQLite itself says that there is no room."""
    return _code(error) == sqlite3.SQLITE_FULL


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection is in the way."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_io(error: sqlite3.Error) -> bool:
    """Tell whether the operating system refused to read, write or sync."""
    return _code(error) == sqlite3.SQLITE_IOERR


def translated(error: sqlite3.Error, file: Path) -> EngineError:
    """Return what an error of SQLite means to a user."""
    code = _code(error)
    if code in _DAMAGED or str(error).startswith("Could not decode"):
        return damaged(file, str(error))
    if code in _CLOSED_DOORS:
        message = f"{file} cannot be opened: {error}"
        return StateUnusable(message, fix="check the rights of the file and its folder", file=str(file))
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        message = f"{file} is in use by another program: {error}"
        return EngineError(message, fix="close what else has the file open", file=str(file))
    if is_full(error):
        fix = "free some space, then try again"
        return EngineError(f"there is no room left for {file}", fix=fix, file=str(file))
    fix = "check the disk and the system's log"
    return EngineError(f"{file} cannot be used: {error}", cause=type(error).__name__, fix=fix, file=str(file))

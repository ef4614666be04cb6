"""All journal files of a state directory, for those who only look.

Rule 1: a run may be in several files, left there by owners of before; the highest epoch is the truth.
Rule 2: a damaged file is reported and hides nothing but what is in it.
Rule 3: nothing here imports asyncio, writes, or creates a file.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from maestri.engines.sqlite.locks import is_held
from maestri.engines.sqlite.rows import SETTLED, UNUSUAL, Part, select
from maestri.engines.sqlite.schema import PLACES_PER_RUN, damaged, open_reader, translated
from maestri.engines.statedir import StateDir
from maestri.errors import Diagnostic, EngineError, RunNotFound
from maestri.kernel.events import HELD, Stored
from maestri.kernel.path import RUN, join
from maestri.kernel.ports import RunInfo
from maestri.records import NamedTuple

_RUN = 'key, held, id, name, workflow, cwd, created, epoch, "end", changed, waiting'

Scan = Callable[[sqlite3.Connection], list[tuple[Any, ...]]]


class Found(NamedTuple):
    """A run and the part of a file that holds its newest epoch. `held`: its last owner had it open."""

    info: RunInfo
    part: Part
    number: int
    held: bool


class Catalog:
    """Reads the journal files of one state directory; used from one thread."""

    def __init__(self, state: StateDir) -> None:
        """Name the directory; files are opened when something is asked."""
        self._state = state
        self._open: dict[Path, sqlite3.Connection] = {}
        self._damage: dict[Path, Diagnostic] = {}

    def runs(self) -> list[RunInfo]:
        """Return all runs that can be read, oldest first.

        Raises:
            StateUnusable: The state directory must not be trusted.
        """
        newest: dict[str, RunInfo] = {}
        for _, file in self._files():
            rows = self._rows(file, _all_rows)
            owned = any(row[1] for row in rows) and is_held(lock_path(file))
            for row in rows:
                known = newest.get(row[2])
                if known is None or row[7] > known.epoch:
                    newest[row[2]] = _info(row, owned)
        return sorted(newest.values(), key=lambda info: (info.created, info.id))

    def find(self, run_id: str) -> Found:
        """Return where a run is.

        Raises:
            RunNotFound: No file that can be read has it.
            JournalDamaged: A file lists it and does not find it.
            StateUnusable: The state directory must not be trusted.
        """
        best: Found | None = None
        for number, file in self._files():
            for row in self._rows(file, lambda db: _rows_of(db, run_id)):
                if best is None or row[7] > best.info.epoch:
                    part = Part(self._open[file], file, run_id, row[0])
                    best = Found(_info(row, owned=False), part, number, bool(row[1]))
        if best is None:
            raise self._not_found(run_id)
        alive = best.held and is_held(lock_path(best.part.file))
        return best._replace(info=best.info._replace(alive=alive))

    def ends(self, kind: int, mark: str) -> dict[str, Stored]:
        """Return the last event of each run that ended so, where its body may have something in it.

        Args:
            kind: How they ended.
            mark: A text without which a body is of no interest.
        """
        found: dict[str, tuple[int, Stored]] = {}
        for _, file in self._files():
            known = {row[0]: row for row in self._rows(file, _all_rows) if row[8] == kind}
            places = self._rows(file, lambda db: _marked(db, kind, mark)) if known else []
            for (place,) in places:
                row = known.get(place // PLACES_PER_RUN)
                if row is not None and row[7] >= found.get(row[2], (0,))[0]:
                    part = Part(self._open[file], file, row[2], row[0])
                    with contextlib.suppress(EngineError):  # whoever asks is told of the damage beside it
                        found[row[2]] = (row[7], select(part, "place = ?", (place,))[0])
        return {run_id: event for run_id, (_, event) in found.items()}

    def held(self, run_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the steps of some runs that blockers hold which they have reported."""
        found: dict[str, list[str]] = {}
        for _, file in self._files():
            keys = {row[0]: row[2] for row in self._rows(file, _all_rows) if row[2] in run_ids}
            for place, scope, name in self._rows(file, _held) if keys else ():
                run_id = keys.get(place // PLACES_PER_RUN)
                if run_id is not None:
                    found.setdefault(run_id, []).append(join(scope, name))
        return found

    def _not_found(self, run_id: str) -> EngineError:
        for _, file in self._files():
            if any(row[2] == run_id for row in self._rows(file, _all_rows)):
                return damaged(file, f"the index of its runs does not know {run_id}, which is in it")
        cause = "; ".join(finding.message for finding in self._damage.values())
        return RunNotFound(
            f"no run has the id `{run_id}`", cause=cause, fix="list the runs and take one of them"
        )

    def part(self, file: Path, run_id: str, key: int) -> Part:
        """Return the part of a run whose file and key are known.

        Raises:
            EngineError: The file cannot be read.
        """
        db = self._connection(file)
        if db is None:
            raise EngineError(f"{file} has no tables", fix="restore it from a backup", file=str(file))
        return Part(db, file, run_id, key)

    def damage(self) -> list[Diagnostic]:
        """Return what kept files from being read in the last look at them."""
        return list(self._damage.values())

    def close(self) -> None:
        """Let go of all files."""
        for db in self._open.values():
            db.close()
        self._open.clear()

    def _files(self) -> list[tuple[int, Path]]:
        return self._state.journals() if self._state.inspect() else []

    def _rows(self, file: Path, scan: Scan) -> list[tuple[Any, ...]]:
        try:
            db = self._connection(file)
            rows = scan(db) if db is not None else []
        except sqlite3.Error as error:
            self._damage[file] = translated(error, file).diagnostic
            return []
        except EngineError as error:
            self._damage[file] = error.diagnostic
            return []
        self._damage.pop(file, None)
        return rows

    def _connection(self, file: Path) -> sqlite3.Connection | None:
        db = self._open.get(file) or open_reader(file)
        if db is not None:
            self._open[file] = db
        return db


def lock_path(file: Path) -> Path:
    """Return the lock of a journal file: its holder is the file's one owner."""
    return file.with_suffix(".lock")


def _all_rows(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return db.execute(f"select {_RUN} from run").fetchall()  # noqa: S608


def _rows_of(db: sqlite3.Connection, run_id: str) -> list[tuple[Any, ...]]:
    return db.execute(f"select {_RUN} from run where id = ?", (run_id,)).fetchall()  # noqa: S608


def _marked(db: sqlite3.Connection, kind: int, mark: str) -> list[tuple[Any, ...]]:
    query = f"select place from event where scope = ? and {SETTLED} and kind = ? and instr(body, ?)"  # noqa: S608
    return db.execute(query, (RUN, kind, mark)).fetchall()


def _held(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    query = f"select place, scope, name from event where {UNUSUAL} and kind = ?"  # noqa: S608
    # The last word on a step counts, which may be its success: that is in no index by its kind.
    later = f"select kind from event where scope = ? and {SETTLED} and name = ? and place between ? and ?"  # noqa: S608
    last = {
        (place // PLACES_PER_RUN, *where): place for place, *where in db.execute(query, (HELD,)).fetchall()
    }
    return [
        (place, scope, name)
        for (key, scope, name), place in last.items()
        if not db.execute(later, (scope, name, place + 1, (key + 1) * PLACES_PER_RUN)).fetchone()
    ]


def _info(row: tuple[Any, ...], owned: bool) -> RunInfo:
    return RunInfo._make((*row[2:10], owned and bool(row[1]), row[10]))

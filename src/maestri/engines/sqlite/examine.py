"""Looks at journal files as a whole: is the structure of each sound, and do the newest runs agree with it?

Rule 1: nothing is written, and it ends in time: what is too large, or comes too late, is not looked at.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.schema import damaged, open_reader, sound, translated
from maestri.engines.sqlite.verify import verify
from maestri.engines.statedir import StateDir
from maestri.errors import Diagnostic, EngineError, RunNotFound

LARGEST_BYTES = 1 << 30
NEWEST_RUNS = 20
_FINDINGS_PER_FILE = 5


def examine(state: StateDir, limit_s: float) -> list[Diagnostic]:
    """Return what is wrong with the journal files of a state directory, by file."""
    deadline = time.monotonic() + limit_s
    found = {file: list(_of_file(file)) for _, file in state.journals() if time.monotonic() < deadline}
    catalog = Catalog(state)
    try:
        for run in reversed(catalog.runs()[-NEWEST_RUNS:]):
            if time.monotonic() >= deadline:
                break
            for finding in _of_run(catalog, run.id, deadline):
                found.setdefault(Path(finding.file or ""), []).append(finding)
        for damage in catalog.damage():
            one = found.setdefault(Path(damage.file or ""), [])
            if not one:
                one.append(damage)
    finally:
        catalog.close()
    return [finding for findings in found.values() for finding in findings[:_FINDINGS_PER_FILE]]


def _of_file(file: Path) -> Iterator[Diagnostic]:
    try:
        if file.stat().st_size > LARGEST_BYTES:
            return
        db = open_reader(file)
        if db is None:
            return
        try:
            wrong = sound(db)
        finally:
            db.close()
    except sqlite3.Error as error:
        yield translated(error, file).diagnostic
    except EngineError as error:
        yield error.diagnostic
    except OSError:
        return  # it was moved away meanwhile
    else:
        if wrong:
            yield damaged(file, wrong).diagnostic


def _of_run(catalog: Catalog, run_id: str, deadline: float) -> list[Diagnostic]:
    try:
        return verify(catalog, run_id, deadline)
    except RunNotFound:
        return []  # it was removed meanwhile
    except EngineError as error:
        return [error.diagnostic]

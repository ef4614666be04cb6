"""Files whose pages were damaged: left alone, named, and no reason not to go on beside them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.engines.journals import born, opened, run_with, stored

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.examine import examine
from maestri.engines.sqlite.reader import RunReader
from maestri.engines.sqlite.schema import connect_writer
from maestri.engines.statedir import StateDir
from maestri.errors import Diagnostic, EngineError, JournalDamaged

PAGE_BYTES = 4096


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a state directory with the run `r`."""
    asyncio.run(run_with(tmp_path / "state", "r", 1, 2, 3))
    return tmp_path / "state"


def _file(folder: Path) -> Path:
    return folder / "journal-0001.db"


def _tables(file: Path) -> None:
    """Make nonsense of every page but the first, as a failing disk would."""
    content = bytearray(file.read_bytes())
    for at in range(PAGE_BYTES, len(content), PAGE_BYTES):
        content[at : at + 8] = b"\xff" * 8
    file.write_bytes(content)


def _index(file: Path) -> None:
    """Empty the index of the runs, so that a run is listed and not found."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        page = db.execute(
            "select rootpage from sqlite_master where name = 'sqlite_autoindex_run_1'"
        ).fetchone()[0]
    content = bytearray(file.read_bytes())
    at = (page - 1) * PAGE_BYTES
    content[at + 3 : at + 5] = b"\0\0"  # the number of its cells
    file.write_bytes(content)


HARMS = [_tables, _index]


@pytest.mark.parametrize("harm", HARMS)
def test_new_run_goes_to_another_file_and_the_damaged_one_is_named(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    warnings: list[Diagnostic] = []

    async def scenario() -> None:
        async with opened(folder, on_damage=warnings.append) as engine:
            await (await born(engine, "new")).close()
            assert stored(engine, "new") == []

    harm(_file(folder))
    before = _file(folder).read_bytes()
    asyncio.run(scenario())
    assert [(one.code, one.severity, one.file) for one in warnings] == [
        ("E505", "warning", str(_file(folder)))
    ]
    assert _file(folder).read_bytes() == before


@pytest.mark.parametrize("harm", HARMS)
def test_run_in_a_damaged_file_is_not_taken_up(folder: Path, harm: Callable[[Path], None]) -> None:
    async def scenario() -> None:
        async with opened(folder) as engine:
            with pytest.raises(EngineError) as caught:
                await engine.lease("r")
            assert str(_file(folder)) in f"{caught.value} {caught.value.cause}"

    harm(_file(folder))
    asyncio.run(scenario())


@pytest.mark.parametrize("harm", HARMS)
def test_damaged_file_is_found_by_who_looks_for_it(folder: Path, harm: Callable[[Path], None]) -> None:
    harm(_file(folder))
    found = examine(StateDir(folder), 10.0)
    assert {(one.code, one.file) for one in found} == {("E505", str(_file(folder)))}


class _Malformed(sqlite3.Connection):
    """A connection to a file in which nothing can be inserted any more."""

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement.startswith("insert"):
            error = sqlite3.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        return super().execute(statement, *values)


def test_file_that_turns_out_to_be_damaged_at_the_first_write_is_left_alone_too(folder: Path) -> None:
    warnings: list[Diagnostic] = []

    def connect(file: Path) -> sqlite3.Connection:
        if file != _file(folder):
            return connect_writer(file)
        return sqlite3.connect(file, isolation_level=None, factory=_Malformed)

    async def scenario() -> None:
        async with opened(folder, on_damage=warnings.append, connect=connect) as engine:
            await (await born(engine, "new")).close()

    asyncio.run(scenario())
    assert [(one.code, one.file) for one in warnings] == [("E505", str(_file(folder)))]


def test_sound_directory_has_no_findings(folder: Path) -> None:
    assert examine(StateDir(folder), 10.0) == []


def test_event_that_is_gone_is_missed_by_who_only_looks(folder: Path) -> None:
    with closing(sqlite3.connect(_file(folder), isolation_level=None)) as db:
        db.execute("delete from event where name = 's1'")
    reader = RunReader(Catalog(StateDir(folder)), "r")
    with pytest.raises(JournalDamaged, match=r"event 3 of run r"):
        reader.events()
    reader.close()

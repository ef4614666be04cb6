"""Files that were changed behind our back: what is wrong is named, and everything else still works."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.engines.journals import born, opened, run_with, stored

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.reader import RunReader
from maestri.engines.statedir import StateDir
from maestri.errors import Diagnostic, JournalDamaged, RunNotFound, StateUnusable

LARGE = "large " * 500


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a state directory with the run `r` of three steps and the run `other`."""
    asyncio.run(run_with(tmp_path / "state", "r", 1, LARGE, 3))
    asyncio.run(run_with(tmp_path / "state", "other", 1))
    return tmp_path / "state"


def _file(folder: Path) -> Path:
    return folder / "journal-0001.db"


def _change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(_file(folder), isolation_level=None)) as db:
        assert db.execute(statement).rowcount == 1


def _findings(folder: Path) -> list[Diagnostic]:
    async def found() -> list[Diagnostic]:
        async with opened(folder) as engine:
            assert engine.verify("other") == []
            found: list[Diagnostic] = engine.verify("r")
            return found

    return asyncio.run(found())


CHANGES = {
    "kind": "kind = 12",
    "scope": "scope = '/x'",
    "name": "name = 'other'",
    "at": "at = at + 1",
    "digest": "digest = x'00'",
    "crc": "crc = crc + 1",
    "body": "body = replace(body, '3', '4')",
    "body's text": "body = cast(x'7bff7d' as text)",
    "kind's type": "kind = 'eleven'",
}


@pytest.mark.parametrize("column", CHANGES)
def test_change_of_any_column_is_found_and_named(folder: Path, column: str) -> None:
    _change(folder, f"update event set {CHANGES[column]} where name = 's2'")
    (finding,) = _findings(folder)
    assert finding.code == "E505"
    assert "event 4 of run r" in finding.message
    assert finding.file == str(_file(folder))


def test_row_that_moved_is_found(folder: Path) -> None:
    _change(folder, "update event set place = place + 5 where name = 's2'")
    causes = [finding.cause for finding in _findings(folder)]
    assert causes == ["the events from 4 to 8 are missing", "its checksum does not agree"]


def test_row_that_is_missing_is_found(folder: Path) -> None:
    _change(folder, "delete from event where name = 's1'")
    assert [finding.cause for finding in _findings(folder)] == ["the events from 3 to 3 are missing"]


def test_large_text_that_changed_is_found(folder: Path) -> None:
    _change(folder, "update blob set text = 'small'")
    (finding,) = _findings(folder)
    assert "large text" in finding.cause


def test_resume_refuses_a_damaged_row_and_names_run_path_and_file(folder: Path) -> None:
    async def scenario() -> None:
        async with opened(folder) as engine:
            journal = await engine.lease("r")
            with pytest.raises(JournalDamaged) as caught:
                await journal.settled("/")
            other = await engine.lease("other")
            assert len(await other.settled("/")) == 1
        assert (caught.value.run, caught.value.path) == ("r", "/s2")

    _change(folder, "update event set body = '{}' where name = 's2'")
    asyncio.run(scenario())


def test_flipped_bit_in_the_file_is_found(folder: Path) -> None:
    content = _file(folder).read_bytes()
    at = content.rindex(b'{"output":3}') + 10
    _file(folder).write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
    (finding,) = _findings(folder)
    assert "event 4 of run r" in finding.message


def _no_database(file: Path) -> None:
    file.write_bytes(b"this is no database at all" * 100)


def _too_new(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("pragma user_version = 99")


def _of_another(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("pragma application_id = 7")


def _first_page(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:100] + bytes(3996) + content[4096:])


@pytest.mark.parametrize(
    ("harm", "code"),
    [(_no_database, "E505"), (_too_new, "E506"), (_of_another, "E505"), (_first_page, "E505")],
)
def test_bad_file_is_named_and_hides_nothing_else(
    folder: Path, harm: Callable[[Path], None], code: str
) -> None:
    async def scenario() -> None:
        async with opened(folder) as engine:
            await (await born(engine, "new")).close()
            assert [info.id for info in engine.runs()] == ["new"]
            assert [(found.code, found.file) for found in engine.damage()] == [(code, str(_file(folder)))]
            with pytest.raises(RunNotFound) as caught:
                await engine.lease("r")
            assert str(_file(folder)) in caught.value.cause

    harm(_file(folder))
    asyncio.run(scenario())


def test_message_of_a_too_new_file_names_both_versions(folder: Path) -> None:
    _too_new(_file(folder))
    catalog = Catalog(StateDir(folder))
    catalog.runs()
    (finding,) = catalog.damage()
    assert "has format 99" in finding.message
    assert "up to 1" in finding.message


def test_empty_file_of_a_crash_at_birth_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state/journal-0001.db").touch(mode=0o600)
    asyncio.run(run_with(tmp_path / "state", "r", 1))
    assert not (tmp_path / "state/journal-0002.db").exists()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Give a folder on a disk of its own, and what makes that disk read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.decode().strip()}")

    def freeze() -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)

    yield place / "state", freeze
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_read_only_directory_can_be_read_and_says_why_it_cannot_be_written(
    read_only: tuple[Path, Callable[[], None]],
) -> None:
    folder, freeze = read_only

    async def scenario() -> None:
        async with opened(folder) as engine:
            assert stored(engine, "r") == ["s0", "s1"]
            with pytest.raises(StateUnusable, match="cannot be used") as caught:
                await born(engine, "new")
        assert "written" in caught.value.cause
        assert "MAESTRI_STATE" in caught.value.fix

    asyncio.run(run_with(folder, "r", 1, LARGE))
    freeze()
    asyncio.run(scenario())


def test_reader_closes_what_it_opened(folder: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    reader = RunReader(Catalog(StateDir(folder)), "r")
    reader.events()
    reader.close()
    assert len(list(Path("/dev/fd").iterdir())) == before

"""Several processes on one state directory: real processes, real locks, real kills."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.engines.journals import born, done, listed, opened, run_with, stored

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.errors import RunInUse, StaleOwner

_ROOT = Path(__file__).parents[2]


@contextmanager
def _owner(folder: Path, run_id: str, steps: int = 20) -> Iterator[subprocess.Popen[str]]:
    """Start a process that owns a run, and wait until so many of its steps are stored."""
    command = [sys.executable, "-m", "tests.engines.owner", str(folder), run_id]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(steps):
        process.stdout.readline()
    try:
        yield process
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[str]) -> int:
    """Kill the owner and return the last step that it said was stored."""
    if process.poll() is not None:
        return 0
    os.kill(process.pid, signal.SIGKILL)
    rest = process.communicate()[0].split()
    return int(rest[-1]) if rest else 0


def test_run_of_another_process_is_in_use_and_names_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as engine:
            with pytest.raises(RunInUse, match=f"process {owner.pid} on "):
                await engine.lease("theirs")
            assert listed(engine, "theirs").alive

    with _owner(tmp_path / "state", "theirs") as owner:
        asyncio.run(scenario())


def test_two_processes_write_two_files_and_see_each_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as engine:
            journal = await born(engine, "ours")
            assert {info.id for info in engine.runs() if info.alive} == {"ours", "theirs"}
            await journal.close()

    with _owner(tmp_path / "state", "theirs"):
        asyncio.run(scenario())
    assert (tmp_path / "state/journal-0002.db").exists()


def test_nothing_acknowledged_is_lost_when_the_owner_is_killed(tmp_path: Path) -> None:
    async def settled() -> list[str]:
        async with opened(tmp_path / "state") as engine:
            journal = await engine.lease("theirs")
            assert journal.info.epoch == 2
            return [event.name for event in await journal.settled("/")]

    with _owner(tmp_path / "state", "theirs", steps=100) as owner:
        last = _kill(owner)
    names = asyncio.run(settled())
    assert names == [f"s{index}" for index in range(len(names))]
    assert len(names) > last
    assert not (tmp_path / "state/journal-0002.db").exists()


async def _adopt(engine: SqliteEngine, owner: subprocess.Popen[str]) -> None:
    await (await born(engine, "ours")).close()
    follower = engine.read("theirs")
    before = follower.events(limit=10)
    _kill(owner)
    assert not follower.info().alive
    journal = await engine.lease("theirs")
    await journal.commit(done("mine"))
    assert follower.events(limit=10) == before
    assert follower.scope("/", limit=1)[0].name == "mine"
    assert (await journal.settled("/"))[1].body["output"] == "x" * 3000
    assert follower.info().epoch == 2
    assert engine.verify("theirs") == []
    follower.close()


def test_run_of_a_dead_owner_moves_to_the_file_of_the_living_with_its_numbers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as engine:
            await _adopt(engine, owner)

    with _owner(tmp_path / "state", "theirs") as owner:
        asyncio.run(scenario())


def test_adopted_run_can_come_back_to_its_first_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as first:
            await (await born(first, "r")).close()
            async with opened(tmp_path / "state") as second:
                journal = await second.lease("r")
                await journal.commit(done("a"))
                with pytest.raises(RunInUse):
                    await first.lease("r")
            again = await first.lease("r")
            await again.commit(done("b"))
            assert again.info.epoch == 3
            assert stored(first, "r") == ["a", "b"]

    asyncio.run(scenario())


def test_of_two_that_resume_one_run_one_wins(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as first, opened(tmp_path / "state") as second:
            ends = await asyncio.gather(first.lease("r"), second.lease("r"), return_exceptions=True)
            assert sorted(isinstance(end, RunInUse) for end in ends) == [False, True]

    asyncio.run(run_with(tmp_path / "state", "r", 1))
    asyncio.run(scenario())


def test_many_runs_of_a_dead_owner_can_be_leased_at_once(tmp_path: Path) -> None:
    async def scenario() -> list[int]:
        async with opened(tmp_path / "state") as engine:
            journals = await asyncio.gather(*(engine.lease(f"r{n}") for n in range(5)))
            return [journal.info.epoch for journal in journals]

    for n in range(5):
        asyncio.run(run_with(tmp_path / "state", f"r{n}", 1))
    with closing(sqlite3.connect(tmp_path / "state/journal-0001.db", isolation_level=None)) as db:
        db.execute("update run set held = 1")  # as an owner leaves them that was killed
    assert asyncio.run(scenario()) == [2] * 5


def test_asking_for_a_run_in_use_creates_no_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as first, opened(tmp_path / "state") as second:
            await born(first, "r")
            with pytest.raises(RunInUse):
                await second.lease("r")

    asyncio.run(scenario())
    assert not (tmp_path / "state/journal-0002.db").exists()


def test_epoch_is_checked_inside_the_transaction(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as engine:
            stale, other = await born(engine, "stale"), await born(engine, "other")
            with sqlite3.connect(tmp_path / "state/journal-0001.db") as thief:
                thief.execute("update run set epoch = 9 where id = 'stale'")
            thief.close()
            ends = await asyncio.gather(
                stale.commit(done("x")), other.commit(done("y")), return_exceptions=True
            )
            assert isinstance(ends[0], StaleOwner)
            assert ends[1] is None
            assert stored(engine, "stale") == []
            with pytest.raises(StaleOwner):
                await stale.close()

    asyncio.run(scenario())


def test_owner_whose_lock_file_was_removed_stops_writing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as engine:
            journal = await born(engine, "r")
            (tmp_path / "state/journal-0001.lock").unlink()
            with pytest.raises(StaleOwner, match="lock"):
                await journal.commit(done("x"))

    asyncio.run(scenario())


def test_looking_creates_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state") as engine:
            assert engine.runs() == []

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []


def test_everything_is_private(tmp_path: Path) -> None:
    asyncio.run(run_with(tmp_path / "state", "r", 1))
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "state").rglob("*")}
    assert modes == {0}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_listing_runs_does_not_import_asyncio() -> None:
    code = "import sys, maestri.engines.sqlite.reader; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_stranger_who_looks_into_a_journal_takes_nothing_from_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "state/journal-0001.db"

    def look() -> None:
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('select 1 from event').fetchall()"
        subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(file)], check=True)

    async def scenario() -> None:
        async with opened(tmp_path / "state") as engine:
            journal = await engine.lease("r")  # this has read the file before it was opened for writing
            look()
            await journal.commit(done("after"))
            assert stored(engine, "r")[-1] == "after"
            async with opened(tmp_path / "state") as other:
                assert stored(other, "r")[-1] == "after"

    asyncio.run(run_with(tmp_path / "state", "r", 1))
    asyncio.run(scenario())

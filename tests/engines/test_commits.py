"""How many transactions there are, and what a failing disk or listener does to those who wait."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.engines.journals import born, done, opened, stored

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.sqlite.schema import connect_writer
from maestri.engines.statedir import StateDir
from maestri.errors import EngineError, StaleOwner, UsageError
from maestri.kernel.ports import Message


class _Failing(sqlite3.Connection):
    """A connection whose commits fail as long as `fails` is set."""

    fails = False
    commits = 0

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql == "commit":
            type(self).commits += 1
            if self.fails:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
        return super().execute(sql, *args)


def _connector() -> tuple[type[_Failing], Any]:
    class Connection(_Failing):
        """One class per test: what it counts is its own."""

    def connect(file: Path) -> sqlite3.Connection:
        connect_writer(file).close()
        return sqlite3.connect(file, isolation_level=None, factory=Connection)

    return Connection, connect


def test_crowd_of_any_size_shares_one_commit(tmp_path: Path) -> None:
    async def scenario() -> int:
        async with opened(tmp_path / "state", connect=connect) as engine:
            journal = await born(engine, "r")
            before = connection.commits
            await asyncio.gather(*(journal.commit(done(f"s{index}")) for index in range(5000)))
            return connection.commits - before

    connection, connect = _connector()
    assert asyncio.run(scenario()) == 1


def test_the_last_event_and_the_end_of_the_lease_share_one_commit(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, bool]:
        async with opened(tmp_path / "state", connect=connect) as engine:
            journal = await born(engine, "r")
            before = connection.commits
            last = journal.commit(done("a"))
            await journal.close()
            await last
            return connection.commits - before, engine.runs()[0].alive

    connection, connect = _connector()
    assert asyncio.run(scenario()) == (1, False)


def test_of_many_runs_in_one_commit_only_the_one_that_was_taken_over_is_refused(tmp_path: Path) -> None:
    async def scenario() -> list[object]:
        async with opened(tmp_path / "state") as engine:
            journals = [await born(engine, f"r{number}") for number in range(4)]
            await journals[2].close()
            await engine.lease("r2")
            kept = [journal.commit(done("a")) for journal in journals]
            return [type(one) for one in await asyncio.gather(*kept, return_exceptions=True)]

    nothing = type(None)
    assert asyncio.run(scenario()) == [nothing, nothing, StaleOwner, nothing]


def test_failing_disk_tells_everybody_and_ends_the_lease(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state", connect=connect) as engine:
            journal = await born(engine, "r")
            await journal.commit(done("a"))
            connection.fails = True
            with pytest.raises(EngineError, match="I/O"):
                await journal.commit(done("b"))
            connection.fails = False
            with pytest.raises(EngineError, match="I/O"):
                await journal.commit(done("c"))
            with pytest.raises(EngineError, match="I/O"):
                await journal.close()
            again = await engine.lease("r")
            await again.commit(done("d"))
            assert stored(engine, "r") == ["a", "d"]
            assert engine.verify("r") == []

    connection, connect = _connector()
    asyncio.run(scenario())


def test_listener_that_fails_harms_nobody(tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise ValueError("mine")

    async def scenario() -> None:
        told: list[dict[str, Any]] = []
        seen: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, words: told.append(words))
        async with opened(tmp_path / "state") as engine:
            engine.watch(fail)
            engine.watch(lambda _, events: seen.extend(event.name for event in events))
            await (await born(engine, "r")).commit(done("a"))
        assert seen == ["", "a"]
        assert len(told) == 2

    asyncio.run(scenario())


def test_mail_of_another_process_is_heard(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "state", bell_s=0.01) as owner, opened(tmp_path / "state") as other:
            await born(owner, "r")
            heard = asyncio.Event()
            owner.on_mail("r", heard.set)
            await asyncio.sleep(0.02)
            other.post("r", Message("m", "cancel", {}))
            await asyncio.wait_for(heard.wait(), 5)

    asyncio.run(scenario())


def test_unknown_durability_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="durability"):
        SqliteEngine(StateDir(tmp_path), durability="maybe")


@pytest.mark.parametrize("durability", ["power-safe", "kill-safe"])
def test_each_durability_stores(durability: str, tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with opened(tmp_path / "state", durability=durability) as engine:
            await (await born(engine, "r")).commit(done("a"))
            return stored(engine, "r")

    assert asyncio.run(scenario()) == ["a"]


def test_a_lease_goes_to_the_disk_with_the_first_record_that_is_made_under_it(tmp_path: Path) -> None:
    class Connection(sqlite3.Connection):
        """Notes the durability of each commit."""

        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql == "commit":
                levels.append(super().execute("pragma synchronous").fetchone()[0])
            return super().execute(sql, *args)

    def connect(file: Path) -> sqlite3.Connection:
        connect_writer(file).close()
        return sqlite3.connect(file, isolation_level=None, factory=Connection)

    async def scenario() -> None:
        async with opened(tmp_path / "state", connect=connect) as engine:
            await (await born(engine, "r")).close()
            del levels[:]
            journal = await engine.lease("r")
            await journal.commit(done("a"))

    levels: list[int] = []
    asyncio.run(scenario())
    normal, full = 1, 2
    assert levels[:2] == [normal, full]

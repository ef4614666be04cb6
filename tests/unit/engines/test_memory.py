"""What only the memory engine has: a crash at will."""

from __future__ import annotations

import asyncio

import pytest

from maestri.engines.memory import MemoryEngine
from maestri.errors import StaleOwner
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.ports import RunInfo

FIRST = Event(ev.RUN_STARTED, "", "", 1.0, "", "{}")
INFO = RunInfo("r", "brave-otter-1", "flow", "/", 1.0, 0)


def _done(name: str) -> Event:
    return Event(ev.SUCCEEDED, "/", name, 2.0, "", '{"output":null}')


def test_crash_loses_what_was_not_committed_and_nothing_else() -> None:
    async def scenario() -> list[str]:
        engine = MemoryEngine()
        journal = await engine.create(INFO, FIRST)
        await journal.commit(_done("a"))
        lost = journal.commit(_done("b"))
        engine.crash()
        with pytest.raises(StaleOwner):
            await lost
        return [event.name for event in await (await engine.lease("r")).settled("/")]

    assert asyncio.run(scenario()) == ["a"]


def test_journal_of_before_the_crash_cannot_write() -> None:
    async def scenario() -> None:
        engine = MemoryEngine()
        old = await engine.create(INFO, FIRST)
        engine.crash()
        new = await engine.lease("r")
        with pytest.raises(StaleOwner):
            await old.commit(_done("late"))
        await new.commit(_done("a"))
        assert [event.seq for event in engine.read("r").events()] == [1, 2]

    asyncio.run(scenario())


def test_engine_outlives_its_event_loop() -> None:
    async def create() -> None:
        await engine.create(INFO, FIRST)
        engine.crash()

    async def resume() -> int:
        return (await engine.lease("r")).info.epoch

    engine = MemoryEngine()
    asyncio.run(create())
    assert asyncio.run(resume()) == 2

"""Runs and events for the tests of the engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.sqlite.journal import RunJournal
from maestri.engines.statedir import StateDir
from maestri.kernel import events as ev
from maestri.kernel.codec import encode
from maestri.kernel.events import Event
from maestri.kernel.ports import RunInfo


def started() -> Event:
    """Return the first event of a run."""
    return Event(ev.RUN_STARTED, "", "", 1000.0, "", encode({"workflow": "flow", "inputs": {}}))


def done(name: str, output: Any = None) -> Event:
    """Return the success of a step."""
    return Event(ev.SUCCEEDED, "/", name, 1001.0, "0123456789abcdef", encode({"output": output}))


async def born(engine: SqliteEngine, run_id: str) -> RunJournal:
    """Create a run."""
    return await engine.create(RunInfo(run_id, f"name-{run_id}", "flow", "/somewhere", 1000.0, 0), started())


@asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[SqliteEngine]:
    """Open an engine for the length of a block."""
    engine = SqliteEngine(StateDir(folder), **settings)
    try:
        yield engine
    finally:
        await engine.close()


async def run_with(folder: Path, run_id: str, *outputs: Any) -> None:
    """Store a run of so many finished steps s0, s1, ... and close everything."""
    async with opened(folder) as engine:
        journal = await born(engine, run_id)
        for index, output in enumerate(outputs):
            await journal.commit(done(f"s{index}", output))
        await journal.close()


def stored(engine: SqliteEngine, run_id: str, after: int = 1) -> list[str]:
    """Return the names of the stored events of a run."""
    with closing(engine.read(run_id)) as reader:
        return [event.name for event in reader.events(after)]


def listed(engine: SqliteEngine, run_id: str) -> RunInfo:
    """Return a run as it is listed."""
    with closing(engine.read(run_id)) as reader:
        return reader.info()

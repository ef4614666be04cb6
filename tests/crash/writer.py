"""A process that writes small runs and says what was acknowledged.

    writer.py STATE ACKNOWLEDGEMENTS DURABILITY

Each line of the acknowledgements is a run and the name of a stored step, `mail` with a run and a message, or
`artifact` with a digest.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.sqlite.schema import connect_writer
from maestri.engines.statedir import StateDir
from maestri.kernel import events as ev
from maestri.kernel.codec import encode
from maestri.kernel.events import Event
from maestri.kernel.ports import Journal, Message, RunInfo

RUNS = 4
STEPS = 12  # of each run in each of its two lives
PAGES = "wal_autocheckpoint = 24"  # so that a small journal is checkpointed often


class _Eager(sqlite3.Connection):
    """A connection that checkpoints more often than it is told to."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute a statement."""
        return super().execute(sql.replace("wal_autocheckpoint = 1000", PAGES), *values)


def _connect(file: Path) -> sqlite3.Connection:
    connect_writer(file).close()
    return sqlite3.connect(file, isolation_level=None, factory=_Eager)


class Writer:
    """Lives twice on one state directory, and closes in good order in between."""

    def __init__(self, state: Path, acknowledgements: Path, durability: str) -> None:
        """Name the places."""
        self._state = state
        self._durability = durability
        self._acknowledgements = acknowledgements
        self._acknowledged = os.open(acknowledgements, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def live(self, number: int) -> None:
        """Begin the runs, or go on with them."""
        engine = SqliteEngine(StateDir(self._state), durability=self._durability, connect=_connect)
        try:
            await asyncio.gather(*(self._write(engine, f"r{run}", number) for run in range(RUNS)))
        finally:
            await engine.close()

    async def _write(self, engine: SqliteEngine, run: str, number: int) -> None:
        journal = await self._journal(engine, run, number)
        for step in range(number * STEPS, (number + 1) * STEPS):
            text = f"{step} " * (600 if step % 3 == 0 else 5)
            body = encode({"output": text})
            await journal.commit(Event(ev.SUCCEEDED, "/", f"s{step}", 1001.0, "0123456789abcdef", body))
            self._acknowledge(f"{run} s{step}")
            if step % 6 == 5:
                engine.post(run, Message(f"m{step}", "signal", {"name": "x", "value": step}))
                self._acknowledge(f"mail {run} m{step}")
                large = self._acknowledgements.with_name(f"large-{run}-{step}")
                large.write_text(text * 20)
                self._acknowledge(f"artifact {StateDir(self._state).keep(str(large), 'large').digest}")
        await journal.close()

    async def _journal(self, engine: SqliteEngine, run: str, number: int) -> Journal:
        if number:
            return await engine.lease(run)
        first = Event(ev.RUN_STARTED, "", "", 1000.0, "", encode({"workflow": "flow", "inputs": {}}))
        journal = await engine.create(RunInfo(run, run, "flow", "/", 1000.0, 0), first)
        self._acknowledge(f"{run} ")
        return journal

    def _acknowledge(self, what: str) -> None:
        os.write(self._acknowledged, f"{what}\n".encode())


async def main() -> None:
    """Write two lives."""
    writer = Writer(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    await writer.live(0)
    await writer.live(1)


if __name__ == "__main__":
    asyncio.run(main())

"""One of several processes that fight for the runs of one state directory: `rival.py STATE LOG SEED`.

It takes a run where it can get one, adds some events and lets go, until there is a file `stop` beside the
log. The log is outside the journals; it has a line for each take, acknowledged event, and refusal.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.errors import EngineError, StaleOwner
from maestri.kernel import events as ev
from maestri.kernel.codec import encode
from maestri.kernel.events import Event
from maestri.kernel.ports import Journal, RunInfo

RUNS = ("one", "two", "three")


class Rival:
    """One process and what it does, one run at a time, with an engine of its own for each."""

    def __init__(self, state: Path, log: Path, random: Random) -> None:
        """Name the places."""
        self._state = StateDir(state)
        self._stop = log.with_name("stop")
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._random = random

    def _say(self, word: str, journal: Journal, number: int = 0) -> None:
        line = f"{word} {journal.info.id} {journal.info.epoch} {os.getpid()}-{number}\n"
        os.write(self._log, line.encode())

    async def fight(self) -> None:
        """Take runs until it is over."""
        while not self._stop.exists():
            engine = SqliteEngine(self._state)
            try:
                await self._take(engine, self._random.choice(RUNS))
            except EngineError:
                await asyncio.sleep(self._random.uniform(0, 0.01))  # somebody else has it
            finally:
                await engine.close()

    async def _take(self, engine: SqliteEngine, run: str) -> None:
        journal = await engine.lease(run)
        self._say("take", journal)
        epoch = journal.info.epoch
        try:
            for number in range(self._random.randint(3, 30)):
                name = f"{os.getpid()}-{number}"
                await journal.commit(Event(ev.DECIDED, "/", name, 1001.0, "", encode({"value": epoch})))
                self._say("done", journal, number)
                await asyncio.sleep(self._random.choice([0, 0, 0.001]))
        except StaleOwner:
            self._say("refused", journal)
        with suppress(StaleOwner):
            await journal.close()


async def found(state: Path) -> None:
    """Make the runs that are fought for."""
    engine = SqliteEngine(StateDir(state))
    for run in RUNS:
        first = Event(ev.RUN_STARTED, "", "", 1000.0, "", encode({"workflow": "flow", "inputs": {}}))
        journal = await engine.create(RunInfo(run, run, "flow", "/", 1000.0, 0), first)
        await journal.close()
    await engine.close()


if __name__ == "__main__":
    asyncio.run(Rival(Path(sys.argv[1]), Path(sys.argv[2]), Random(int(sys.argv[3]))).fight())

"""A process that executes many small runs at once and says outside the journal what it does.

    crowd.py STATE LOG SEED MODE

With the mode `more` it begins new runs until it is killed, after it has taken up those that a life before
this one has left; with `rest` it only does the latter, and ends. Each step draws a number: done twice, it
would have two outputs. The log gets a line before each step and one after its output was acknowledged.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.kernel import runner
from maestri.kernel.clock import SystemClock
from maestri.kernel.context import Context
from maestri.kernel.ports import RunInfo
from maestri.kernel.run import Services
from maestri.kernel.runner import Definition
from maestri.patterns import each, loop, parallel
from maestri.testing.play import Direct

AT_ONCE = 24

Step = Callable[[Context, str], Awaitable[int]]


class Log:
    """The log outside the journal: whole lines, which outlive a kill."""

    def __init__(self, file: str, run: str, random: Random) -> None:
        """Append to a file."""
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._run = run
        self._random = random

    def write(self, word: str, path: str, value: int) -> None:
        """Add a line."""
        os.write(self._descriptor, f"{word} {self._run} {path} {value}\n".encode())

    async def step(self, ctx: Context, name: str) -> int:
        """Do a step that draws a number; its output is acknowledged when this returns."""
        path = f"{ctx.path.rstrip('/')}/{name}"

        async def draw() -> int:
            value = self._random.getrandbits(53)
            self.write("start", path, value)
            return value

        value: int = await ctx.step(name, draw)
        self.write("done", path, value)
        return value

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def flow_of(step: Step) -> Callable[[Context], Awaitable[Any]]:
    """Return a workflow of 30 steps: a loop, items and two in a row, beside each other."""

    async def two(ctx: Context) -> int:
        return await step(ctx, "one") + await step(ctx, "two")

    async def turn(ctx: Context, _number: int, last: int | None) -> int:
        return await step(ctx, "turn") + (last or 0)

    async def item(ctx: Context, _item: int, _index: int) -> int:
        return await two(ctx)

    async def rounds(ctx: Context) -> int:
        total: int = await loop(ctx, "rounds", turn, until=lambda _c, number, _out: number >= 6, max_rounds=9)
        return total

    async def items(ctx: Context) -> list[int]:
        sums: list[int] = await each(ctx, "items", list(range(8)), item, max_concurrent=4)
        return sums

    async def flow(ctx: Context) -> Any:
        await step(ctx, "first")
        found = await parallel(ctx, "crowd", {"rounds": rounds, "items": items, "both": two})
        await parallel(ctx, "after", {"a": two, "b": two})
        await step(ctx, "last")
        return found

    return flow


class Crowd:
    """The runs of one life of this process."""

    def __init__(self, state: str, log: str, random: Random) -> None:
        """Name the places."""
        self._log = log
        self._random = random
        self._engine = SqliteEngine(StateDir(Path(state)))
        self._services = Services(dispatcher=Direct(), clock=SystemClock(), random=random)

    async def work(self, *, more: bool) -> None:
        """Take up what was left, and begin more runs for ever if that is asked for."""
        left = [run.id for run in self._engine.runs() if run.end is None]
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        places = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as crowd:
            for run_id in left:
                await places.acquire()
                crowd.create_task(self._resumed(run_id, places))
            while more:
                await places.acquire()
                crowd.create_task(self._begun(places))
        await self._engine.close()

    async def _resumed(self, run_id: str, places: asyncio.Semaphore) -> None:
        log, definition = self._definition(run_id)
        execution = await runner.resume(self._engine, self._services, definition, run_id)
        await execution.wait()
        log.close()
        places.release()

    async def _begun(self, places: asyncio.Semaphore) -> None:
        now = self._services.clock.now()
        run_id = f"run-{self._random.getrandbits(64):016x}"
        log, definition = self._definition(run_id)
        info = RunInfo(run_id, run_id, "crowd", "/", now, 1)
        execution = await runner.start(self._engine, self._services, definition, {}, info)
        await execution.wait()
        log.close()
        places.release()

    def _definition(self, run_id: str) -> tuple[Log, Definition]:
        log = Log(self._log, run_id, self._random)
        flow = flow_of(log.step)
        return log, Definition("crowd", lambda ctx, _inputs: flow(ctx), {})


if __name__ == "__main__":
    asyncio.run(Crowd(sys.argv[1], sys.argv[2], Random(int(sys.argv[3]))).work(more=sys.argv[4] == "more"))

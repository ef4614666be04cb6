"""The floor: what asyncio, a thread and SQLite themselves cost, with nothing of an engine on top.

One thread writes. Whatever waits when it is free goes into one transaction (WAL, synchronous=FULL); then
those who wait go on. No retries, events, scopes, names or checks: nothing durable can be faster by much.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import repositories
from stopwatch import PAD, RUN_STEPS, Measure, Sample, StepLog, Stopwatch, beside_neighbour, report

_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = full;
create table if not exists step (
    run integer, number integer, output text, primary key (run, number)
) without rowid;
"""


class Row(NamedTuple):
    """A step's output on its way to the disk, and who waits for it to get there."""

    run: int
    number: int
    output: str
    waiter: asyncio.Future[None]


class Journal:
    """A table, and the thread that alone writes it."""

    def __init__(self, folder: Path) -> None:
        """Open the file and start the thread."""
        self._loop = asyncio.get_running_loop()
        self._rows: SimpleQueue[Row | None] = SimpleQueue()
        self._db = sqlite3.connect(folder / "floor.db", isolation_level=None, check_same_thread=False)
        self._db.executescript(_SCHEMA)
        self._writer = Thread(target=self._write)
        self._writer.start()

    def put(self, run: int, number: int, output: Any) -> Awaitable[None]:
        """Return what is done when the output is on disk."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._rows.put(Row(run, number, json.dumps(output), waiter))
        return waiter

    def outputs(self, run: int) -> dict[int, Any]:
        """Return the outputs of a run by the numbers of their steps."""
        rows = self._db.execute("select number, output from step where run = ? order by number", (run,))
        return {number: json.loads(output) for number, output in rows}

    def close(self) -> None:
        """Wait for the thread and close the file."""
        self._rows.put(None)
        self._writer.join()
        self._db.close()

    def _write(self) -> None:
        is_open = True
        while is_open:
            taken = [self._rows.get()]
            taken += [self._rows.get() for _ in range(self._rows.qsize())]
            batch = [row for row in taken if row is not None]
            is_open = len(batch) == len(taken)
            if batch:
                self._db.execute("begin immediate")
                self._db.executemany("insert into step values (?, ?, ?)", [row[:3] for row in batch])
                self._db.execute("commit")
                self._loop.call_soon_threadsafe(_release, batch)


def _release(batch: list[Row]) -> None:
    for row in batch:
        row.waiter.set_result(None)


async def _answer(number: int) -> dict[str, Any]:
    return {"i": number, "ok": True}


async def _step(journal: Journal, run: int, number: int, value: int) -> dict[str, Any]:
    output = await _answer(value)
    await journal.put(run, number, output)
    return output


async def _chain(journal: Journal, n: int, run: int = 0) -> None:
    value = 0
    for number in range(n):
        value = (await _step(journal, run, number, value))["i"] + 1


async def _fan(journal: Journal, n: int) -> None:
    outputs = await asyncio.gather(*(_step(journal, 0, number, number) for number in range(n)))
    await _step(journal, 0, n, sum(output["i"] for output in outputs))


async def _runs(journal: Journal, n: int) -> None:
    async def one(run: int) -> None:
        for number in range(RUN_STEPS):
            await _step(journal, run, number, number)

    await asyncio.gather(*(one(run) for run in range(n)))


async def _loop(journal: Journal, n: int) -> None:
    """The text that never changes is written once, and of each round only what has changed."""
    await journal.put(0, -1, {"pad": PAD})
    for number in range(n):
        await _step(journal, 0, number, number)


def timed(work: Callable[[Journal, int], Awaitable[None]]) -> Measure:
    """Return a measurement of some work on an open journal."""

    async def inside(n: int, folder: Path) -> Sample:
        journal = Journal(folder)
        with Stopwatch() as watch:
            await work(journal, n)
        journal.close()
        return watch.sample()

    return lambda n, folder: asyncio.run(inside(n, folder))


async def _neighbour(n: int, folder: Path) -> Sample:
    """Run a chain beside a busy neighbour, in an interpreter that switches threads as often as Maestri's."""
    sys.setswitchinterval(0.0005)  # with the usual 5 ms the thread that writes would hardly have a turn
    journal = Journal(folder)
    runs = count()
    sample = await beside_neighbour(n, lambda: _chain(journal, n, next(runs)))
    journal.close()
    return sample


async def _going_on(n: int, folder: Path, kill_at: int | None) -> Sample:
    log = StepLog(folder, kill_at)
    called = time.time()
    journal = Journal(folder)
    done = journal.outputs(0)
    for number in range(n):
        if number not in done:
            log.begin(number)
            await _step(journal, 0, number, number)
    journal.close()
    return log.resumed(called)


def crash(n: int, folder: Path) -> Sample:
    """Begin a chain and die half way."""
    return asyncio.run(_going_on(n, folder, n // 2))


def resume(n: int, folder: Path) -> Sample:
    """Read what is there and go on."""
    return asyncio.run(_going_on(n, folder, None))


def command(n: int, _folder: Path) -> Sample:
    """Start a process that does nothing, and collect it and its output, n times."""
    with Stopwatch() as watch:
        for _ in range(n):
            subprocess.run(["true"], check=True, capture_output=True, env=os.environ)
    return watch.sample()


def fold(n: int, _folder: Path) -> Sample:
    """Decode as many texts as the run of n steps has events."""
    text = json.dumps({"output": {"i": 1, "ok": True}})
    with Stopwatch() as watch:
        for _ in range(2 * n):
            json.loads(text)
    return watch.sample()


if __name__ == "__main__":
    fan = timed(_fan)
    report(
        {
            "chain": timed(_chain),
            "fan": fan,
            "scopes": fan,
            "runs": timed(_runs),
            "loop": timed(_loop),
            "neighbour": lambda n, folder: asyncio.run(_neighbour(n, folder)),
            "crash": crash,
            "resume": resume,
            "command": command,
            "fold": fold,
            "worktree": repositories.floor,
        }
    )

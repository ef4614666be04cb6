"""What the two measured programs share: taking the time, and reporting it as their last line."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Self, TypeAlias

Sample: TypeAlias = dict[str, float]
Measure: TypeAlias = Callable[[int, Path], Sample]

PAD = "x" * 10_000  # the part of a loop's state that never changes
SLICE_S = 0.004  # for how long a busy neighbour computes before it lets others have their turn
RUN_STEPS = 5  # of each of many runs
BEGUN = (
    "BENCHMARK_BEGUN"  # the variable with the time at which the process was started, in seconds since 1970
)
_KIB = 1 if sys.platform == "darwin" else 1024  # what `ru_maxrss` counts in


class Stopwatch:
    """Takes the time of a `with` block: `s` seconds passed, `cpu_s` seconds of CPU in all threads."""

    def __enter__(self) -> Self:
        """Begin."""
        self.s = self.cpu_s = 0.0
        self._cpu = time.process_time()
        self._begun = time.perf_counter()
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop."""
        self.s = time.perf_counter() - self._begun
        self.cpu_s = time.process_time() - self._cpu

    def sample(self) -> Sample:
        """Return the figures."""
        return {"s": self.s, "cpu_s": self.cpu_s}


async def neighbour() -> None:
    """Compute in slices on the event loop, for ever."""
    while True:
        until = time.perf_counter() + SLICE_S
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0)


async def beside_neighbour(n: int, work: Callable[[], Awaitable[object]]) -> Sample:
    """Measure n steps alone, then beside a busy neighbour.

    Whoever waits for another thread on such a loop waits for the slice under way as well: one for each step
    is what the neighbour itself takes. `stretch` is the time over that: the time alone and n slices.
    """
    with Stopwatch() as alone:
        await work()
    busy = asyncio.create_task(neighbour())
    with Stopwatch() as watch:
        await work()
    busy.cancel()
    return {**watch.sample(), "alone_s": alone.s, "stretch": watch.s / (alone.s + n * SLICE_S)}


class StepLog:
    """Notes each step that begins, outside of any journal; kills its process in the step it is told to."""

    def __init__(self, folder: Path, kill_at: int | None = None) -> None:
        """Append to the log in a folder."""
        self._file = folder / "steps.log"
        self._kill_at = kill_at
        self._handle = os.open(self._file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self.first: tuple[int, float] | None = None

    def begin(self, number: int) -> None:
        """Note that a step begins. No flush: what is written survives the end of a process."""
        if self.first is None:
            self.first = (number, time.time())
        os.write(self._handle, b"%d\n" % number)
        if number == self._kill_at:
            os.kill(os.getpid(), 9)

    def resumed(self, called: float) -> Sample:
        """Return how long it took until the first step of this process began, and which steps began twice.

        Raises:
            RuntimeError: No step began.
        """
        if self.first is None:
            message = "nothing was left to do after the crash"
            raise RuntimeError(message)
        number, at = self.first
        begun = [int(line) for line in self._file.read_text(encoding="ascii").splitlines()]
        repeated = len(begun) - len(set(begun)) - (1 if begun.count(number) > 1 else 0)
        return {
            "s": at - float(os.environ[BEGUN]),
            "call_s": at - called,
            "first_step": number,
            "repeated": repeated,
        }


def resident_bytes() -> int:
    """Return how much memory this process holds now; where that is not told, the most it ever held."""
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return pages * resource.getpagesize()


def journal_bytes(folder: Path) -> int:
    """Return the size of the journals below a folder, after SQLite has put its write-ahead logs into them."""
    files = sorted(folder.rglob("*.db"))
    for file in files:
        sqlite3.connect(file).execute("pragma wal_checkpoint(truncate)").connection.close()
    return sum(file.stat().st_size for file in files)


def report(measures: Mapping[str, Measure]) -> None:
    """Carry out `PROGRAM WORKLOAD N FOLDER` and print the sample as JSON; `PROGRAM --try` does nothing."""
    if sys.argv[1:] == ["--try"]:
        return  # what it imports is there
    name, n, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    sample = measures[name](n, folder)
    sample["rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    sample["journal_bytes"] = journal_bytes(folder)
    print("\n" + json.dumps(sample), flush=True)

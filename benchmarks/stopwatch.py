"""What the two measured programs share: taking the time, and reporting it as their last line."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self, TypeAlias

Sample: TypeAlias = dict[str, float]
Measure: TypeAlias = Callable[[int, Path], Sample]

PAD = "x" * 10_000  # the part of a loop's state that never changes
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


def journal_bytes(folder: Path) -> int:
    """Return the size of the journals below a folder, after SQLite has put its write-ahead logs into them."""
    files = sorted(folder.rglob("*.db"))
    for file in files:
        sqlite3.connect(file).execute("pragma wal_checkpoint(truncate)").connection.close()
    return sum(file.stat().st_size for file in files)


def report(measures: Mapping[str, Measure]) -> None:
    """Carry out `PROGRAM WORKLOAD N FOLDER` and print the sample as JSON."""
    name, n, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    sample = measures[name](n, folder)
    sample["rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    sample["journal_bytes"] = journal_bytes(folder)
    print("\n" + json.dumps(sample), flush=True)

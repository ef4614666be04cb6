"""Killed again and again at moments that nobody chose, with many runs under way: nothing is lost.

`MAESTRI_CRASH_ROUNDS` and `MAESTRI_CRASH_SEED` make it longer, and different.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.reader import RunReader
from maestri.engines.sqlite.verify import verify
from maestri.engines.statedir import StateDir
from maestri.kernel import events as ev
from tally import tally

ROUNDS = int(os.environ.get("MAESTRI_CRASH_ROUNDS", "50"))
SEED = int(os.environ.get("MAESTRI_CRASH_SEED", "1"))
CROWD = Path(__file__).with_name("crowd.py")

Place = tuple[str, str]  # a run and a path in it

pytestmark = pytest.mark.slow


class Lives:
    """One state directory, and the processes that live in it one after the other."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.log = folder / "log"

    def begin(self, seed: int, mode: str) -> subprocess.Popen[str]:
        """Start a process in a group of its own; it is ready when this returns."""
        command = [sys.executable, str(CROWD), str(self.state), str(self.log), str(seed), mode]
        begun = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        assert begun.stdout is not None
        assert begun.stdout.readline() == "ready\n"
        return begun

    def killed(self, seed: int, after_s: float) -> None:
        """Live for a while and be killed, with all that belongs to it."""
        with self.begin(seed, "more") as process:
            time.sleep(after_s)
            os.killpg(process.pid, signal.SIGKILL)
            assert process.communicate() == ("", "")

    def finished(self, seed: int) -> None:
        """Bring what is left to its end."""
        with self.begin(seed, "rest") as process:
            assert process.communicate(timeout=300) == ("", "")
            assert process.returncode == 0

    def lines(self) -> Iterator[tuple[str, Place, int]]:
        """Yield what the log says: a word, the step, its number."""
        with self.log.open(encoding="utf-8") as lines:
            for line in lines:
                word, run, path, value = line.split()
                yield word, (run, path), int(value)

    def acknowledged(self) -> tuple[dict[Place, int], int]:
        """Return what was acknowledged, and how often a step began again after that or had another output."""
        known: dict[Place, int] = {}
        repeated = 0
        for word, place, value in self.lines():
            if word == "start":
                repeated += place in known
            else:
                repeated += known.setdefault(place, value) != value
        return known, repeated

    def stored(self) -> tuple[dict[Place, int], int, list[str]]:
        """Return what the journals hold, the number of runs that succeeded, and what is wrong with them."""
        catalog = Catalog(StateDir(self.state))
        found: dict[Place, int] = {}
        wrong: list[str] = []
        runs = catalog.runs()
        for run in runs:
            wrong += [finding.message for finding in verify(catalog, run.id)]
            for event in RunReader(catalog, run.id).events(limit=100_000):
                if event.kind == ev.SUCCEEDED:
                    found[run.id, event.path] = event.body["output"]
        for file in self.state.glob("journal-*.db"):
            with closing(sqlite3.connect(file)) as db:
                wrong += [text for (text,) in db.execute("pragma quick_check") if text != "ok"]
        catalog.close()
        return found, sum(run.end == ev.RUN_SUCCEEDED for run in runs), wrong


def test_nothing_acknowledged_is_lost_or_done_again_by_processes_that_are_killed(tmp_path: Path) -> None:
    lives, random = Lives(tmp_path), Random(SEED)
    for number in range(ROUNDS):
        lives.killed(SEED * 100_000 + number, random.uniform(0.1, 1.0))
    lives.finished(SEED * 100_000 + ROUNDS)
    acknowledged, repeated = lives.acknowledged()
    stored, succeeded, wrong = lives.stored()
    lost = sum(stored.get(place) != value for place, value in acknowledged.items())
    tally(
        "kill -9 loop",
        SEED,
        rounds=ROUNDS,
        runs=succeeded,
        acknowledged=len(acknowledged),
        stored=len(stored),
        lost=lost,
        repeated=repeated,
        damaged=len(wrong),
    )
    assert (lost, repeated, wrong) == (0, 0, [])
    assert succeeded * 30 == len(stored)
    assert len(acknowledged) > ROUNDS * 100

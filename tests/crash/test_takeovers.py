"""Several processes after the same runs; owners are stopped, robbed of their locks, woken up, and killed.

An owner that is merely stopped keeps its lock: the system gives a lock to nobody else while its holder lives.
So a stale owner is made the one way there is: its lock file is removed while it is stopped, as a careless
clean-up would do. When it wakes up, another process has the run, and nothing of what it writes may be stored.

`MAESTRI_TAKEOVERS` and `MAESTRI_TAKEOVER_SEED` make it longer, and different.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from tests.crash.rival import RUNS, found

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.reader import RunReader
from maestri.engines.sqlite.verify import verify
from maestri.engines.statedir import StateDir
from maestri.kernel.events import Stored
from tally import tally

TAKEOVERS = int(os.environ.get("MAESTRI_TAKEOVERS", "90"))
SEED = int(os.environ.get("MAESTRI_TAKEOVER_SEED", "1"))
PROCESSES = 5
RIVAL = Path(__file__).with_name("rival.py")

pytestmark = pytest.mark.slow


class Arena:
    """The processes, and who makes their life hard."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.log = folder / "log"
        self.stop = folder / "stop"
        self.counts: Counter[str] = Counter()
        self._random = Random(SEED)
        self._rivals: dict[int, subprocess.Popen[bytes]] = {}
        self._started = 0
        self._read = 0
        self.takes = 0

    def start(self) -> None:
        """Start one more process."""
        self._started += 1
        words = [str(RIVAL), str(self.state), str(self.log), str(SEED * 100_000 + self._started)]
        process = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE)
        self._rivals[process.pid] = process

    def lines(self, word: str) -> list[list[str]]:
        """Return the complete lines of the log that begin with a word, without it."""
        text = self.log.read_text() if self.log.exists() else ""
        return [line.split()[1:] for line in text.splitlines() if line.startswith(word + " ")]

    def look(self) -> int:
        """Return how often a run has been taken so far; reads only what is new in the log."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self._read)
                new = log.read().rpartition(b"\n")[0]
            self._read += len(new)
            self.takes += new.count(b"take ")
        return self.takes

    def trouble(self) -> None:
        """Do something to an owner: rob it while it is stopped, or kill it."""
        time.sleep(self._random.uniform(0, 0.03))
        owners = [(lock, pid) for lock in self.state.glob("journal-*.lock") if (pid := self._owner(lock))]
        if not owners:
            return
        lock, pid = self._random.choice(owners)
        if self._random.random() < 0.1:
            self.counts["killed"] += 1
            self._rivals[pid].kill()
            self._ended(pid)
            self.start()
            return
        os.kill(pid, signal.SIGSTOP)
        self.counts["stopped"] += 1
        if self._owner(lock) == pid:
            self.counts["robbed"] += 1
            lock.unlink(missing_ok=True)
        self._until_taken()
        os.kill(pid, signal.SIGCONT)

    def _until_taken(self) -> None:
        taken, end = self.look(), time.monotonic() + 0.3
        while self.look() < taken + 2 and time.monotonic() < end:
            time.sleep(0.005)

    def _owner(self, lock: Path) -> int:
        try:
            held = re.match(r"process (\d+) on", lock.read_text())
        except OSError:
            return 0
        pid = int(held[1]) if held else 0
        return pid if pid in self._rivals else 0

    def _ended(self, pid: int) -> int:
        process = self._rivals.pop(pid)
        _, said = process.communicate(timeout=60)
        assert said == b"", said.decode()
        return process.returncode

    def close(self) -> list[int]:
        """Let all come to their end; returns their exit codes."""
        self.stop.touch()
        return [self._ended(pid) for pid in list(self._rivals)]


def stored(state: Path) -> tuple[dict[str, list[Stored]], list[str]]:
    """Return the events of each run without its first, and what is wrong with them."""
    with closing(Catalog(StateDir(state))) as catalog:
        wrong = [finding.message for run in RUNS for finding in verify(catalog, run)]
        return {run: list(RunReader(catalog, run).events(1, 1_000_000)) for run in RUNS}, wrong


def test_nothing_that_a_stale_owner_writes_is_stored_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    arena = Arena(tmp_path)
    asyncio.run(found(arena.state))
    for _ in range(PROCESSES):
        arena.start()
    while arena.look() < TAKEOVERS:
        arena.trouble()
    assert set(arena.close()) == {0}
    kept, wrong = stored(arena.state)
    epochs = {run: [event.body["value"] for event in events] for run, events in kept.items()}
    stale = sum(later < earlier for run in RUNS for earlier, later in pairwise(epochs[run]))
    there = Counter((run, event.name, event.body["value"]) for run in RUNS for event in kept[run])
    acknowledged = Counter((run, name, int(epoch)) for run, epoch, name in arena.lines("done"))
    tally(
        "lease takeovers",
        SEED,
        processes=PROCESSES,
        rounds=sum(arena.counts.values()),
        takeovers=len(arena.lines("take")),
        **{name: arena.counts[name] for name in ("stopped", "robbed", "killed")},
        refused=len(arena.lines("refused")),
        acknowledged=acknowledged.total(),
        stored=there.total(),
        lost=(acknowledged - there).total(),
        repeated=there.total() - len(there),
        stale_stored=stale,
        damaged=len(wrong),
    )
    assert (acknowledged - there, there.total() - len(there), stale, wrong) == (Counter(), 0, 0, [])
    assert len(arena.lines("refused")) >= TAKEOVERS // 30

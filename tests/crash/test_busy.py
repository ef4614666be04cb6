"""Another program takes the lock for writing a journal, at moments that chance chooses, some for too long.

`MAESTRI_BUSY_LOCKS` and `MAESTRI_BUSY_SEED` make it longer, and different.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from tests.crash.desk import GOOD, Desk, outcome

from tally import tally

LOCKS = int(os.environ.get("MAESTRI_BUSY_LOCKS", "20"))
SEED = int(os.environ.get("MAESTRI_BUSY_SEED", "1"))
TOO_LONG_S = 2.6  # a writer waits two seconds for its turn

pytestmark = pytest.mark.slow


class Intruder:
    """Holds the lock for writing again and again; the lengths of time are those of a seed."""

    def __init__(self, file: Path, random: Random) -> None:
        self._file = file
        self._random = random
        self._over = threading.Event()
        self.counts: Counter[str] = Counter()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Be in the way as long as the block lasts."""
        self._over.clear()
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _work(self) -> None:
        while not self._over.wait(self._random.uniform(0, 0.06)):
            is_long = self._random.random() < 0.05
            with closing(sqlite3.connect(self._file, isolation_level=None, timeout=5)) as db:
                db.execute("begin immediate")
                self._over.wait(TOO_LONG_S if is_long else self._random.uniform(0.01, 0.2))
                db.execute("rollback")
            self.counts += Counter(locks=1, too_long=is_long)


def test_a_journal_that_somebody_else_locks_for_writing_loses_nothing(tmp_path: Path) -> None:
    desk, random = Desk(tmp_path / "desk"), Random(SEED)
    desk.clear()
    desk.do("run", "flow.yaml")  # up to its question
    template, counts = desk.keep(tmp_path / "template"), Counter[str]()
    intruder = Intruder(desk.state / "journal-0001.db", random)
    while intruder.counts["locks"] < LOCKS:
        desk.clear(template)
        with intruder.at_work():
            desk.do("answer", "@last", "/go", "yes")
            ended = desk.do("resume", "@last")
        counts += Counter(runs=1) + outcome(desk, ended)
    found = {name: counts[name] for name in ("lost", "repeated", "damaged", "stuck", "hangs", "traceback")}
    went_on, told = counts["went on"], counts["told"]
    known = counts["acknowledged"]
    tally("busy", SEED, rounds=counts["runs"], **intruder.counts, went_on=went_on, told=told,
          acknowledged=known, **found)  # fmt: skip
    assert {name for name in counts if name not in {*GOOD, "runs"}} == set()

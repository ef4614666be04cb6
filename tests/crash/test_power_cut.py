"""Power cuts, simulated: every write and sync of a process is recorded, and the disk is put together again as
it may look when the power fails at any moment. What was acknowledged must be there, and nothing damaged.

`MAESTRI_POWER_STATES` and `MAESTRI_POWER_SEED` make it longer, and different.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from tests.crash.power import LUCKS, Disk
from tests.crash.tape import Operation, operations, record

from maestri.engines.sqlite import mailbox
from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from tally import tally

STATES = int(os.environ.get("MAESTRI_POWER_STATES", "1500"))
SEED = int(os.environ.get("MAESTRI_POWER_SEED", "1"))
COUNTED = ("states", "acknowledged", "losing", "lost", "repeated", "damaged")
WRITER = Path(__file__).with_name("writer.py")

pytestmark = pytest.mark.slow


def recorded(folder: Path, durability: str) -> list[Operation]:
    """Return what a writer does to its state directory."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed, which records the writes")
    state, acknowledged, tape = folder / "state", folder / "acknowledged", folder / "tape"
    state.mkdir(mode=0o700)
    (state / "reserve").touch(mode=0o600)  # 16 MB of nothing would only make it slow
    try:
        record([sys.executable, str(WRITER), str(state), str(acknowledged), durability], tape)
    except subprocess.CalledProcessError as error:
        if "ptrace" in error.stderr:
            pytest.skip(f"processes cannot be traced here: {error.stderr.strip()[:200]}")
        raise
    return operations(tape, state, acknowledged)


async def recovered(place: Path) -> tuple[Counter[str], list[str]]:
    """Take every run over, which recovers the journals; return what they hold, and what is damaged."""
    state = StateDir(place)
    engine = SqliteEngine(state)
    found: Counter[str] = Counter()
    wrong = []
    try:
        for run in engine.runs():
            found.update(f"mail {run.id} {message.id}" for message in mailbox.messages(state, run.id))
            journal = await engine.lease(run.id)
            found.update(f"{run.id} {event.name}" for event in await journal.settled("/"))
            found.update({f"{run.id} " for _ in await journal.settled("")})
            wrong += [finding.message for finding in engine.verify(run.id)]
            await journal.close()
        wrong += [finding.message for finding in engine.damage()]
    finally:
        await engine.close()
    return found, wrong


def survivors(place: Path) -> tuple[Counter[str], list[str]]:
    """Return what is left in a state directory in the words of the acknowledgements, and what is damaged."""
    found, wrong = asyncio.run(recovered(place))
    for kept in place.glob("artifacts/??/*"):
        found[f"artifact {kept.name}"] += 1
        wrong += [] if sha256(kept.read_bytes()).hexdigest() == kept.name else [f"artifact {kept.name}"]
    for file in place.glob("journal-*.db"):
        with closing(sqlite3.connect(file)) as db:
            wrong += [text for (text,) in db.execute("pragma quick_check") if text != "ok"]
    return found, wrong


def cut_power(tape: list[Operation], folder: Path, random: Random, states: int) -> Counter[str]:
    """Cut the power at so many moments; returns how many states had lost something, how much, and damage."""
    counts: Counter[str] = Counter()
    moments = Counter(random.randrange(1, len(tape) + 1) for _ in range(states))
    disk, acknowledged = Disk(), set[str]()
    for moment, operation in enumerate(tape, start=1):
        disk.take(operation)
        if operation.kind == "acknowledged":
            acknowledged.add(operation.data.decode().rstrip("\n"))
        for number in range(moments[moment]):
            place = folder / f"state-{moment}-{number}"
            disk.write_to(place, random.choice(LUCKS), random)
            (place / "reserve").touch()
            found, wrong = survivors(place)
            lost = acknowledged - set(found)
            repeated = found.total() - len(found)
            counts += Counter(states=1, losing=bool(lost), lost=len(lost), damaged=bool(wrong))
            counts += Counter(acknowledged=len(acknowledged), repeated=repeated)
            if wrong:  # said where the assertion fails
                counts[f"operation {moment}, {operation.kind} {operation.name}: {wrong}"] += 1
            shutil.rmtree(place)
    return counts


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Path]:
    """Give a place for the disks: in memory where there is one, since nothing on them has to last."""
    memory = Path("/dev/shm")
    place = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else tmp_path)
    yield Path(place)
    shutil.rmtree(place)


def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path: Path, disks: Path) -> None:
    tape = recorded(tmp_path, "power-safe")
    counts = cut_power(tape, disks, Random(SEED), STATES)
    syncs = sum(operation.kind == "sync" for operation in tape)
    found = {name: counts[name] for name in COUNTED}
    tally("power cut, power-safe", SEED, operations=len(tape), syncs=syncs, rounds=STATES, **found)
    none = dict.fromkeys(("losing", "lost", "repeated", "damaged"), 0)
    assert {**found, **none} == found, counts
    assert found["states"] == STATES


def test_the_same_cuts_do_take_something_where_less_is_promised(tmp_path: Path, disks: Path) -> None:
    tape = recorded(tmp_path, "kill-safe")
    states = max(100, STATES // 10)
    counts = cut_power(tape, disks, Random(SEED), states)
    syncs = sum(operation.kind == "sync" for operation in tape)
    found = {f"unsafe_{name}": counts[name] for name in COUNTED}
    tally("power cut, kill-safe", SEED, operations=len(tape), syncs=syncs, rounds=states, **found)
    assert counts["damaged"] == 0
    assert counts["losing"] > states // 10

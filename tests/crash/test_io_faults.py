"""Each call to a file of the state directory fails once, or is the last one: nothing is lost, all is said.

`maestri` runs a workflow up to a question, is told the answer, goes on to its end, and takes up a run that
was killed. In each of these scenes every write, sync, read, truncation, opening, renaming and removal is
struck once with each error that it can have, and once with a kill. `MAESTRI_IO_FAULTS` sets how many strikes
there are (as many as there are: all of them), and `MAESTRI_IO_SEED` the number of the first in an order that
chance has drawn once.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from tests.crash.desk import GOOD, Desk, outcome
from tests.crash.strike import Strike, in_turn, strikes

from tally import tally

STRIKES = int(os.environ.get("MAESTRI_IO_FAULTS", "30"))
SEED = int(os.environ.get("MAESTRI_IO_SEED", "1"))
SCENES = {
    "run": ("run", "flow.yaml"),
    "answer": ("answer", "@last", "/go", "yes"),
    "resume": ("resume", "@last"),
    "recover": ("resume", "@last"),
}

pytestmark = pytest.mark.slow


def scenes(desk: Desk, place: Path) -> dict[tuple[str, ...], list[Strike]]:
    """Play each scene once without a fault; returns all strikes, and leaves what each begins with."""
    sites: dict[tuple[str, ...], list[Strike]] = {}
    for scene, words in SCENES.items():
        if scene == "run":
            desk.clear()
        elif scene == "recover":
            desk.clear()
            killed = Strike(scene, "fdatasync", str(desk.state / "journal-0001.db-wal"), 6, "signal=SIGKILL")
            assert desk.do(*SCENES["run"], struck=killed).struck
        if scene != "run":
            desk.keep(place / scene)
        sites |= strikes(scene, desk.recorded(*words))
    return sites


def test_every_call_to_a_file_may_fail_or_be_the_last(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed, which makes calls fail")
    desk = Desk(tmp_path / "desk")
    sites = scenes(desk, tmp_path)
    everything = in_turn(sites)
    count = min(STRIKES, len(everything))
    counts: Counter[str] = Counter()
    for number in range(SEED - 1, SEED - 1 + count):
        strike = everything[number % len(everything)]
        desk.clear(None if strike.scene == "run" else tmp_path / strike.scene)
        ended = desk.do(*SCENES[strike.scene], struck=strike)
        found = outcome(desk, ended)
        counts += found
        if bad := +Counter({name: found[name] for name in found if name not in GOOD}):
            counts[f"{strike.text()}: {dict(bad)}\n{ended.said}{desk.said}"] += 1
    tally(
        "I/O faults",
        SEED,
        calls=len({strike[:4] for strike in everything}),
        sites=len(sites),
        rounds=count,
        **{name.replace(" ", "_"): counts[name] for name in GOOD},
        **{name: counts[name] for name in ("lost", "repeated", "damaged", "stuck", "hangs", "traceback")},
    )
    broken = [name for name in counts if name not in GOOD]
    assert not broken, "\n".join(broken)
    assert counts["faults"] >= count * 0.9  # a few calls come in another order each time

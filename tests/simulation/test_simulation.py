"""Ten thousand runs, each killed and recovered as its seed says: no promise of the kernel is broken.

`MAESTRI_SIM_RUNS` sets another number of runs, `MAESTRI_SIM_SEED` where they begin. A failing seed names the
command that replays it.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from maestri.testing import simulate
from maestri.testing.simulation import check_simulation, main
from tally import tally

RUNS = int(os.environ.get("MAESTRI_SIM_RUNS", "10000"))
SEED = int(os.environ.get("MAESTRI_SIM_SEED", "1"))  # the second one begins ten thousand seeds later
FIRST = (SEED - 1) * 10_000
CHUNK = 500


@pytest.mark.parametrize("begin", range(FIRST, FIRST + RUNS, CHUNK))
def test_every_run_keeps_every_promise(begin: int) -> None:
    seeds = range(begin, min(begin + CHUNK, FIRST + RUNS))
    crashes = check_simulation(seeds)
    tally("simulation", SEED, runs=len(seeds), crashes=crashes, violations=0)
    assert crashes >= len(seeds)  # more than one a run: what was not killed shows little


def test_a_seed_is_the_same_simulation_in_every_process() -> None:
    code = "from maestri.testing import simulate; print(simulate(4, traced=True).trace)"
    traces = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(traces) == 1
    assert "run.succeeded" in traces.pop()


def test_two_seeds_of_one_workflow_are_two_simulations() -> None:
    first, second = (simulate(seed, traced=True).trace.splitlines() for seed in (8, 9))
    assert first[0] == second[0]
    assert first != second


def test_a_replayed_seed_shows_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "4"]) == 0
    said = capsys.readouterr().out
    assert "is killed" in said
    assert said.endswith("seed 4: no violation\n")


def test_a_range_of_seeds_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "0", "8"]) == 0
    assert capsys.readouterr().out == "8 simulations, 0 broke a promise\n"

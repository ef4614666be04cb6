"""The benchmarks run, in tiny, and say what they measured; how fast it was is no matter of a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import journals
import measure
import pytest
import results
from figures import Figure, Target, spread
from peers import Peer
from prepared import BenchmarkFailed
from programs import ended
from workloads import WORKLOADS

from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.path import RUN
from maestri.kernel.state import fold
from sources import ROOT

PROGRAM = str(ROOT / "benchmarks" / "measure.py")
TWO_TO_ONE = Figure("chain", "chain of n steps", 10, "s", (0.2, 0.4, 0.3), (0.15, 0.1, 0.2))


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PROGRAM, *words], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_quick_run_measures_every_workload_on_each_of_its_sides() -> None:
    done = bench("--quick", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert {figure["workload"] for figure in figures} == {workload.name for workload in WORKLOADS}
    assert len(figures) == sum(len(workload.shown) for workload in WORKLOADS)
    assert all(len(figure["maestri"]) == 1 for figure in figures)
    compared = {figure["workload"] for figure in figures if len(figure["floor"]) == 1}
    assert compared == {workload.name for workload in WORKLOADS if "floor" in workload.sides}


@pytest.mark.slow
def test_the_table_has_a_line_for_each_figure() -> None:
    done = bench("--quick", "chain")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:4] for line in done.stdout.splitlines()[3:]] == [["chain", "of", "n", "steps"]] * 2


def test_an_unknown_workload_is_refused() -> None:
    done = bench("chian")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such workload: chian; there are: chain, fan" in done.stderr


def test_the_ratio_is_that_of_the_medians() -> None:
    assert TWO_TO_ONE.ratio == pytest.approx(2.0)
    assert Figure("fold", "fold", 1, "s", (1.0,), (0.0,)).ratio is None


@pytest.mark.parametrize(
    ("samples", "unit", "shown"),
    [
        ((0.2, 0.4, 0.3), "s", "300 ms (200-400)"),
        ((1.5,), "s", "1.5 s"),
        ((393216.0,), "bytes", "393 kB"),
    ],
)
def test_samples_are_shown_with_their_range(samples: tuple[float, ...], unit: str, shown: str) -> None:
    assert spread(samples, unit) == shown


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (None, ""),
        (Target(2.5), "reached: at most 2.5x"),
        (Target(1.9), "missed: at most 1.9x"),
        (Target(0.25, "own"), "missed: at most 250 ms"),
        (Target(0.02, "over"), "reached: at most 20 ms over"),
    ],
)
def test_a_figure_says_whether_it_reaches_its_target(target: Target | None, verdict: str) -> None:
    figure = TWO_TO_ONE._replace(target=target)
    assert figure.line().endswith(verdict)
    assert figure.is_missed == verdict.startswith("missed")


def test_other_programs_stand_below_with_their_ratio_to_the_floor() -> None:
    lines = TWO_TO_ONE._replace(peers={"other": (0.6,)}).line().splitlines()
    assert lines[1].split() == ["other", "10", "600", "ms", "150", "ms", "(100-200)", "4.00"]


def test_a_program_that_is_not_installed_is_named_with_what_to_do(tmp_path: Path) -> None:
    assert "`pip install dbos` there" in Peer("dbos", sys.executable).missing()
    assert "cannot be started" in Peer("dbos", str(tmp_path / "python")).missing()


def test_what_a_large_journal_is_built_of_is_what_a_kernel_could_have_written() -> None:
    made = journals.Making(0.0)
    events = [made(ev.RUN_STARTED, RUN, "", {"workflow": "w"})]
    events += [*journals.branches(made, 60_000), *journals.rounds(made, 3), *journals.steps(made, 2)]
    state = fold([Stored(*event[:5], json.loads(event.body), n) for n, event in enumerate(events, 1)])
    assert state.steps["/fan/b50000"].state == "failed"
    assert state.steps["/fan/b60001"].state == state.steps["/loop/round#4/step"].state == "running"
    assert state.steps["/loop/round"].state == state.steps["/step#2"].state == "succeeded"


def test_results_are_kept_in_one_small_file_for_a_commit_and_machine(tmp_path: Path) -> None:
    found = results.document([TWO_TO_ONE], 3)
    first, second = results.keep(found, tmp_path), results.keep(found, tmp_path)
    assert first == second
    assert json.loads(first.read_text(encoding="utf-8")) == found


def test_a_measured_process_that_fails_stops_the_measurement(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkFailed, match="ended with 3"):
        ended([sys.executable, "-c", "raise SystemExit(3)"], tmp_path)


def test_the_side_that_begins_changes_with_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def take(side: str, _n: int, _folder: Path) -> dict[str, float]:
        order.append(side)
        return {"s": 1.0}

    workload = WORKLOADS[0]._replace(take=take)
    list(measure.measure(workload, 2, is_quick=True))
    assert order == ["floor", "maestri", "maestri", "floor"]

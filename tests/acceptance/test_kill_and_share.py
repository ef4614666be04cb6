"""Real processes: killed at any moment, interrupted, two at once on one state directory, two after one run.

Each step appends a line to a file outside the journal, so that what really ran can be compared with what is
on record. `MAESTRI_KILL_ROUNDS` and `MAESTRI_KILL_SEED` make the first test longer, and different.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.ports import RunInfo
from maestri.kernel.state import ENDED, fold
from maestri.project import Project

ROUNDS = int(os.environ.get("MAESTRI_KILL_ROUNDS", "12"))
SEED = int(os.environ.get("MAESTRI_KILL_SEED", "1"))
STEP = """run: 'echo "$MAESTRI_RUN$MAESTRI_PATH" >>steps.log; sleep 0.05; echo done'"""
LONG = f"""
workflow: long
steps:
  first: {{{STEP}}}
  crowd:
    parallel:
      branches:
        a: {{{STEP}}}
        b: {{{STEP}}}
        c: {{steps: {{one: {{{STEP}}}, two: {{{STEP}}}}}}}
  items:
    each:
      items: [x, y, z, u, v, w]
      max_concurrent: 3
      steps: {{item: {{{STEP}}}}}
  rounds:
    loop: {{while: "${{round <= 4}}", steps: {{turn: {{{STEP}}}}}}}
  last: {{{STEP}}}
"""
# Goes on only when there is a file `go`.
GATED = f"""
workflow: gated
steps:
  first: {{{STEP}}}
  gate: {{run: 'while [ ! -e go ]; do sleep 0.02; done'}}
  last: {{{STEP}}}
"""


def until(holds: Callable[[], object], limit_s: float = 30.0) -> None:
    """Wait until something holds; the limit is for a test that fails."""
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


class Desk:
    """A folder with workflows, a state directory, and the processes that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marker = f"TMPDIR={folder}"  # steps are given this variable too
        self._started: list[subprocess.Popen[str]] = []
        (folder / "long.yaml").write_text(LONG, encoding="utf-8")
        (folder / "gated.yaml").write_text(GATED, encoding="utf-8")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start `maestri` with these words, in a process group of its own."""
        environment = {**os.environ, "MAESTRI_STATE": str(self.folder / "state"), "TMPDIR": str(self.folder)}
        begun = subprocess.Popen(
            [sys.executable, "-m", "maestri", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(begun)
        return begun

    def ended(self, *words: str) -> tuple[int, str]:
        """Run `maestri` to its end; returns the exit code and all that it said."""
        return ended(self.begin(*words))

    def runs(self) -> list[RunInfo]:
        """Return the runs, oldest first."""
        project = Project(state=str(self.folder / "state"), cwd=str(self.folder))
        return project.runs() if (self.folder / "state").exists() else []

    def events(self, run: RunInfo) -> list[Stored]:
        """Return all events of a run."""
        project = Project(state=str(self.folder / "state"), cwd=str(self.folder))
        reader = project.reader(run)
        try:
            return list(reader.events(limit=100_000))
        finally:
            reader.close()

    def finished(self) -> set[str]:
        """Return the steps of all runs that are done, as far as that is on record."""
        done = [(run.id, event) for run in self.runs() for event in self.events(run)]
        return {f"{run}{event.path}" for run, event in done if event.kind == ev.SUCCEEDED}

    def log(self) -> Counter[str]:
        """Return how often each step really began."""
        file = self.folder / "steps.log"
        return Counter(file.read_text(encoding="utf-8").splitlines() if file.exists() else [])

    def left(self) -> list[int]:
        """Return the processes that were started here and still run."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                environment = (place / "environ").read_bytes()
            except OSError:  # it has ended meanwhile, or is not ours
                continue
            if self.marker.encode() in environment.split(b"\0"):
                found.append(int(place.name))
        return found

    def close(self) -> None:
        """Leave no process behind, also when a test has failed."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process; returns the exit code and all that it said."""
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def name_of(process: subprocess.Popen[str]) -> str:
    """Return the name of the run that a process has just announced."""
    assert process.stdout is not None
    return process.stdout.readline().split()[1]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


def killed(desk: Desk, process: subprocess.Popen[str], after_s: float = 0.0) -> None:
    """Kill a process and its group after a while, unless it has ended; nothing of it is left then."""
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    until(lambda: not desk.left())


def interrupted(desk: Desk, workflow: str = "long.yaml") -> RunInfo:
    """Start a run, kill it after its first step, and return it."""
    before = sum(desk.log().values())
    process = desk.begin("run", workflow)
    until(lambda: sum(desk.log().values()) > before)
    killed(desk, process)
    return desk.runs()[-1]


def test_a_run_that_is_killed_at_any_moment_goes_on_and_repeats_nothing_that_was_finished(desk: Desk) -> None:
    random = Random(SEED)
    for number in range(ROUNDS):
        runs = desk.runs()
        is_open = bool(runs) and runs[-1].end is None
        process = desk.begin(*(("resume", "@last") if is_open else ("run", "long.yaml")))
        done, log = desk.finished(), desk.log()
        killed(desk, process, random.uniform(0.1, 1.0))
        repeated = [step for step in done if desk.log()[step] != log[step]]
        assert repeated == [], f"round {number} of seed {SEED}"
    done, log = desk.finished(), desk.log()
    code, said = (
        desk.ended("resume", "@last") if desk.runs()[-1].end is None else desk.ended("run", "long.yaml")
    )
    assert code == 0, said
    assert {run.end for run in desk.runs()} == {ev.RUN_SUCCEEDED}
    assert [step for step in done if desk.log()[step] != log[step]] == []
    assert desk.left() == []


def test_runs_a_cancel_and_a_resume_share_a_state_directory_at_once(desk: Desk) -> None:
    third = interrupted(desk)
    first, second = desk.begin("run", "gated.yaml"), desk.begin("run", "long.yaml")
    first_name = name_of(first)
    at_once = [desk.begin("cancel", first_name), desk.begin("resume", third.name)]
    outcomes = [ended(process) for process in (first, second, *at_once)]
    assert [code for code, _ in outcomes] == [130, 0, 0, 0], outcomes
    ends = {run.name: run.end for run in desk.runs()}
    assert ends.pop(first_name) == ev.RUN_CANCELLED
    assert set(ends.values()) == {ev.RUN_SUCCEEDED}
    assert desk.left() == []


def test_of_two_processes_that_resume_one_run_one_wins_and_the_other_says_why(desk: Desk) -> None:
    run = interrupted(desk, "gated.yaml")
    both = [desk.begin("resume", run.name) for _ in range(2)]
    until(lambda: any(process.poll() is not None for process in both))
    (desk.folder / "go").touch()
    outcomes = sorted(ended(process) for process in both)
    assert [code for code, _ in outcomes] == [0, 1], outcomes
    assert f"run {run.name} is being executed by" in outcomes[1][1]
    assert desk.runs()[-1].end == ev.RUN_SUCCEEDED


def test_ctrl_c_records_everything_and_a_resume_goes_on(desk: Desk) -> None:
    process = desk.begin("run", "gated.yaml")
    until(lambda: desk.runs() and len(desk.finished()) == 1)
    os.killpg(process.pid, signal.SIGINT)
    code, said = ended(process)
    assert (code, desk.left()) == (130, []), said
    (run,) = desk.runs()
    steps = fold(desk.events(run)).steps
    assert run.end == ev.RUN_CANCELLED
    assert {path: step.state for path, step in steps.items() if step.state not in ENDED} == {}
    (desk.folder / "go").touch()
    code, said = desk.ended("resume", "@last")
    assert (code, max(desk.log().values())) == (0, 1), said

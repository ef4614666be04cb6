"""Two at once, an owner that was away, and a definition that was changed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.conftest import Desk, Done

Finish = Callable[[subprocess.Popen[str]], "Done"]

STEPS = """\
  before: {run: echo once >>log}
  gate: {run: 'touch begun; while [ ! -e go ]; do sleep 0.05; done'}
  after: {run: echo after >>log}
"""


def interrupted(desk: Desk) -> None:
    """Leave a run whose process was killed at its second step."""
    desk.write(STEPS)
    process = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    desk.until(lambda: desk.left() == [])
    (desk.folder / "begun").unlink()


def test_a_state_directory_in_use_takes_more_runs_in_files_of_their_own(desk: Desk, finish: Finish) -> None:
    desk.write(STEPS)
    desk.write("  x: {run: echo x}\n", "other.yaml")
    first = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    assert desk.maestri("run", "other.yaml").code == 0
    (desk.folder / "go").touch()
    assert finish(first).code == 0
    assert len(list(desk.state.glob("journal-*.db"))) == 2
    assert desk.sound()


def test_of_two_that_resume_one_run_one_wins_and_the_other_says_who_has_it(
    desk: Desk, finish: Finish
) -> None:
    interrupted(desk)
    both = [desk.begin("resume", "@last") for _ in range(2)]
    desk.until(lambda: any(process.poll() is not None for process in both))
    (desk.folder / "go").touch()
    loser, winner = sorted((finish(process) for process in both), key=lambda done: -done.code)
    assert (winner.code, loser.code) == (0, 1)
    assert "process" in loser.diagnosed("E503")
    assert (desk.folder / "log").read_text() == "once\nafter\n"
    assert desk.sound()


def test_a_run_that_is_being_executed_is_not_resumed_beside(desk: Desk, finish: Finish) -> None:
    desk.write(STEPS)
    first = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    second = desk.maestri("resume", "@last")
    assert (second.code, f"process {first.pid}" in second.diagnosed("E503")) == (1, True)
    (desk.folder / "go").touch()
    assert finish(first).code == 0


def test_a_stopped_owner_keeps_its_run_and_goes_on_when_it_wakes(desk: Desk, finish: Finish) -> None:
    desk.write(STEPS)
    first = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    first.send_signal(signal.SIGSTOP)
    desk.maestri("resume", "@last").diagnosed("E503")
    (desk.folder / "go").touch()
    first.send_signal(signal.SIGCONT)
    assert (finish(first).code, desk.sound()) == (0, True)


def test_a_stale_owner_that_wakes_up_stores_nothing_and_says_why(desk: Desk, finish: Finish) -> None:
    desk.write(STEPS)
    stale = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    stale.send_signal(signal.SIGSTOP)
    for lock in (*desk.state.glob("*.lock"), *desk.state.glob("runs/*/lock")):
        lock.unlink()  # as a clean-up of strangers would; a lock of the system cannot be lost otherwise
    (desk.folder / "go").touch()
    assert desk.maestri("resume", "@last").code == 0
    before = desk.events()
    stale.send_signal(signal.SIGCONT)
    done = finish(stale)
    assert (done.code, "resume" in done.diagnosed("E504")) == (1, True), done.said
    assert (desk.events(), desk.sound()) == (before, True)
    desk.until(lambda: desk.left() == [])


def test_a_definition_that_was_changed_is_refused_with_the_step_and_the_ways_on(desk: Desk) -> None:
    interrupted(desk)
    desk.write(STEPS.replace("echo after", "echo something else"))
    done = desk.maestri("resume", "@last")
    message = done.diagnosed("R403")
    assert (done.code, "/after" in message, "flow.yaml" in message) == (1, True, True), message
    assert "--recorded" in message
    assert "run.resumed" not in desk.kinds()
    (desk.folder / "go").touch()
    assert desk.maestri("resume", "@last", "--recorded").code == 0
    assert (desk.folder / "log").read_text() == "once\nafter\n"


def test_a_definition_that_is_gone_is_refused_and_the_recorded_one_works(desk: Desk) -> None:
    interrupted(desk)
    (desk.folder / "flow.yaml").unlink()
    done = desk.maestri("resume", "@last")
    assert (done.code, "Traceback" in done.said, "flow.yaml" in done.said) == (1, False, True), done.said
    (desk.folder / "go").touch()
    assert desk.maestri("resume", "@last", "--recorded").code == 0

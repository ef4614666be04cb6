"""Being interrupted: once, twice, by the system, by a terminal that goes away. Nothing finished is lost."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.conftest import Desk, Done

Finish = Callable[[subprocess.Popen[str]], "Done"]

# The step goes on only where there is a file `go`, so that a resumed run can come to its end.
STEPS = """\
  before: {run: echo once >>log}
  nap: {run: 'touch begun; while [ ! -e go ]; do sleep 0.05; done'}
"""


def completes(desk: Desk) -> bool:
    """Resume a run that was interrupted; tell whether it succeeds without repeating what was finished."""
    (desk.folder / "go").touch()
    done = desk.maestri("resume", "@last")
    assert (done.code, "Traceback" in done.said) == (0, False), done.said
    return (desk.folder / "log").read_text() == "once\n" and desk.sound() and desk.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_cancels_on_the_record(desk: Desk, number: signal.Signals, finish: Finish) -> None:
    desk.write(STEPS)
    process = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    process.send_signal(number)
    done = finish(process)
    assert (done.code, "go on with: maestri resume" in done.said) == (130, True), done.said
    assert "Traceback" not in done.said
    assert {"step.cancelled /nap", "run.cancelled"} <= set(desk.kinds())
    assert desk.left() == []
    assert completes(desk)


def test_ctrl_c_for_the_whole_group_is_the_same(desk: Desk, finish: Finish) -> None:
    desk.write(STEPS)
    process = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    os.killpg(process.pid, signal.SIGINT)
    assert finish(process).code == 130
    assert desk.kinds()[-1] == "run.cancelled"
    assert completes(desk)


def test_a_second_signal_ends_everything_at_once(desk: Desk, finish: Finish) -> None:
    desk.write(STEPS.replace("touch begun", "trap : TERM INT; touch begun"))
    process = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    while "cancelling" not in process.stdout.readline():
        continue
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert (done.code, "Traceback" in done.said) == (130, False), done.said
    assert "stopped at once; go on with: maestri resume" in done.said
    assert "run.cancelled" not in desk.kinds()
    desk.until(lambda: desk.left() == [])
    assert completes(desk)


def test_a_signal_before_the_run_began_leaves_nothing_half_done(desk: Desk, finish: Finish) -> None:
    desk.write(STEPS)
    for delay_s in (0.0, 0.05, 0.1, 0.15, 0.2, 0.25):
        process = desk.begin("run", "flow.yaml")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(delay_s)
        process.send_signal(signal.SIGTERM)
        done = finish(process)
        assert done.code in {130, -signal.SIGTERM}
        assert "Traceback" not in done.said
        assert desk.left() == []
    assert not desk.state.exists() or desk.sound()


Begin = Callable[[bool], tuple[int, subprocess.Popen[bytes]]]


@pytest.fixture
def on_terminal(desk: Desk) -> Iterator[Begin]:
    """Begin runs that are shown on a terminal; it can be the one whose end is told to the whole session."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(is_controlling: bool) -> tuple[int, subprocess.Popen[bytes]]:
        desk.write(STEPS)
        ours, theirs = pty.openpty()
        variables = {"TERM": "xterm", "MAESTRI_STATE": str(desk.state), "MARK": str(desk.folder)}
        session = ["setsid", "--ctty"] if is_controlling else ["setsid"]
        process = subprocess.Popen(
            [*session, sys.executable, "-m", "maestri", "run", "flow.yaml"],
            cwd=desk.folder,
            env={"PATH": os.environ["PATH"], **variables},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        begun.append(process)
        return ours, process

    yield begin
    for process in begun:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_terminal_that_only_shows_may_go_away(desk: Desk, on_terminal: Begin) -> None:
    ours, process = on_terminal(False)
    desk.until_there("begun")
    os.close(ours)  # whoever writes to it gets an error from now on
    (desk.folder / "go").touch()
    assert process.wait(60) == 0
    assert desk.kinds()[-1] == "run.succeeded"
    assert (desk.sound(), desk.left()) == (True, [])


def test_the_end_of_the_terminal_of_a_session_cancels_in_order(desk: Desk, on_terminal: Begin) -> None:
    ours, process = on_terminal(True)
    desk.until_there("begun")
    os.close(ours)  # the system sends SIGHUP for it
    assert process.wait(60) == 130
    assert {"step.cancelled /nap", "run.cancelled"} <= set(desk.kinds())
    assert completes(desk)


def test_ctrl_c_typed_at_a_terminal_cancels_in_order(desk: Desk, on_terminal: Begin) -> None:
    ours, process = on_terminal(True)
    desk.until_there("begun")
    os.write(ours, b"\x03")
    with contextlib.suppress(OSError):  # the answer to a read when the other end is closed
        while os.read(ours, 65536):
            continue
    os.close(ours)
    assert process.wait(60) == 130
    assert completes(desk)

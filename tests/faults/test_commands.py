"""What a command may do wrong: each ends with a diagnostic or an output, and the journal stays whole."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.conftest import Desk, Done

GIGABYTE = 1 << 30

# what is done -> the steps, the code of the message, words of it
FAILURES = {
    "prints no JSON": ("{run: echo hello, output: json}", "S104", "not JSON"),
    "is not there": ("{run: no-such-command-here}", "S105", "no-such-command-here"),
    "is not there, as a list": ("{run: [no-such-command-here, x]}", "S105", "no-such-command-here"),
    "ends by a signal": ("{run: 'kill -SEGV $$'}", "S102", "SIGSEGV"),
    "hangs": ("{run: sleep 1000, timeout: 200ms}", "S103", "longer than 0.2 s"),
    "hangs and is deaf": (
        "{run: \"trap '' TERM; sleep 1000; sleep 1000\", timeout: 200ms}",
        "S103",
        "longer",
    ),
    "is silent": ("{run: sleep 1000, idle_timeout: 200ms}", "S103", "no output for 0.2 s"),
    "has no directory": ("{run: pwd, cwd: missing}", "S108", "missing"),
}


@pytest.mark.parametrize("fault", FAILURES)
def test_a_command_that(desk: Desk, fault: str) -> None:
    step, code, words = FAILURES[fault]
    desk.write(f"  before: {{run: echo kept}}\n  bad: {step}\n")
    done = desk.maestri("run", "flow.yaml")
    message = done.diagnosed(code)
    assert (done.code, "/bad, attempt 1" in message, words in message) == (1, True, True), message
    assert {"step.succeeded /before", "step.failed /bad", "run.failed"} <= set(desk.kinds())
    assert (desk.sound(), desk.left()) == (True, [])


@pytest.mark.parametrize("fault", FAILURES)
def test_the_run_goes_on_when_it_is_mended_after_a_command_that(desk: Desk, fault: str) -> None:
    step, _, _ = FAILURES[fault]
    desk.write(f"  before: {{run: echo once >>log}}\n  bad: {step}\n")
    assert desk.maestri("run", "flow.yaml").code == 1
    assert desk.maestri("accept", "@last", "/bad", "--output", '"mended"').code == 0
    assert desk.kinds()[-1] == "run.succeeded"
    assert (desk.folder / "log").read_text() == "once\n"


def peak_kb(process: subprocess.Popen[str]) -> int:
    """Return the most memory that a process has had at a time, looked at until its end."""
    peak = 0
    while process.poll() is None:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.02)
    return peak


@pytest.mark.slow
def test_a_gigabyte_of_output_is_kept_whole_and_costs_little_memory(
    desk: Desk, finish: Callable[[subprocess.Popen[str]], Done]
) -> None:
    desk.write("  much: {run: 'head -c 1G /dev/zero | tr \"\\\\0\" x'}\n  after: {run: echo after}\n")
    process = desk.begin("run", "flow.yaml")
    peak = peak_kb(process)
    assert finish(process).code == 0
    assert peak < 120_000
    (kept,) = (desk.state / "artifacts").glob("??/*")
    (log,) = [file for file in (desk.state / "runs").glob("*/logs/*") if file.stat().st_size == GIGABYTE]
    assert kept.stat().st_size == log.stat().st_size == GIGABYTE
    assert desk.sound()


def test_a_line_of_ten_megabytes_is_kept_whole(desk: Desk) -> None:
    desk.write("  line: {run: 'head -c 10485760 /dev/zero | tr \"\\\\0\" x; echo'}\n")
    done = desk.maestri("run", "flow.yaml")
    (kept,) = (desk.state / "artifacts").glob("??/*")
    assert (done.code, kept.stat().st_size) == (0, 10_485_761)
    assert len(desk.events()[2]["output"]) < 200_000


def test_json_of_ten_megabytes_is_refused_with_its_size(desk: Desk) -> None:
    desk.write("  line: {run: 'echo [; head -c 10485760 /dev/zero | tr \"\\\\0\" 1; echo ]', output: json}\n")
    done = desk.maestri("run", "flow.yaml")
    assert (done.code, "/line, attempt 1" in done.diagnosed("S104")) == (1, True)
    assert desk.kinds()[-1] == "run.failed"


def test_bytes_that_are_no_text_are_replaced_and_stand_in_the_log_as_they_were(desk: Desk) -> None:
    desk.write("  bytes: {run: \"printf 'a\\\\377\\\\200b'\"}\n")
    done = desk.maestri("run", "flow.yaml")
    (log,) = (desk.state / "runs").glob("*/logs/*")
    assert (done.code, desk.events()[2]["output"]) == (0, "a\ufffd\ufffdb")
    assert log.read_bytes() == b"a\xff\x80b"


def test_a_child_that_keeps_the_pipe_open_holds_nobody_up(desk: Desk) -> None:
    desk.write("  parent: {run: 'sleep 1000 & echo done'}\n  after: {run: echo after}\n")
    done = desk.maestri("run", "flow.yaml")
    assert (done.code, desk.events()[2]["output"]) == (0, "done")
    assert desk.left() == []


def test_a_working_directory_that_is_gone_is_said_before_anything_runs(desk: Desk) -> None:
    gone = desk.folder / "gone"
    gone.mkdir()
    desk.write("  a: {run: echo a}\n")
    script = f"cd {gone} && rmdir {gone} && exec python -m maestri run {desk.folder}/flow.yaml"
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    command = ["/bin/sh", "-c", script]
    done = subprocess.run(
        command,
        env={**environment, "MAESTRI_STATE": str(desk.state)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "error[C001]: the working directory does not exist any more\n  fix:" in done.stderr
    assert list(desk.state.glob("journal-*")) == []


def test_a_run_whose_working_directory_is_gone_says_so_at_the_step(desk: Desk) -> None:
    place = desk.folder / "place"
    place.mkdir()
    desk.write("  a: {run: rm -r ../place}\n  b: {run: echo b}\n", "place/flow.yaml")
    command = [sys.executable, "-m", "maestri", "--state", str(desk.state), "run", "flow.yaml"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "/b, attempt 1: error[S108]" in done.stdout

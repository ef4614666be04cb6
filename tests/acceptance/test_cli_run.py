"""`maestri` as a user starts it: run, fail, resume, decide, interrupt, detach."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

GOOD = """
workflow: good
inputs: {who: {type: text, default: you}}
steps:
  both:
    parallel:
      branches:
        a: {run: "printf 'a\\\\033[31m'"}
        b: {run: echo b}
  greet: {run: 'echo "hello $WHO"', env: {WHO: "${inputs.who}"}}
output: ${greet}
"""
BAD = "workflow: bad\nsteps:\n  one: {run: echo one}\n  two: {run: 'echo words; test -e fixed'}\n"
SLOW = "workflow: slow\nsteps:\n  nap: {run: 'touch begun; exec sleep 60'}\n"
ASKING = "workflow: asking\nsteps:\n  go: {ask: Land this?, options: ['yes', 'no']}\noutput: ${go}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for name, text in (("good", GOOD), ("bad", BAD), ("slow", SLOW), ("asking", ASKING)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def environment(desk: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "MAESTRI_STATE": str(desk / "state"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def maestri(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "maestri", *words]
    return subprocess.run(
        command,
        cwd=desk,
        env=environment(desk),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_run_says_its_name_first_and_its_output_last(desk: Path) -> None:
    done = maestri(desk, "run", "good.yaml", "-i", "who=me")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith("run ")
    assert lines[-2:] == ["output:", "hello me"]
    assert "\x1b" not in done.stdout


def test_json_is_one_document_and_nothing_else(desk: Path) -> None:
    done = maestri(desk, "run", "good.yaml", "--json")
    document = json.loads(done.stdout)
    assert (document["status"], document["output"], done.stderr) == ("succeeded", "hello you", "")
    assert {"run", "name", "failure", "handled", "waiting", "started", "ended"} <= document.keys()


def test_a_wrong_definition_or_input_ends_with_2(desk: Path) -> None:
    (desk / "wrong.yaml").write_text("workflow: w\nsteps:\n  a: {rnu: echo}\n", encoding="utf-8")
    wrong = maestri(desk, "run", "wrong.yaml", "--json")
    assert (wrong.returncode, json.loads(wrong.stdout)["status"]) == (2, "error")
    assert maestri(desk, "run", "good.yaml", "-i", "whom=me").returncode == 2
    assert maestri(desk, "run", "nothing.yaml").returncode == 2


def test_a_failed_run_goes_on_where_it_failed(desk: Path) -> None:
    failed = maestri(desk, "run", "bad.yaml")
    assert failed.returncode == 1
    assert "/two, attempt 1: error[S101]" in failed.stdout
    assert maestri(desk, "logs", "@last", "/two").stdout == "words\n"
    (desk / "fixed").touch()
    resumed = maestri(desk, "resume", "@last")
    assert resumed.returncode == 0
    assert "/one" not in resumed.stdout
    assert "1 step run, 1 from the journal" in resumed.stdout


def test_a_failed_step_can_be_decided_by_hand(desk: Path) -> None:
    maestri(desk, "run", "bad.yaml")
    assert maestri(desk, "accept", "@last", "/nope").returncode == 2
    held = maestri(desk, "accept", "@last", "/two", "--output", '"by hand"', "--hold", "--json")
    assert json.loads(held.stdout)["status"] == "recorded"
    assert maestri(desk, "resume", "@last").returncode == 0
    step = json.loads(maestri(desk, "show", "@last", "/two", "--json").stdout)
    assert (step["state"], step["output"]) == ("succeeded", "by hand")


def test_a_run_that_waits_for_a_person_ends_with_3_and_says_how_to_answer(desk: Path) -> None:
    asked = maestri(desk, "run", "asking.yaml")
    name = asked.stdout.splitlines()[0].removeprefix("run ")
    assert asked.returncode == 3
    assert f"maestri answer {name} /go VALUE" in asked.stdout
    assert maestri(desk, "answer", name, "/go", "perhaps").returncode == 2
    assert maestri(desk, "answer", name, "/go", "yes").returncode == 0
    assert maestri(desk, "resume", name).stdout.splitlines()[-1] == "yes"


def begun(desk: Path) -> subprocess.Popen[str]:
    """Start a run and return when its command is at work."""
    command = [sys.executable, "-m", "maestri", "run", "slow.yaml"]
    process = subprocess.Popen(command, cwd=desk, env=environment(desk), stdout=subprocess.PIPE, text=True)
    while not (desk / "begun").exists():
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_cancels_in_order_and_on_the_record(desk: Path, number: signal.Signals) -> None:
    process = begun(desk)
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "go on with: maestri resume" in out
    assert json.loads(maestri(desk, "ps", "--json").stdout)[0]["status"] == "cancelled"


def test_a_second_interrupt_leaves_an_interrupted_run(desk: Path) -> None:
    stubborn = SLOW.replace("touch", "trap : INT TERM; touch").replace("exec sleep 60", "sleep 60; sleep 60")
    (desk / "slow.yaml").write_text(stubborn, encoding="utf-8")
    process = begun(desk)
    process.send_signal(signal.SIGINT)
    while process.stdout is not None and "cancelling" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(maestri(desk, "ps", "--json").stdout)[0]["status"] == "interrupted"


def test_a_detached_run_goes_on_alone_and_can_be_followed(desk: Path) -> None:
    started = maestri(desk, "run", "good.yaml", "--detach")
    name = started.stdout.removeprefix("run ").strip()
    followed = maestri(desk, "events", name, "--follow", "--jsonl")
    assert (started.returncode, followed.returncode) == (0, 0)
    assert json.loads(followed.stdout.splitlines()[-1])["kind"] == "run.succeeded"
    (log,) = (desk / "state" / "runs").glob("*/output.log")
    assert "hello you" in log.read_text(encoding="utf-8")


def test_a_detached_run_that_cannot_begin_tells_its_caller(desk: Path) -> None:
    done = maestri(desk, "run", "nothing.yaml", "--detach")
    assert done.returncode == 2
    assert "nothing.yaml" in done.stderr


def test_a_reader_that_goes_away_is_met_with_silence(desk: Path) -> None:
    maestri(desk, "run", "good.yaml")
    command = f"{sys.executable} -m maestri events @last | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=desk, env=environment(desk), capture_output=True, text=True, check=True
    )
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")

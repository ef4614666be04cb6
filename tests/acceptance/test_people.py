"""What waits for people, as they meet it: the inbox, answers, signals, time limits, workflows by name."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ASKS = """workflow: release
steps:
  all:
    parallel:
      branches:
        size: {ask: How many replicas?, schema: {type: integer, minimum: 1}}
        color: {ask: Which one?, options: [blue, green]}
        sign: {wait: {signal: signed}}
"""
LISTENS = """workflow: listens
steps:
  it: {on: {max_events: 1, handlers: {deploy: {run: echo deployed}}}}
output: ${it}
"""
HURRIES = """workflow: hurries
steps:
  first: {ask: Which one?, options: [blue, green], timeout: 1m}
  late: {ask: Still there?, timeout: 300ms, on_timeout: {default: gone}}
output: ["${first}", "${late}"]
"""
GREET = "description: Greets.\ninputs: {who: text}\nsteps: {s: {run: [echo, hello, '${inputs.who}']}}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for name, text in (("release", ASKS), ("listens", LISTENS), ("hurries", HURRIES)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows/greet.yaml").write_text(GREET, encoding="utf-8")
    return tmp_path


def environment(desk: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "MAESTRI_STATE": str(desk / "state"), "LC_ALL": "C.UTF-8", "TERM": "xterm"}


def maestri(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "maestri", *words],
        cwd=desk,
        env=environment(desk),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def inbox(desk: Path) -> dict[str, Any]:
    return {item["path"]: item for item in json.loads(maestri(desk, "inbox", "--json").stdout)}


def test_the_inbox_lists_what_waits_with_the_command_that_ends_it(desk: Path) -> None:
    assert maestri(desk, "run", "release.yaml").returncode == 3
    found = inbox(desk)
    name = found["/all/size"]["name"]
    assert [found[path]["kind"] for path in ("/all/size", "/all/color", "/all/sign")] == [
        "question",
        "question",
        "signal",
    ]
    assert found["/all/sign"]["command"] == f"maestri signal {name} signed --data JSON"
    said = maestri(desk, "inbox").stdout
    assert f"maestri answer {name} /all/color VALUE" in said
    assert "one of: blue|green" in said
    assert maestri(desk, "inbox", "--all").stdout.count(str(desk)) == 3


def test_an_answer_must_fit_and_arrives_as_the_value_that_the_schema_wants(desk: Path) -> None:
    maestri(desk, "run", "release.yaml")
    wrong = maestri(desk, "answer", "@last", "/all/size", "many")
    assert (wrong.returncode, "C022" in wrong.stderr, '"minimum": 1' in wrong.stderr) == (2, True, True)
    assert maestri(desk, "answer", "@last", "/all/size", "3").returncode == 0
    assert maestri(desk, "answer", "@last", "/all/color", "blue").returncode == 0
    assert maestri(desk, "signal", "@last", "signed", "--data", "true").returncode == 0
    done = json.loads(maestri(desk, "resume", "@last", "--json").stdout)
    assert done["output"] == {"size": 3, "color": "blue", "sign": True}
    assert maestri(desk, "inbox").stdout.startswith("nothing waits for you")


def test_an_event_that_nobody_handles_is_shown_and_one_that_is_expected_ends_it(desk: Path) -> None:
    assert maestri(desk, "run", "listens.yaml").returncode == 3
    maestri(desk, "signal", "@last", "depoly", "--data", '{"to": "test"}')
    assert maestri(desk, "resume", "@last").returncode == 3
    shown = maestri(desk, "show", "@last").stdout
    assert '/it nobody handled the event `depoly`: {"to":"test"}' in shown
    maestri(desk, "signal", "@last", "deploy")
    output = json.loads(maestri(desk, "resume", "@last", "--json").stdout)["output"]
    assert output == {"count": 1, "unhandled": 1, "results": [{"event": "deploy", "output": "deployed"}]}


def test_what_has_a_time_limit_is_asked_at_the_terminal_too(desk: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "maestri", "run", "hurries.yaml"]
    with subprocess.Popen(
        command,
        cwd=desk,
        env=environment(desk),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as run:
        os.close(theirs)
        said, is_answered = b"", False
        try:
            while chunk := os.read(ours, 1 << 16):
                said += chunk
                if not is_answered and said.endswith(b"> "):
                    is_answered = os.write(ours, b"2\n") > 0
        except OSError:  # the other end is closed
            os.close(ours)
    assert run.returncode == 0
    assert said.replace(b"\r", b"").endswith(b'[\n  "green",\n  "gone"\n]\n')


def test_workflows_that_can_be_called_by_name_are_listed_and_called(desk: Path) -> None:
    (desk / "main.yaml").write_text("steps: {a: {workflow: greet, inputs: {who: Ada}}}\n", encoding="utf-8")
    assert maestri(desk, "workflows").stdout.startswith(
        "greet(who: text) -> text  workflows/greet.yaml\n  Greets."
    )
    (listed,) = json.loads(maestri(desk, "workflows", "--json").stdout)
    assert (listed["inputs"]["who"]["type"], listed["output"], listed["problems"]) == ("text", "text", 0)
    assert "hello Ada" in maestri(desk, "run", "main.yaml").stdout

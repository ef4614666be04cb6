"""`maestri` in the hands of somebody who prints, leaves, fills disks and flips bits."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NOISY = """
import os, subprocess, sys
import maestri

print("at import")
os.write(1, b"raw at import\\n")

def loud() -> int:
    print("from python")
    print("an error", file=sys.stderr)
    subprocess.run(["echo", "from a child"], check=True)
    return 2

@maestri.workflow
async def flow(ctx: maestri.Context, how: str = "") -> int:
    print("from the body", end="")
    if how == "exit":
        sys.exit(0)
    return await ctx.step("s", loud)
"""
CALLS = 'workflow: calls\nsteps:\n  s: {call: "noisy:loud"}\n'
TWIN = "workflow: twin\nsteps:\n  a: {run: echo a}\n  b: {run: test -e go}\n"
TWIN_PY = """
import maestri

@maestri.workflow
async def twin(ctx: maestri.Context) -> str:
    await ctx.run("a", "echo a")
    return await ctx.run("b", "test -e go")
"""
SLOW = "workflow: slow\nsteps:\n  first: {run: 'touch begun; exec sleep 60'}\n  later: {run: echo later}\n"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    files = {"noisy.py": NOISY, "calls.yaml": CALLS, "twin.yaml": TWIN, "twin.py": TWIN_PY, "slow.yaml": SLOW}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def environment(desk: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return {**kept, "MAESTRI_STATE": str(desk / "state"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def maestri(desk: Path, *words: str | bytes, **settings: Any) -> subprocess.CompletedProcess[str]:
    given = {"cwd": desk, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **settings}
    return subprocess.run(
        [sys.executable, "-m", "maestri", *words],
        env=environment(desk),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
        **given,
    )


# --- who prints ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("run", "calls.yaml", "--json"),
        ("run", "noisy.py", "--json"),
        ("check", "--format", "json", "noisy.py"),
    ],
)
def test_with_json_there_is_one_document_whoever_prints(desk: Path, words: tuple[str, ...]) -> None:
    done = maestri(desk, *words)
    assert json.loads(done.stdout)["status"] in {"succeeded", "ok"}
    assert "raw at import" in done.stderr
    assert ("from a child" in done.stderr) == (words[0] == "run")


def on_a_terminal(desk: Path, *words: str) -> str:
    """Run a command with a terminal of 24 lines and return all that it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    kept = {**environment(desk), "TERM": "xterm"}
    command = [sys.executable, "-m", "maestri", *words]
    with subprocess.Popen(
        command, cwd=desk, env=kept, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ):
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 1 << 16):
                said += chunk
        except OSError:  # the other end is closed
            os.close(ours)
    return said.decode().replace("\r\n", "\n")


def test_on_a_terminal_what_functions_print_stands_above_the_tree_in_whole_lines(desk: Path) -> None:
    said = on_a_terminal(desk, "run", "noisy.py")
    shown = re.sub(r"\r(\x1b\[\d+A)?\x1b\[J|\x1b\[\?25[lh]", "\n", said)
    lines = {re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line) for line in shown.split("\n")}
    assert {"from the bodyfrom python", "an error", "from a child"} <= lines
    assert said.endswith("output:\n2\n")


# --- who leaves ----------------------------------------------------------------------------------


def test_a_workflow_that_exits_has_failed(desk: Path) -> None:
    done = maestri(desk, "run", "noisy.py", "-i", "how=exit", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["status"], document["failure"]["code"]) == (1, "failed", "S100")
    assert document["failure"]["message"] == "SystemExit: 0"


def test_a_file_that_exits_when_it_is_imported_cannot_be_imported(desk: Path) -> None:
    (desk / "gone.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    done = maestri(desk, "run", "gone.py")
    assert (done.returncode, "L130" in done.stderr) == (2, True)


def python(desk: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", text]
    return subprocess.run(
        command, cwd=desk, env=environment(desk), capture_output=True, text=True, check=False, timeout=60
    )


def test_a_stream_can_be_left_early_without_a_word(desk: Path) -> None:
    leave = "async for event in maestri.stream('slow.yaml'):\n        print(event.kind_name)\n        break"
    done = python(desk, f"import asyncio, maestri\nasync def main():\n    {leave}\nasyncio.run(main())")
    assert (done.returncode, done.stdout, done.stderr) == (0, "run.started\n", "")
    assert json.loads(maestri(desk, "ps", "--json").stdout)[0]["status"] == "cancelled"


def test_an_error_that_nobody_catches_says_how_to_mend_it(desk: Path) -> None:
    done = python(desk, "import asyncio, maestri\nasyncio.run(maestri.run(lambda c: 1))")
    assert "UsageError: `<lambda>` is no `async def`" in done.stderr
    assert "fix: write `async def" in done.stderr


def test_where_the_folder_is_gone_what_needs_none_works(desk: Path) -> None:
    maestri(desk, "run", "calls.yaml")
    (name,) = maestri(desk, "ps", "--names").stdout.split()
    command = f"mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m maestri"
    for words, code in (("ps --all", 0), ("doctor", 0), (f"show {name}", 0), ("ps", 2)):
        done = subprocess.run(
            ["sh", "-c", f"{command} {words}"],
            cwd=desk,
            env=environment(desk),
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, words


def test_a_run_that_waits_names_itself_to_who_does_not_catch_it(desk: Path) -> None:
    (desk / "asking.yaml").write_text("workflow: w\nsteps: {go: {ask: Go?}}\n", encoding="utf-8")
    done = python(desk, "import asyncio, maestri\nasyncio.run(maestri.run('asking.yaml'))")
    (name,) = maestri(desk, "ps", "--names").stdout.split()
    assert f"RunError: the run {name} is waiting" in done.stderr
    assert f"fix: see `maestri show {name}`" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(desk: Path, closed: str) -> None:
    command = ["sh", "-c", f"exec {sys.executable} -m maestri run noisy.py --json {closed}"]
    assert subprocess.run(command, cwd=desk, env=environment(desk), check=False).returncode == 0
    assert maestri(desk, "doctor").returncode == 0
    assert json.loads(maestri(desk, "ps", "--json").stdout)[0]["status"] == "succeeded"


# --- who cancels ---------------------------------------------------------------------------------


def begun(desk: Path) -> str:
    """Start a run and return its name when its command is at work."""
    name = maestri(desk, "run", "slow.yaml", "--detach").stdout.split()[1]
    while not (desk / "begun").exists():
        time.sleep(0.01)
    return name


def test_a_cancel_checks_the_path_and_says_what_came_of_it(desk: Path) -> None:
    name = begun(desk)
    for path in ("/nope", "/later"):
        refused = maestri(desk, "cancel", name, path)
        assert (refused.returncode, "E509" in refused.stderr) == (2, True)
        assert "under way: /first" in refused.stderr
    done = maestri(desk, "cancel", name, "/first")
    assert (done.returncode, done.stdout) == (0, f"cancelled /first of run {name}\n")
    assert maestri(desk, "cancel", name).returncode == 1


def test_steps_of_an_interrupted_run_are_shown_as_interrupted(desk: Path) -> None:
    command = [sys.executable, "-m", "maestri", "run", "slow.yaml"]
    with subprocess.Popen(command, cwd=desk, env=environment(desk), stdout=subprocess.DEVNULL) as process:
        while not (desk / "begun").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    shown = maestri(desk, "show", "@last").stdout
    assert "! first  interrupted" in shown
    assert "running" not in shown


# --- who goes on ---------------------------------------------------------------------------------


def test_a_run_goes_on_with_the_other_form_of_its_workflow(desk: Path) -> None:
    failed = maestri(desk, "run", "twin.yaml")
    assert (failed.returncode, "it wrote nothing: start it by hand" in failed.stdout) == (1, True)
    (desk / "twin.yaml").unlink()
    (desk / "go").touch()
    gone = maestri(desk, "resume", "@last")
    assert (gone.returncode, "R403" in gone.stderr, "was deleted" in gone.stderr) == (1, True, True)
    done = maestri(desk, "resume", "@last", "--as", "twin.py")
    assert (done.returncode, "1 step run, 1 from the journal" in done.stdout) == (0, True)


def test_the_run_itself_is_no_step_to_decide_about(desk: Path) -> None:
    maestri(desk, "run", "twin.yaml")
    refused = maestri(desk, "accept", "@last", "/")
    assert (refused.returncode, "`/` is the run itself, not a step of it" in refused.stderr) == (2, True)


def test_a_run_that_takes_too_long_is_named_as_the_run(desk: Path) -> None:
    slow = SLOW.replace("workflow: slow", "workflow: slow\ntimeout: 300ms")
    (desk / "slow.yaml").write_text(slow, encoding="utf-8")
    assert "the run took longer than 0.3 s" in maestri(desk, "run", "slow.yaml").stdout


def test_a_definition_and_its_states_are_drawn_together(desk: Path) -> None:
    maestri(desk, "run", "twin.yaml")
    drawn = maestri(desk, "graph", "@last").stdout
    assert "a<br/>run · echo a · succeeded" in drawn
    assert "s1 --> s2" in drawn


# --- what is given -------------------------------------------------------------------------------


def test_inputs_come_from_standard_input_and_are_strict(desk: Path) -> None:
    text = "workflow: given\ninputs: {n: {type: any}}\nsteps: {a: {run: 'true'}}\noutput: ${inputs.n}\n"
    (desk / "given.yaml").write_text(text, encoding="utf-8")

    def given(inputs: str) -> tuple[int, str]:
        done = maestri(desk, "run", "given.yaml", "--input-file", "-", stdin=None, input=inputs)
        return done.returncode, done.stdout.splitlines()[-1] if done.stdout else done.stderr

    assert given('{"n": 5}') == (0, "5")
    assert given('{"n": 5, "n": 6}')[0] == 2
    assert given(f'{{"n": {2**63}}}')[0] == 2
    undecodable = maestri(desk, "run", "given.yaml", "-i", b"n=\xff")
    assert (undecodable.returncode, "C012" in undecodable.stderr) == (2, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_an_output_that_cannot_be_written_is_no_success_though_the_run_is(desk: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = maestri(desk, "run", "calls.yaml", stdout=full)
        looked = maestri(desk, "ps", stdout=full)
    assert (done.returncode, looked.returncode) == (1, 1)
    assert "E510" in done.stderr
    assert json.loads(maestri(desk, "ps", "--json").stdout)[0]["status"] == "succeeded"


def test_a_damaged_journal_is_named_by_all_and_new_runs_go_on_beside_it(desk: Path) -> None:
    maestri(desk, "run", "calls.yaml")
    (name,) = maestri(desk, "ps", "--names").stdout.split()
    file = desk / "state" / "journal-0001.db"
    content = bytearray(file.read_bytes())
    for at in range(4096, len(content), 4096):
        content[at : at + 8] = b"\xff" * 8
    file.write_bytes(content)
    listed, doctor = maestri(desk, "ps"), maestri(desk, "doctor")
    assert (listed.returncode, listed.stdout, str(file) in listed.stderr) == (1, "", True)
    assert (doctor.returncode, f"problem  journals      {file}" in doctor.stdout) == (1, True)
    for words in (("show", "@last"), ("show", name), ("resume", name)):
        refused = maestri(desk, *words)
        assert (refused.returncode, "E505" in refused.stderr, str(file) in refused.stderr) == (1, True, True)
    fresh = maestri(desk, "run", "calls.yaml")
    assert (fresh.returncode, "warning[E505]" in fresh.stderr) == (0, True)

"""Reports from inside of steps, as a user meets them: real processes, a kill, shells, logs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

BLOCKED = """workflow: blocked
steps:
  build:
    run: |
      maestri tell task-started "Task 1.1"
      echo begun >> began
      note=$(maestri tell blocked "no key" --wait)
      maestri tell task-completed "Task 1.1"
      echo "note: $note"
  after: {run: echo after}
"""


class Desk:
    """A folder with a state directory; kills what it has started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.env = {**kept, "MAESTRI_STATE": str(folder / "state"), "LC_ALL": "C.UTF-8"}
        self.begun: list[subprocess.Popen[str]] = []

    def flow(self, text: str) -> None:
        (self.folder / "flow.yaml").write_text(text, encoding="utf-8")

    def begin(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "maestri", *words]
        pipe = subprocess.PIPE
        begun = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        self.begun.append(begun)
        return begun

    def maestri(self, *words: str) -> tuple[int, str]:
        begun = self.begin(*words)
        said, told = begun.communicate(timeout=60)
        return begun.returncode, said + told

    def events(self) -> list[dict[str, Any]]:
        code, said = self.maestri("events", "@last", "--jsonl")
        return [json.loads(line) for line in said.splitlines()] if code == 0 else []

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events()]

    def until(self, holds: Callable[[], object]) -> None:
        for _ in range(150):
            if holds():
                return
            time.sleep(0.1)
        pytest.fail("it never came to that")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    for one in made.begun:
        if one.poll() is None:
            one.kill()
        one.communicate()


def test_a_reported_blocker_blocks_until_it_is_unblocked_and_the_step_reads_the_note(desk: Desk) -> None:
    desk.flow(BLOCKED)
    run = desk.begin("run", "flow.yaml")
    desk.until(lambda: "step.held" in desk.kinds())
    assert "blocked: /build" in desk.maestri("ps")[1]
    assert "maestri unblock" in desk.maestri("show", "@last")[1]
    workers = json.loads(desk.maestri("show", "@last", "--workers", "--json")[1])
    assert [worker["worker_state"] for worker in workers] == ["BLOCKED", "PENDING"]
    assert desk.maestri("unblock", "@last", "/build", "--note", "in the vault")[0] == 0
    assert run.wait(60) == 0
    assert "note: in the vault" in desk.maestri("logs", "@last", "/build")[1]


def test_a_blocker_outlives_a_kill_and_is_settled_once(desk: Desk) -> None:
    desk.flow(BLOCKED)
    run = desk.begin("run", "flow.yaml")
    desk.until(lambda: "step.held" in desk.kinds())
    run.send_signal(signal.SIGKILL)
    run.wait(60)
    code, said = desk.maestri("resume", "@last")
    assert (code, "/build is blocked: no key" in said) == (3, True), said
    assert desk.maestri("unblock", "@last", "--note", "in the vault")[0] == 0
    code, said = desk.maestri("resume", "@last")
    assert code == 0, said
    assert "note: in the vault" in desk.maestri("logs", "@last", "/build")[1]
    assert (desk.kinds().count("step.held"), (desk.folder / "began").read_text()) == (1, "begun\nbegun\n")


def test_a_step_that_ends_well_while_it_is_blocked_is_not_done_again(desk: Desk) -> None:
    desk.flow(
        'workflow: f\nsteps:\n  a: {run: "echo done >> done; maestri tell blocked licence; echo out"}\n'
    )
    code, said = desk.maestri("run", "flow.yaml")
    assert (code, "/a is blocked: licence" in said) == (3, True), said
    assert desk.maestri("unblock", "@last", "/a")[0] == 0
    code, said = desk.maestri("resume", "@last")
    assert (code, "out" in said, (desk.folder / "done").read_text()) == (0, True, "done\n")


def test_a_report_that_was_made_just_before_the_kill_is_taken_in_by_the_resume(desk: Desk) -> None:
    # A stopped process takes nothing in: what is reported meanwhile is only a file when it is killed.
    up = 'printf %s "$MAESTRI_MAILBOX" > up.new; mv up.new up'
    desk.flow(f"workflow: f\nsteps:\n  a: {{run: '{up}; while [ ! -e go ]; do sleep 0.05; done'}}\n")
    run = desk.begin("run", "flow.yaml")
    desk.until((desk.folder / "up").exists)
    run.send_signal(signal.SIGSTOP)
    place = Path((desk.folder / "up").read_text())
    place.mkdir()
    record = {"what": "checkpoint", "text": "the last words"}
    (place / "last.json").write_text(json.dumps(record))
    run.kill()
    run.wait(60)
    (desk.folder / "go").touch()
    assert desk.maestri("resume", "@last")[0] == 0
    assert [e["text"] for e in desk.events() if e["kind"] == "step.reported"] == ["the last words"]
    assert list((desk.folder / "state" / "runs").glob("*/inside/*")) == []


def test_a_step_reports_with_another_folder_home_and_path(desk: Desk) -> None:
    keep = 'env -i "MAESTRI_MAILBOX=$MAESTRI_MAILBOX"'
    desk.flow(f"""workflow: f
steps:
  a: {{run: 'cd / && {keep} HOME=/nowhere PATH=/nowhere "$MAESTRI_TELL" checkpoint "from afar"'}}
  b: {{run: '{keep} "$MAESTRI_TELL" nonsense', ok: [2]}}
""")
    code, said = desk.maestri("run", "flow.yaml")
    assert code == 0, said
    assert [e["text"] for e in desk.events() if e["kind"] == "step.reported"] == ["from afar"]
    assert "`nonsense` is not a value" in desk.maestri("logs", "@last", "/b")[1]


def test_a_sandboxed_step_reports_and_sees_no_mailbox_but_its_own(desk: Desk) -> None:
    tells = 'maestri tell checkpoint one && "$MAESTRI_TELL" checkpoint two && ls "$MAESTRI_MAILBOX/../.."'
    desk.flow(f"workflow: f\nsteps:\n  a: {{run: '{tells}', sandbox: code, output: lines}}\n")
    code, said = desk.maestri("run", "flow.yaml", "--json")
    if "X101" in said:
        pytest.skip("this machine has no sandbox")
    assert code == 0, said
    assert [e["text"] for e in desk.events() if e.get("what") == "checkpoint"] == ["one", "two"]
    assert json.loads(said)["output"] == ["inside"]


def test_tell_says_what_is_wrong_with_it(desk: Desk) -> None:
    said = [desk.maestri("tell", *words) for words in (["checkpoint", "x"], ["checkpoint"], ["wait", "x"])]
    assert [code for code, _ in said] == [2, 2, 2]
    assert ["C050" in said[0][1], "C022" in said[1][1], "C022" in said[2][1]] == [True] * 3


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_the_functions_of_the_seed_report_in_every_shell(desk: Desk, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    load = "maestri shell-init fish | source" if shell == "fish" else f'eval "$(maestri shell-init {shell})"'
    script = f"""{load}
czarina_log_task_start "Task 1.1: Extract Python standards"
czarina_log_checkpoint "python_standards_extracted"
maestri_log_task_complete "Task 1.1: Extract Python standards"
"""
    (desk.folder / "script").write_text(script)
    desk.flow(f"workflow: f\nsteps:\n  a: {{run: [{shell}, script]}}\n")
    code, said = desk.maestri("run", "flow.yaml")
    assert code == 0, said
    found = [e["what"] for e in desk.events() if e["kind"] == "step.reported"]
    assert found == ["task-started", "checkpoint", "task-completed"]
    path = f"{Path(sys.executable).parent}:{desk.env['PATH']}"
    outside = subprocess.run(
        [shell, "script"],
        cwd=desk.folder,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (outside.returncode, outside.stderr.count("nobody is told")) == (0, 3)


def test_worker_events_have_the_form_of_the_seed(desk: Desk) -> None:
    desk.flow(
        "workflow: f\nsteps:\n  foundation: {run: 'maestri tell checkpoint one --data \"{}\"; exit 3'}\n"
    )
    desk.maestri("run", "flow.yaml")
    found = [json.loads(line) for line in desk.maestri("events", "@last", "--worker-events")[1].splitlines()]
    assert [one["event_type"] for one in found] == ["worker.started", "worker.checkpoint", "worker.failed"]
    assert set(found[1]) == {"timestamp", "worker_id", "event_type", "data"}
    assert (found[1]["worker_id"], found[1]["data"]["checkpoint"]) == ("foundation", "one")


WRITERS = """workflow: writers
steps:
  all:
    each:
      items: [1, 2, 3, 4]
      max_concurrent: 4
      steps:
        w:
          run: 'for i in 1 2 3 4 5 6 7 8; do printf "%s-" A$N; echo B$i; echo err$i >&2; done; printf end'
          env: {N: "${item}"}
"""


def test_the_log_of_the_run_has_every_line_whole_with_time_path_and_stream(desk: Desk) -> None:
    desk.flow(WRITERS)
    assert desk.maestri("run", "flow.yaml")[0] == 0
    lines = [line.split(" ", 3) for line in desk.maestri("logs", "@last")[1].splitlines()]
    assert {stream for _, _, stream, _ in lines} == {"stdout", "stderr"}
    for n in range(1, 5):
        path = "/all/item/w" if n == 1 else f"/all/item#{n}/w"
        own = [text for _, place, stream, text in lines if (place, stream) == (path, "stdout")]
        assert own == [*(f"A{n}-B{i}" for i in range(1, 9)), "end"]
    place = desk.maestri("logs", "@last", "--where")[1].strip()
    assert len(Path(place).read_text().splitlines()) == len(lines)


def test_the_log_of_the_run_can_be_followed_while_it_goes(desk: Desk) -> None:
    desk.flow(
        "workflow: f\nsteps:\n  a: {run: 'echo one; while [ ! -e go ]; do sleep 0.05; done; echo two'}\n"
    )
    desk.begin("run", "flow.yaml")
    desk.until(lambda: "stdout one" in desk.maestri("logs", "@last")[1])
    following = desk.begin("logs", "@last", "--follow")
    (desk.folder / "go").touch()
    said, _ = following.communicate(timeout=60)
    assert [line.split(" ", 3)[3] for line in said.splitlines()] == ["one", "two"]


def states(desk: Desk) -> list[str]:
    code, said = desk.maestri("show", "@last", "--workers", "--json")
    return [worker["worker_state"] for worker in json.loads(said)] if code == 0 else []


def test_a_worker_whose_process_is_not_there_yet_is_starting(desk: Desk) -> None:
    # A guardian that is stopped starts nothing: what is handed to it meanwhile waits.
    hold = "touch up; while [ ! -e go ]; do sleep 0.05; done"
    desk.flow(f"workflow: f\nsteps:\n  a: {{run: '{hold}'}}\n  b: {{run: echo b}}\n  c: {{run: echo c}}\n")
    run = desk.begin("run", "flow.yaml")
    desk.until((desk.folder / "up").exists)
    assert states(desk) == ["ACTIVE", "PENDING", "PENDING"]
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    guardian = int(children[0])
    os.kill(guardian, signal.SIGSTOP)
    try:
        (desk.folder / "go").touch()
        desk.until(lambda: states(desk) == ["COMPLETE", "STARTING", "PENDING"])
    finally:
        os.kill(guardian, signal.SIGCONT)
    assert run.wait(60) == 0
    assert states(desk) == ["COMPLETE"] * 3

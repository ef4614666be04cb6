"""A landing that is stopped anywhere lands the same when it is resumed, or nothing; the target moves once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.landing.ground import Repository, landing

from maestri.testing.play import Stage

WORKS = "test ! -e p1 -o ! -e p2"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository in which one branch conflicts and two break together."""
    found = Repository(tmp_path / "repository", {"a": "one\n"})
    for name in ("api", "ui"):
        found.branch(name, {"a": f"{name}\n"})
    for name in ("p1", "p2"):
        found.branch(name, {name: "words\n"})
    found.git("branch", "release", "main")
    return found


def cut(stage: Stage, events: int) -> Stage:
    """Return the landing as a process finds it that resumes it after so many events."""
    found = stage.cut(events)
    found.clock = stage.clock
    return found


@pytest.mark.covers("resume")
def test_cut_off_at_any_append_it_comes_to_the_same(repository: Repository) -> None:
    old = repository.git("rev-parse", "release")
    stage, crew = landing(repository, ["api", "ui", "p1", "p2"], verify=WORKS, mode="squash")
    output = stage.play().output
    files = repository.git("ls-tree", "-r", "release")
    moved = max(at for at, event in enumerate(stage.events) if event.path == "/l/try/move")
    for events in range(2, moved + 1, 3):
        repository.git("update-ref", "refs/heads/release", old)
        before = len(crew.asked)
        ended = cut(stage, events).resume()
        assert (ended.output["landed"], ended.output["left_out"]) == (output["landed"], output["left_out"])
        assert repository.git("ls-tree", "-r", "release") == files
        assert len(crew.asked) - before <= len(stage.events) - events + 2
    assert repository.git("worktree", "list").count("\n") == 0


def test_stopped_between_the_move_and_its_record_it_takes_the_move_for_done(repository: Repository) -> None:
    stage, _ = landing(repository, ["api", "p1"])
    output = stage.play().output
    moved = next(at for at, event in enumerate(stage.events) if event.path == "/l/try/move")
    assert cut(stage, moved).resume().output == output
    assert repository.git("rev-parse", "release") == output["commit"]


def test_branches_that_move_after_a_crash_are_landed_as_they_were(repository: Repository) -> None:
    stage, _ = landing(repository, ["api", "p1"])
    output = stage.play().output
    repository.git("update-ref", "refs/heads/release", "main")
    repository.git("update-ref", "refs/heads/api", "p2")
    opened = next(at for at, event in enumerate(stage.events) if event.path == "/l/try/merge")
    assert cut(stage, opened).resume().output == output


KILL = """
import os, sys
sys.argv = ["maestri", *sys.argv[2:]]
from maestri.workspaces import running
runs, after, whole = [0], int(os.environ["KILL_AFTER"]), running.Runner._run
def counted(self, *words):
    runs[0] += 1
    if runs[0] == after:
        os.kill(os.getpid(), 9)
    return whole(self, *words)
running.Runner._run = counted
from maestri.cli.main import main
sys.exit(main())
"""


def maestri(
    repository: Repository, state: Path, *words: str, after: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command; it kills itself at its n-th call of git."""
    return subprocess.run(
        [sys.executable, "-c", KILL, "-", "--state", str(state), *words],
        cwd=repository.place,
        env={**os.environ, "KILL_AFTER": str(after)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_killed_at_calls_of_git_all_along_it_lands_whole_or_not_at_all(
    repository: Repository, tmp_path: Path
) -> None:
    old = repository.git("rev-parse", "release")
    words = ["land", "api", "ui", "p1", "p2", "--into", "release", "--verify", WORKS, "--fresh"]
    whole = maestri(repository, tmp_path / "whole", *words)
    assert whole.returncode == 1, whole.stderr
    files = repository.git("ls-tree", "-r", "release")
    kills = 0
    for after in range(3, 400, 23):
        repository.git("update-ref", "refs/heads/release", old)
        state = tmp_path / f"state{after}"
        killed = maestri(repository, state, *words, after=after)
        if killed.returncode != -signal.SIGKILL:
            break
        kills += 1
        at = repository.git("rev-parse", "release")
        assert at == old or repository.git("ls-tree", "-r", "release") == files
        resumed = maestri(repository, state, "resume", "@last")
        assert resumed.returncode == 0, resumed.stderr + resumed.stdout
        assert repository.git("ls-tree", "-r", "release") == files
    assert kills > 4
    assert repository.git("worktree", "list").count("\n") == 0


def test_a_cancelled_landing_leaves_no_process_and_no_worktree(
    repository: Repository, tmp_path: Path
) -> None:
    mark = tmp_path / "begun"
    words = ["land", "api", "--into", "release", "--verify", f"touch {mark}; exec sleep 1000"]
    command = [sys.executable, "-m", "maestri", "--state", str(tmp_path / "state"), *words]
    process = subprocess.Popen(
        command, cwd=repository.place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert repository.git("worktree", "list").count("\n") == 0
    assert repository.git("rev-parse", "release") == repository.git("rev-parse", "main")

"""Workspaces as a user sees them: a run that is killed and goes on, and what is listed and cleaned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.workspaces.repos import Repo

pytestmark = pytest.mark.slow

FLOW = """workflow: team
steps:
  build:
    parallel:
      branches:
        api:
          run: 'echo api >> src/a.py; touch "$AT"; while [ ! -e "$GO" ]; do sleep 0.02; done'
          env: {GO: "GO_FILE", AT: "AT_FILE"}
          workspace: worktree
          claims: [src/**]
        docs: {run: echo docs >> docs/x.md, workspace: worktree, claims: [docs]}
  look: {run: cat src/a.py docs/x.md, output: lines, workspace: worktree}
"""


class Desk:
    """A repository with a workflow beside it, and Maestri started in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repo = Repo(root / "shop")
        self.go, self.at = root / "go", root / "at"
        flow = FLOW.replace("GO_FILE", str(self.go)).replace("AT_FILE", str(self.at))
        (root / "flow.yaml").write_text(flow)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.Popen(
            [sys.executable, "-m", "maestri", *words],
            cwd=self.repo.path,
            env={**kept, "MAESTRI_STATE": str(self.root / "state"), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def maestri(self, *words: str) -> tuple[int, str]:
        begun = self.begin(*words)
        said, _ = begun.communicate(timeout=60)
        return begun.returncode, said

    def listed(self) -> dict[str, dict[str, str]]:
        code, said = self.maestri("workspaces", "list", "--json")
        assert code == 0, said
        return {one["path"]: one for one in json.loads(said)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_run_that_is_killed_while_steps_work_goes_on_in_their_worktrees(desk: Desk) -> None:
    begun = desk.begin("run", "../flow.yaml")
    until = time.monotonic() + 30
    while not desk.at.exists() and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(begun.pid, signal.SIGKILL)
    begun.communicate(timeout=30)
    before = desk.listed()["/build/api"]
    desk.go.touch()
    code, said = desk.maestri("resume", "@last", "--json")
    assert code == 0, said
    # The step was under way, so that it was done again, in the same worktree.
    assert json.loads(said)["output"] == ["a = 1", "api", "api", "x", "docs"]
    after = desk.listed()["/build/api"]
    assert (after["dir"], after["state"]) == (before["dir"], "done")
    assert desk.repo.git("status", "--porcelain") == ""


def test_workspaces_are_listed_shown_and_cleaned_when_they_have_landed(desk: Desk) -> None:
    desk.go.touch()
    assert desk.maestri("run", "../flow.yaml")[0] == 0
    api = desk.listed()["/build/api"]
    _, shown = desk.maestri("workspaces", "show", api["name"])
    assert "claims      src/**" in shown
    assert "changed     src/a.py" in shown
    code, said = desk.maestri("workspaces", "clean", api["name"])
    assert code == 1
    assert "has not landed: 1 changed file" in said
    desk.repo.git("merge", "--quiet", api["branch"])
    code, said = desk.maestri("workspaces", "clean", "--json")
    assert code == 0
    assert [one["name"].rpartition(".")[2] for one in json.loads(said)["kept"]] == ["docs"]
    assert desk.maestri("workspaces", "clean", "--discard", api["name"].partition("/")[0])[0] == 0
    assert desk.maestri("workspaces", "list")[1].startswith("there are no workspaces here")
    assert desk.repo.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


def test_a_name_that_nothing_has_is_refused(desk: Desk) -> None:
    code, said = desk.maestri("workspaces", "show", "nothing")
    assert code == 2
    assert "there is no workspace `nothing`" in said

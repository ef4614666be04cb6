"""Killed before every call of git: the same call, made again, comes to the same end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.workspaces.repos import Repo, worktrees

from maestri.kernel.ports import Workspace
from maestri.workspaces.running import Runner

RUN = "01M7WJC1MWRP9YCQS6T349YMYN"
_run = Runner._run


class Killed(BaseException):
    """The process ends here."""


def killed_at(monkeypatch: pytest.MonkeyPatch, place: int, act: Callable[[], object]) -> bool:
    """Do something, and stop before a call of git; tell whether it came so far."""
    calls = 0

    def run(self: Runner, *words: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > place:
            raise Killed
        return _run(self, *words)

    with monkeypatch.context() as patch:
        patch.setattr(Runner, "_run", run)
        try:
            act()
        except Killed:
            return True
    return False


class Scene:
    """A repository, a step whose result is built on, and a step that does so."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repo = Repo(root / "repo")
        before = worktrees(root).prepare(RUN, "/before", str(self.repo.path))
        Path(before.dir, "b.txt").write_text("b")
        self.base = worktrees(root).finish(before).commit

    def prepare(self) -> Workspace:
        return worktrees(self.root).prepare(RUN, "/step", str(self.repo.path), after=["/before"])

    def begin(self) -> Workspace:
        made = self.prepare()
        Path(made.dir, "a.txt").write_text("a")
        return made

    def finish(self, made: Workspace) -> str:
        return worktrees(self.root).finish(made).commit

    def holds(self, made: Workspace, commit: str) -> None:
        assert self.repo.git("rev-parse", made.branch, f"{commit}^").split() == [commit, self.base]
        assert self.repo.git("diff", "--name-only", f"{commit}^", commit) == "a.txt"


def test_a_worktree_that_was_not_made_to_the_end_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, was_killed = 0, True
    while was_killed:
        scene = Scene(tmp_path / str(place))
        was_killed = killed_at(monkeypatch, place, scene.prepare)
        made = scene.begin()
        scene.holds(made, scene.finish(made))
        place += 1
    assert place >= 4


def test_work_that_was_not_committed_to_the_end_is_committed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, was_killed = 0, True
    while was_killed:
        scene = Scene(tmp_path / str(place))
        made = scene.begin()
        was_killed = killed_at(monkeypatch, place, partial(scene.finish, made))
        scene.holds(made, scene.finish(made))
        place += 1
    assert place >= 6


def test_a_workspace_that_was_not_removed_to_the_end_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, was_killed = 0, True
    while was_killed:
        scene = Scene(tmp_path / str(place))
        made = scene.begin()
        scene.finish(made)
        remove = partial(worktrees(scene.root).remove, made, discard=True)
        was_killed = killed_at(monkeypatch, place, remove)
        remove()
        assert [held.workspace.path for held in worktrees(scene.root).held(RUN)] == ["/before"]
        assert "step" not in scene.repo.git("for-each-ref")
        place += 1
    assert place >= 4

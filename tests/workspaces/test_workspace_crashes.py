"""Killed before every call of git: the same call, made again, comes to the same end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.workspaces.repos import Repo, worktrees

from maestri.workspaces.running import Runner
from maestri.workspaces.worktrees import Worktrees

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


@pytest.mark.parametrize("verb", ["prepare", "finish", "remove"])
def test_a_call_that_was_killed_anywhere_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    place = 0
    while True:
        root = tmp_path / str(place)
        repo = Repo(root / "repo")
        places = worktrees(root)
        before = places.prepare(RUN, "/before", str(repo.path))
        Path(before.dir, "b.txt").write_text("b")
        base = places.finish(before).commit

        def prepare(places: Worktrees = places, repo: Repo = repo) -> Any:
            return places.prepare(RUN, "/step", str(repo.path), after=["/before"])

        made = None if verb == "prepare" else prepare()
        if made is not None:
            Path(made.dir, "a.txt").write_text("a")
        if verb == "remove":
            places.finish(made)
        acts: dict[str, Callable[[], object]] = {
            "prepare": prepare,
            "finish": lambda made=made, places=places: places.finish(made),
            "remove": lambda made=made, places=places: places.remove(made, discard=True),
        }
        was_killed = killed_at(monkeypatch, place, acts[verb])
        again = worktrees(root)
        if verb == "remove":
            again.remove(made, discard=True)
            assert [held.workspace.path for held in again.held(RUN)] == ["/before"]
            assert "step" not in repo.git("for-each-ref")
        else:
            made = again.prepare(RUN, "/step", str(repo.path), after=["/before"])
            Path(made.dir, "a.txt").write_text("a")
            commit = again.finish(made).commit
            assert repo.git("rev-parse", made.branch, f"{commit}^").split() == [commit, base]
            assert repo.git("ls-tree", "-r", "--name-only", commit).split()[:2] == ["a.txt", "b.txt"]
            assert repo.git("fsck", "--no-dangling", "--no-progress") == ""
        if not was_killed:
            break
        place += 1
    assert place >= 4

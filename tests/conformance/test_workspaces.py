"""The workspaces of the house, and some that break the promises, under the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.workspaces.repos import Repo, worktrees

from maestri.kernel.ports import Work
from maestri.testing import FakeWorkspaces, check_workspaces


def repository(folder: Path, files: Mapping[str, str]) -> None:
    Repo(folder, files)


def plain(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_worktrees_keep_the_promises(tmp_path: Path) -> None:
    check_workspaces(worktrees, repository, tmp_path)


def test_the_double_keeps_the_promises(tmp_path: Path) -> None:
    check_workspaces(FakeWorkspaces, plain, tmp_path)


class InPlace(FakeWorkspaces):
    def prepare(self, run: str, path: str, cwd: str, **given: Any) -> Any:
        return super().prepare(run, path, cwd, **given)._replace(dir=cwd)


class Lax(FakeWorkspaces):
    def finish(self, workspace: Any, **given: Any) -> Work:
        return super().finish(workspace, stray="accept")


class Careless(FakeWorkspaces):
    def remove(self, workspace: Any, **given: Any) -> None:
        super().remove(workspace, discard=True)


class Forgetful(FakeWorkspaces):
    def prepare(self, run: str, path: str, cwd: str, **given: Any) -> Any:
        return super().prepare(run, path, cwd, **{**given, "after": ()})


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (InPlace, "the directory stays as it was"),
        (Lax, "what is stray is kept aside"),
        (Careless, "work that has not landed is not removed"),
        (Forgetful, "a step sees what it builds on"),
    ],
)
def test_a_broken_promise_is_named(tmp_path: Path, broken: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_workspaces(broken, plain, tmp_path)

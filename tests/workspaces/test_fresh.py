"""A repository made from texts: git has no objection to it, and sees nothing that is not committed."""

import subprocess
from pathlib import Path

import pytest

from maestri.workspaces.fresh import fresh


def git(place: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(place), *words], check=True, capture_output=True, text=True
    ).stdout


def test_it_is_a_repository_with_one_commit_and_a_clean_checkout(tmp_path: Path) -> None:
    place = tmp_path / "new"
    made = fresh(place, {"a/b.txt": "b\n", ".gitignore": "c\n"}, "begin")
    assert git(place, "log", "--format=%H %s") == f"{made.head()} begin\n"
    assert git(place, "status", "--porcelain", "--branch") == "## main\n"
    assert git(place, "fsck", "--strict") == ""


def test_a_directory_that_is_there_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        fresh(tmp_path, {"a": "a"}, "begin")
    assert not list(tmp_path.iterdir())

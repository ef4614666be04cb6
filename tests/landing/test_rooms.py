"""Rooms: one worktree for many commits, each as if it were fresh."""

import subprocess
from pathlib import Path

import pytest
from tests.landing.ground import Repository

from maestri.landing.rooms import Rooms


def files(tree: Path) -> dict[str, str]:
    found = (path for path in tree.rglob("*") if path.is_file() and path.name != ".git")
    return {str(path.relative_to(tree)): path.read_text() for path in found}


@pytest.mark.parametrize(
    "spoil",
    [
        "echo x > a; echo x > new; mkdir -p new.d/deep; echo x > d/new",
        "rm -rf a d; mkdir a; echo x > a/inside",
        "rm -rf d; ln -s /etc d",
        "rm .git; mkdir .git; echo x > .git/HEAD",
        "echo gitdir: /elsewhere > .git",
        "git checkout -q -b mine; git commit -q --allow-empty -m mine",
        "chmod 0 a d; touch -d 2001-01-01 a 2> /dev/null; true",
        "rm -rf ./* .git",
    ],
)
def test_whatever_is_done_in_it_the_next_commit_finds_its_own_files(tmp_path: Path, spoil: str) -> None:
    repository = Repository(tmp_path / "repository", {"a": "one\n", "d/b": "b\n"})
    first = repository.git("rev-parse", "HEAD")
    second = repository.commit({"a": "two\n", "c": "c\n"})
    rooms = Rooms(lambda run: tmp_path / run, tmp_path / "locks")
    room = rooms.take("run", str(repository.place), first)
    who = {
        "GIT_AUTHOR_NAME": "x",
        "GIT_AUTHOR_EMAIL": "x",
        "GIT_COMMITTER_NAME": "x",
        "GIT_COMMITTER_EMAIL": "x",
    }
    subprocess.run(["sh", "-c", spoil], cwd=room.tree, check=True, env={"PATH": "/usr/bin:/bin", **who})
    rooms.give_back("run", room)
    room = rooms.take("run", str(repository.place), second)
    assert files(room.tree) == {"a": "two\n", "d/b": "b\n", "c": "c\n"}
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=room.tree, capture_output=True, text=True, check=True
    )
    status = subprocess.run(["git", "status", "--porcelain"], cwd=room.tree, capture_output=True, check=True)
    assert (head.stdout.strip(), status.stdout, repository.git("rev-parse", "main")) == (second, b"", second)
    rooms.close()
    assert repository.git("worktree", "list").count("\n") == 0


def test_what_a_killed_process_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository", {"a": "one\n"})
    at = repository.git("rev-parse", "HEAD")
    dead = Rooms(lambda run: tmp_path / run, tmp_path / "locks")
    left = dead.take("run", str(repository.place), at)
    (left.tree / "a").unlink()
    living = Rooms(lambda run: tmp_path / run, tmp_path / "locks")
    assert files(living.take("run", str(repository.place), at).tree) == {"a": "one\n"}
    assert repository.git("worktree", "list").count("\n") == 1
    living.close()
    assert repository.git("worktree", "list").count("\n") == 0

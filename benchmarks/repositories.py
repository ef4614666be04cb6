"""Repositories to make worktrees of, and how long `git worktree add` takes for one. Imports little."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from stopwatch import Sample, Stopwatch

TIMES: Final = 5  # worktrees of one repository, one after the other
_FILE_BYTES: Final = 2_000


def middle(samples: list[float]) -> float:
    """Return the median of samples without the first, which finds cold caches."""
    return sorted(samples[1:])[len(samples[1:]) // 2]


def floor(n: int, folder: Path) -> Sample:
    """Have git make them."""
    place = repository(n, folder)
    took_s = []
    for number in range(TIMES + 1):
        words = ("worktree", "add", "--quiet", "-b", f"step{number}", str(folder / f"tree{number}"), "HEAD")
        with Stopwatch() as watch:
            _git(place, *words)
        took_s.append(watch.sample()["s"])
    return {"s": middle(took_s)}


def repository(n: int, folder: Path) -> Path:
    """Make a repository with one commit of n files."""
    made = folder / "repository"
    for number in range(n):
        file = made / f"folder{number % 50}" / f"file{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number:_>79}\n" * (_FILE_BYTES // 80))
    _git(made, "init", "--quiet", "--initial-branch=main")
    _git(made, "add", "--all")
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    _git(made, *who, "commit", "--quiet", "--message=first")
    return made


def _git(place: Path, *words: str) -> None:
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    environment = {**os.environ, **alone}
    subprocess.run(["git", *words], cwd=place, check=True, capture_output=True, env=environment)

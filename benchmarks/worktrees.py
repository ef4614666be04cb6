"""How long it takes until a step has its worktree, looked at before and after."""

from __future__ import annotations

import os
from pathlib import Path

from repositories import TIMES, middle, repository
from stopwatch import Sample, Stopwatch

from maestri.engines.statedir import StateDir
from maestri.workspaces.worktrees import Worktrees


def ready(n: int, folder: Path) -> Sample:
    """Make worktrees of a repository of n files, each for a step of one run."""
    place = repository(n, folder)
    state = StateDir(folder / "state", os.environ)
    state.prepare()
    places = Worktrees(state.root / "runs", state.workspaces)
    took_s = []
    for number in range(TIMES + 1):
        with Stopwatch() as watch:
            places.prepare("01M7WJC1MWRP9YCQS6T349YMYN", f"/step{number}", str(place))
        took_s.append(watch.sample()["s"])
    return {"s": middle(took_s)}

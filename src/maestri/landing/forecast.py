"""The forecast: which branches will conflict with which, and where they meet in files and symbols.

Pairs are merged in memory, so a conflict that is foretold is one that git has seen. Only pairs that could
meet are merged: those that change a path of the same name, that put a file where the other has a folder, or
that add files to a folder from which the other takes some (git follows folders that were renamed).

Rule: the forecast decides nothing; branches are left out for what came of merging and verifying them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any, Final, TypeVar

from maestri.landing import symbols
from maestri.landing.symbols import FileChange
from maestri.workspaces.git import Git
from maestri.workspaces.reading import ABSENT_MODE, Change
from maestri.workspaces.verifying import shown

_LISTED: Final = 20
_MOST_PAIRS: Final = 20_000
T = TypeVar("T")
R = TypeVar("R")


def forecast(git: Git, onto: str, commits: Mapping[str, str], threads: int = 1) -> dict[str, Any]:
    """Return what is to be expected of branches that are to come together.

    Args:
        git: The repository.
        onto: The commit that they are to come together on.
        commits: Of each branch a commit to look at, in the order of the branches.
        threads: How many git processes may run at once.

    Returns:
        `{conflicts, overlaps, symbols, pairs}`: pairs of branches with the files that they conflict in, and
        those that both change without a conflict; where they meet in symbols; how many pairs were merged.
    """
    names = list(commits)
    changes = dict(
        zip(names, at_once(lambda name: git.diff_raw(onto, commits[name]), names, threads), strict=True)
    )
    pairs = candidates(changes)[:_MOST_PAIRS]
    merges = at_once(lambda pair: git.merge_tree(commits[pair[0]], commits[pair[1]]), pairs, threads)
    conflicts, overlaps = [], []
    for (one, other), merged in zip(pairs, merges, strict=True):
        if not merged.is_clean:
            conflicts.append(_pair(one, other, merged.paths))
        elif both := sorted(_paths(changes[one]) & _paths(changes[other])):
            overlaps.append(_pair(one, other, both))
    met = symbols.overlaps(_python(git, changes))
    return {
        "conflicts": conflicts,
        "overlaps": overlaps,
        "symbols": [{**one.as_json(), "is_break": one.is_break} for one in met],
        "pairs": len(pairs),
    }


def candidates(changes: Mapping[str, Sequence[Change]]) -> list[tuple[str, str]]:
    """Return the pairs of branches that could conflict, in order."""
    order = {branch: at for at, branch in enumerate(changes)}
    places = [_places(some) for some in changes.values()]
    at: dict[tuple[str, str], list[str]] = {}
    for branch, marks in zip(changes, places, strict=True):
        for mark in marks:
            at.setdefault(mark, []).append(branch)
    found: set[tuple[str, str]] = set()
    for (kind, place), branches in at.items():
        others = at.get((_MEETS[kind], place), ()) if kind in _MEETS else ()
        for one in branches if others else ():
            found.update((one, other) for other in others if order[one] < order[other])
            found.update((other, one) for other in others if order[other] < order[one])
    return sorted(found, key=lambda pair: (order[pair[0]], order[pair[1]]))


# Paths meet paths; a file meets a folder of its name; new files meet a folder that was taken away, which git
# may take for renamed.
_MEETS: Final = {"path": "path", "folder": "path", "gone": "within"}


def _places(changes: Sequence[Change]) -> set[tuple[str, str]]:
    """Return what of a branch could meet with another one, by kinds."""
    found: set[tuple[str, str]] = set()
    for change in changes:
        parents = [str(parent) for parent in PurePosixPath(change.path).parents][:-1]
        found.add(("path", change.path))
        if change.old_mode == ABSENT_MODE:
            found.update(("folder", parent) for parent in parents)
            found.update(("within", parent) for parent in parents)
        if change.new_mode == ABSENT_MODE and parents:
            found.add(("gone", parents[0]))
    return found


def at_once(function: Callable[[T], R], items: Sequence[T], threads: int) -> list[R]:
    """Return what a function gives for each item, with several calls at once."""
    if threads < 2 or len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


def _paths(changes: Sequence[Change]) -> set[str]:
    return {change.path for change in changes}


def _pair(one: str, other: str, paths: Sequence[str]) -> dict[str, Any]:
    return {
        "branches": [one, other],
        "files": [shown(path) for path in paths[:_LISTED]],
        "count": len(paths),
    }


def _python(git: Git, changes: Mapping[str, Sequence[Change]]) -> dict[str, list[FileChange]]:
    """Return what each branch does to the Python files; all of their texts are read by one process."""
    wanted = {
        branch: [one for one in some if one.path.endswith(symbols.SUFFIXES) and _is_file(one)]
        for branch, some in changes.items()
    }
    names = [name for some in wanted.values() for one in some for name in (one.old, one.new)]
    texts = git.cat_many([name for name in names if name.strip("0")]) if names else {}
    known: dict[tuple[str, str, str], FileChange | None] = {}
    found: dict[str, list[FileChange]] = {}
    for branch, some in wanted.items():
        read = []
        for one in some:
            key = one.path, one.old, one.new
            if key not in known:
                known[key] = symbols.file_change(shown(one.path), texts.get(one.old), texts.get(one.new))
            read.append(known[key])
        found[branch] = [one for one in read if one is not None]
    return found


def _is_file(change: Change) -> bool:
    return {change.old_mode[:3], change.new_mode[:3]} <= {"100", ABSENT_MODE[:3]}

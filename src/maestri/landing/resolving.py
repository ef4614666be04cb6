"""A conflict that somebody is to resolve: a worktree of its own, both sides explained, and what came of it.

The worktree holds the merge as far as git came, with conflict markers. Beside it lie the versions of each
file (`base`, `ours`, `theirs`) and `CONFLICT.md`, which says who wants what. Whoever resolves it, an agent, a
command or a person, edits the files; nothing has to be added or committed.

Rule 1: markers that are left, and a merge that nobody has touched, are no resolution.
Rule 2: the worktree stays until the landing ends, however often it is interrupted: a person may take days.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from maestri.errors import ConflictLost
from maestri.landing.rooms import remove
from maestri.workspaces.git import Git
from maestri.workspaces.reading import LINK_MODE, SUBMODULE_MODE, Merged, Stage
from maestri.workspaces.turns import turn
from maestri.workspaces.verifying import shown

_MARKERS: Final = (re.compile(rb"^<<<<<<< ", re.MULTILINE), re.compile(rb"^>>>>>>> ", re.MULTILINE))
_SIDES: Final = {1: "base", 2: "ours", 3: "theirs"}
_COMMITS: Final = 20
_TREE, _INDEX, _TEXT = "tree", "index", "CONFLICT.md"


def staged(
    git: Git, place: Path, locks: Path, onto: str, branch: Mapping[str, str], sides: Mapping[str, str]
) -> dict[str, Any]:
    """Make the worktree of a conflict, anew where there is one.

    Args:
        git: The repository.
        place: The folder for it.
        locks: The folder of the lock files of repositories.
        onto: The commit that the branch is merged onto.
        branch: Its `name` and the `commit` that is merged.
        sides: Who else has changed the files of the conflict: branches that have landed, with their commits.

    Returns:
        `{dir, branch, files, text}`: `files` has the `path` of each file in conflict, its `kind`, and where
        its versions lie; `text` explains both sides.
    """
    tree = place / _TREE
    if place.exists():
        remove(git, tree, locks)
        shutil.rmtree(place)
    place.mkdir(mode=0o700, parents=True)
    merged = git.merge_tree(onto, branch["commit"])
    with turn(locks, git):
        git.worktree_add(tree, onto)
    git.check_out(merged.tree, tree, place / _INDEX)
    (place / "merged").write_text(merged.tree)
    shutil.copy2(place / _INDEX, Git(tree).git_dir / "index")
    files = _versions(git, place, merged)
    text = _explained(git, onto, branch, merged, sides, files)
    (place / _TEXT).write_text(text, errors="backslashreplace")
    return {"dir": os.fspath(tree), "branch": branch["name"], "files": files, "text": text}


def _versions(git: Git, place: Path, merged: Merged) -> list[dict[str, Any]]:
    """Write the versions of each file in conflict beside the worktree; return where they are."""
    by_path: dict[str, list[Stage]] = {path: [] for path in merged.paths}
    for stage in merged.stages:
        by_path[stage.path].append(stage)
    kinds = {path: one.kind for one in merged.conflicts for path in one.paths}
    found = []
    for number, (path, stages) in enumerate(by_path.items(), 1):
        entry: dict[str, Any] = {"path": shown(path), "kind": kinds.get(path, "contents")}
        for stage in stages:
            if stage.mode == SUBMODULE_MODE:
                continue
            file = place / "sides" / str(number) / f"{_SIDES[stage.number]}{Path(path).suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(git.cat(stage.object))
            entry[_SIDES[stage.number]] = os.fspath(file)
        found.append(entry)
    return found


def _explained(
    git: Git,
    onto: str,
    branch: Mapping[str, str],
    merged: Merged,
    sides: Mapping[str, str],
    files: Sequence[Mapping[str, Any]],
) -> str:
    """Return what the two sides of a conflict want, for whoever resolves it."""
    base = git.merge_base(onto, branch["commit"])
    paths = set(merged.paths)
    lines = [
        f"# `{branch['name']}` conflicts with what has landed",
        "",
        f"## What `{branch['name']}` wants",
        "",
    ]
    lines += _wishes(git, base, branch["commit"])
    for name, commit in sides.items():
        if paths & {change.path for change in git.diff_raw(git.merge_base(base, commit), commit)}:
            lines += ["", f"## What `{name}`, which has landed, wants", "", *_wishes(git, base, commit)]
    lines += ["", "## The files", ""]
    for file in files:
        versions = ", ".join(f"{side}: `{file[side]}`" for side in _SIDES.values() if side in file)
        gone = [side for side in ("ours", "theirs") if side not in file]
        note = f" (deleted in {gone[0]})" if len(gone) == 1 else ""
        lines.append(f"- `{file['path']}`: {file['kind']}{note}; {versions}")
    lines += ["", *(f"> {shown(one.message)}" for one in merged.conflicts), ""]
    lines += [f"`ours` is what has landed; `theirs` is `{branch['name']}`; `base` is where both began.", ""]
    return "\n".join(lines)


def _wishes(git: Git, base: str, commit: str) -> list[str]:
    return [f"- {one.subject} ({one.author})" for one in git.commits(base, commit)[:_COMMITS]]


def resolved(
    git: Git, place: Path, onto: str, branch: Mapping[str, str], at: float, *, is_meant: bool
) -> dict[str, Any]:
    """Take what somebody has made of a conflict.

    Args:
        git: The repository.
        place: The folder of its worktree.
        onto: The commit that the branch is merged onto.
        branch: Its `name` and the `commit` that is merged.
        at: The date of the commit.
        is_meant: Whether the files are right as they are even where nothing was changed in them.

    Returns:
        `{commit, tree, files}`, or `{problem}`, which says why it is no resolution.

    Raises:
        ConflictLost: The worktree is gone.
    """
    tree = place / _TREE
    if not tree.is_dir() or not (place / _INDEX).is_file():
        message = f"the worktree in which `{branch['name']}` was to be resolved is gone"
        raise ConflictLost(message, cause=f"somebody has removed `{tree}`", fix="start a new landing")
    index = place / "staged"
    shutil.copy2(place / _INDEX, index)
    excludes = place / "excludes"
    excludes.write_text("__pycache__/\n")
    made = git.stage(tree, index, excludes)
    before = (place / "merged").read_text()
    paths = git.merge_tree(onto, branch["commit"]).paths
    if made == before and not is_meant:
        return {"problem": "nothing was changed in the files of the conflict"}
    marked = _marked(git, made, paths)
    if marked:
        return {"problem": f"there are conflict markers left in {', '.join(f'`{shown(p)}`' for p in marked)}"}
    message = f"Land {branch['name']}\n\nConflicts resolved in:\n" + "".join(f"- {shown(p)}\n" for p in paths)
    commit = git.commit_tree(made, (onto, branch["commit"]), message, at=at)
    changed = {change.path for change in git.diff_raw(before, made)}
    return {"commit": commit, "tree": made, "files": sorted(shown(path) for path in changed | set(paths))}


def _marked(git: Git, tree: str, paths: Sequence[str]) -> list[str]:
    """Return the files of a conflict that still hold its markers."""
    entries = {entry.path: entry for entry in git.ls_tree(tree)}
    wanted = [
        path for path in paths if path in entries and entries[path].mode not in {LINK_MODE, SUBMODULE_MODE}
    ]
    if not wanted:
        return []
    texts = git.cat_many([entries[path].object for path in wanted])
    return [path for path in wanted if all(mark.search(texts[entries[path].object]) for mark in _MARKERS)]


def cleared(git: Git, folder: Path, locks: Path) -> None:
    """Remove the worktrees of all conflicts of a run."""
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        remove(git, place / _TREE, locks)
        shutil.rmtree(place)

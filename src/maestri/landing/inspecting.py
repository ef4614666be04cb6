"""What there is to land, and whether it can be landed where it is to go: looked at before anything is done.

Rule 1: what speaks against all of it is an error; what speaks against one branch leaves that one out.
Rule 2: only commits go further. A branch that moves while it is landed is landed as it was.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from maestri.claims import Touched, strays
from maestri.errors import GitOutputTooLarge, LandingRefused, ShallowRepository, UnrelatedHistories
from maestri.kernel.ports import Held
from maestri.landing.forecast import at_once
from maestri.landing.queue import Branch, in_order
from maestri.records import NamedTuple
from maestri.workspaces import checkout, verifying
from maestri.workspaces.git import Git
from maestri.workspaces.reading import ABSENT_MODE, LINK_MODE, SUBMODULE_MODE, FileDiff
from maestri.workspaces.verifying import shown

_HEADS: Final = "refs/heads/"
_NAMED: Final = 5
_DONE: Final = "done"


class _Found(NamedTuple):
    """A branch with what is to be said of it: that it is in the target already, or why it is left out."""

    branch: Branch
    is_contained: bool = False
    kind: str = ""
    reason: str = ""


def opened(git: Git, cwd: str, request: Mapping[str, Any], held: Sequence[Held], run: str) -> dict[str, Any]:
    """Return what is to be landed where.

    Args:
        git: The repository of `cwd`.
        cwd: The directory of the run.
        request: `branches` (names of branches or commits; the work of all steps without it), `into`, `base`,
            and `verifies`, whether anything is checked out.
        held: The workspaces of the run.
        run: The name of the run, for the branch that is made where no `into` is named.

    Returns:
        `{repository, prefix, into, old, start, tree, branches, contained, left_out, notes, cores}`.

    Raises:
        WorkspaceFailed: There is no repository, branch or commit of that name.
        LandingRefused: The target is checked out, or is not there and `base` does not say where it begins.
    """
    refs = git.branches()
    if not refs:
        git.head()  # says that there is no commit yet
    if git.is_shallow:
        message = f"the history of `{git.root or git.git_dir}` was cut off when it was cloned"
        cause = "where branches have left the target cannot be known"
        raise ShallowRepository(message, cause=cause, fix="get the rest of it: git fetch --unshallow")
    into = request.get("into") or f"landed/{run}"
    refuse_checked_out(git, into)
    old = refs.get(into, "")
    start = old or _start(git, request, into)
    names = _names(request.get("branches"), held, into)
    tips = {name: tip for name, tip in names.items() if tip}
    tips |= {name: refs.get(name) or git.resolve(name) for name, tip in names.items() if not tip}
    notes = verifying.refuse_unsupported(git, start, git.ls_tree(start)) if request.get("verifies") else []
    workspaces = {one.workspace.branch: one.workspace.path for one in held}
    threads = os.cpu_count() or 1
    known = {entry.path for entry in git.ls_tree(start)}
    found = at_once(
        lambda name: _looked_at(git, name, tips, start, workspaces.get(name, ""), known), list(tips), threads
    )
    left_out = [
        {"branch": one.branch.name, "kind": one.kind, "reason": one.reason} for one in found if one.kind
    ]
    return {
        "repository": os.fspath(git.root or git.git_dir),
        "prefix": "" if git.root is None else _prefix(git, cwd),
        "into": into,
        "old": old,
        "start": start,
        "tree": git.tree_of(start),
        "branches": [
            branch.as_json()
            for branch in in_order([one.branch for one in found if not one.kind and not one.is_contained])
        ],
        "contained": [one.branch.name for one in found if one.is_contained],
        "left_out": left_out,
        "notes": [*notes, *_moved(refs, held, names), *_dirty(git)],
        "cores": threads,
    }


def refuse_checked_out(git: Git, into: str) -> None:
    """Refuse a target that is checked out anywhere.

    Raises:
        LandingRefused: It is.
    """
    at = next((one.path for one in git.worktrees() if one.branch == _HEADS + into and not one.is_bare), None)
    if at is not None:
        message = f"the branch `{into}` is checked out"
        cause = f"moved under the checkout `{shown(at)}`, its files would look like changes that take it back"
        fix = "name another branch as `into`, or switch that checkout: git switch --detach"
        raise LandingRefused(message, cause=cause, fix=fix)


def _start(git: Git, request: Mapping[str, Any], into: str) -> str:
    """Return where a branch begins that is not there yet.

    Raises:
        LandingRefused: Nobody has said where.
    """
    base = request.get("base")
    if base:
        return git.resolve(base)
    if request.get("into"):
        message = f"there is no branch `{into}`"
        raise LandingRefused(message, fix="say with `base` where it begins; or name another branch as `into`")
    return git.head()


def _names(given: Sequence[str] | None, held: Sequence[Held], into: str) -> dict[str, str]:
    """Return the names of what is to be landed, with the commits of those that are the work of a step.

    Raises:
        LandingRefused: There is nothing.
    """
    done = {one.workspace.branch: one.commit for one in held if one.commit and one.state != "empty"}
    if given:
        return {name: done.get(name, "") for name in given}
    found = {one.workspace.branch: one.commit for one in held if one.state == _DONE}
    if not found:
        message = "there is nothing to land"
        cause = f"no step before has work in a workspace that is not on `{into}` already"
        raise LandingRefused(message, cause=cause, fix="name the branches: `branches: [...]`")
    return found


def _moved(refs: Mapping[str, str], held: Sequence[Held], names: Mapping[str, str]) -> list[str]:
    """Return what is to be said of branches that were moved after their steps: what was checked lands."""
    moved = [
        one.workspace.branch
        for one in held
        if names.get(one.workspace.branch) and refs.get(one.workspace.branch, one.commit) != one.commit
    ]
    return [
        f"`{name}` was moved after its step had ended: what the step has made is landed" for name in moved
    ]


def _looked_at(
    git: Git, name: str, tips: Mapping[str, str], start: str, workspace: str, known: set[str]
) -> _Found:
    tip = tips[name]
    branch = Branch(name, tip, "", workspace=workspace)
    try:
        base = git.merge_base(start, tip)
    except UnrelatedHistories:
        reason = "it has no commit in common with the target"
        return _Found(branch, kind="unrelated", reason=reason)
    if base == tip:
        return _Found(branch, is_contained=True)
    own = {commit.hash for commit in git.commits(start, tip)}
    earlier = list(tips)[: list(tips).index(name)]
    needs = tuple(
        other for other, at in tips.items() if other != name and at in own and (at != tip or other in earlier)
    )
    try:
        files = git.diff_hunks(base, tip)
    except GitOutputTooLarge as error:
        return _Found(branch, kind="unsupported", reason=error.message)
    lines = sum(len(hunk.removed) + len(hunk.added) for file in files for hunk in file.hunks)
    branch = Branch(name, tip, base, len(files), lines, needs, workspace)
    reason = _objection(git, files, known)
    return _Found(branch, kind="unsupported" if reason else "", reason=reason)


def _objection(git: Git, files: Sequence[FileDiff], known: set[str]) -> str:
    """Return why what a branch brings cannot be landed: a submodule, a link that leads out, a double."""
    touched = []
    for file in files:
        change = file.change
        if change.new_mode == SUBMODULE_MODE:
            return f"it brings a submodule: `{shown(change.path)}`"
        target = os.fsdecode(git.cat(change.new)) if change.new_mode == LINK_MODE else None
        touched.append(Touched(change.path, change.new_mode == ABSENT_MODE, target))
    if all(one.target is None and one.path in known for one in touched):
        return ""
    paths = (known | {one.path for one in touched}) - {one.path for one in touched if one.is_deleted}
    found = strays(touched, (), paths)
    return "; ".join(f"`{shown(path)}`: {why}" for path, why in list(found.items())[:_NAMED])


def _prefix(git: Git, cwd: str) -> str:
    prefix = os.path.relpath(os.path.realpath(cwd), git.work_root())
    return "" if prefix == "." else prefix


def _dirty(git: Git) -> list[str]:
    """Return what is to be said of a checkout with changes: they are not part of any branch."""
    if git.is_bare or (not git.ref(git.head_branch()) and not git.is_detached):
        return []
    found = [path for word, path in checkout.status(git) if word != "untracked"]
    if not found:
        return []
    files = "a file" if len(set(found)) == 1 else f"{len(set(found))} files"
    return [
        f"{files} of your checkout have changes that are not committed: they are neither landed nor touched"
    ]

"""What a history tells a proof: where a landing began, what was resolved in it, and what it takes back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from maestri.errors import BaseUnknown
from maestri.landing.proof import Proof, prove
from maestri.landing.reasons import Revert
from maestri.workspaces.git import Git
from maestri.workspaces.reading import Commit
from maestri.workspaces.verifying import shown

_REVERTS: Final = re.compile(r"This reverts commit ([0-9a-f]{40,64})")


def prove_history(
    git: Git, result: str, branches: Mapping[str, str], *, base: str | None = None, threads: int = 2
) -> Proof:
    """Look for every change of some branches in a commit that was made from them by anybody, in any way.

    Args:
        git: The repository.
        result: The commit.
        branches: The commits of the branches by name.
        base: The commit that the branches were landed on; found in the history of `result` without it.
        threads: How many processes of git may run at once.

    Raises:
        BaseUnknown: The history does not tell on what the branches were landed.
        UnrelatedHistories: A branch has no commit in common with the result.
    """
    start = base or begun(git, result, branches)
    proof = prove(git, result, start, branches, threads=threads)
    if not proof.lost:
        return proof
    # Only now is it worth while to look who has decided what.
    own = {one.hash for tip in branches.values() for one in git.commits(start, tip)}
    later = [one for one in git.commits(start, result) if one.hash not in own]
    resolved, reverts = _resolutions(git, later), _reverts(git, later)
    if not resolved and not reverts:
        return proof
    return prove(git, result, start, branches, resolved=resolved, reverts=reverts, threads=threads)


def begun(git: Git, result: str, branches: Mapping[str, str]) -> str:
    """Return the last commit of the result's own line that has none of the branches.

    Raises:
        BaseUnknown: The branches are that line themselves, or it has no such commit.
        UnrelatedHistories: A branch has no commit in common with the result.
    """
    inside = [tip for tip in branches.values() if git.is_ancestor(tip, result)]
    outside = [git.merge_base(result, tip) for tip in branches.values() if tip not in inside]
    if inside:
        line = _line(git, result, inside)
        first, after = 0, len(line)
        while first < after:  # whoever contains a branch is in front of whoever does not
            middle = (first + after) // 2
            if any(git.is_ancestor(tip, line[middle]) for tip in inside):
                first = middle + 1
            else:
                after = middle
        if first == len(line) or (first and line[first - 1] in inside):
            raise _unknown(result, branches)
        outside.append(line[first])
    for one in outside:
        if all(git.is_ancestor(one, other) for other in outside):
            return one
    raise _unknown(result, branches)


def _line(git: Git, result: str, inside: Sequence[str]) -> list[str]:
    """Return the result and its first parents, as far as where the oldest of some branches has left them."""
    root = inside[0]
    for tip in inside[1:]:
        root = git.merge_base(root, tip)
    known = {one.hash: one for one in git.commits(root, result, limit=1_000_000)}
    line = [result]
    while line[-1] in known and known[line[-1]].parents:
        line.append(known[line[-1]].parents[0])
    return line


def _unknown(result: str, branches: Mapping[str, str]) -> BaseUnknown:
    names = ", ".join(f"`{name}`" for name in list(branches)[:5])
    message = f"the history of {result[:12]} does not tell on what {names} landed"
    cause = "the result is a branch itself, or was moved to one without a merge"
    return BaseUnknown(message, cause=cause, fix="say what they were landed on: `--base REV`")


def _resolutions(git: Git, later: Sequence[Commit]) -> list[dict[str, Any]]:
    """Return the conflicts that somebody must have resolved, by merging once more what was merged."""
    found = []
    for one in later:
        if len(one.parents) == 2:
            merged = git.merge_tree(*one.parents)
            if not merged.is_clean:
                files = [shown(path) for path in merged.paths]
                found.append({"branch": one.subject, "files": files, "commit": one.hash})
    return found


def _reverts(git: Git, later: Sequence[Commit]) -> list[Revert]:
    found = []
    for one in later:
        if one.subject.startswith("Revert"):
            said = _REVERTS.findall(git.message(one.hash))
            found += [Revert(one, name) for name in said if len(one.parents) == 1]
    return found

"""Merging branches without a checkout: each onto the target, one after the other, and the history of that.

Rule 1: what is tested and proved is a tree. Merges keep the true ancestry while a landing is put together;
how the history of the result looks (`squash`, `rebase`) is decided last, and must come to the same tree.
Rule 2: the same arguments give the same commits, so that a step that is done again comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from maestri.records import NamedTuple
from maestri.workspaces.git import Author, Git
from maestri.workspaces.reading import Commit, Merged
from maestri.workspaces.verifying import shown

_LISTED: Final = 20


class Link(NamedTuple):
    """One branch as it is to be merged, or was.

    `tip` is the branch's own commit; `commit` is what is merged: the tip, or the tip with its conflicts with
    the target resolved. `before` and `after` are the commits of a line around an earlier merge of it: what
    that has changed is tried where a plain merge conflicts.
    """

    name: str
    tip: str
    commit: str
    before: str = ""
    after: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as a JSON object."""
        return {key: value for key, value in self._asdict().items() if value}


def merged_alone(git: Git, onto: str, link: Link, at: float) -> dict[str, Any]:
    """Merge one branch onto a commit.

    Returns:
        `{name, commit, tree}`, or `{name, conflict}`.
    """
    merged = git.merge_tree(onto, link.commit)
    if not merged.is_clean and link.after:
        again = git.merge_tree(onto, link.after, base=link.before)
        merged = again if again.is_clean else merged
    if not merged.is_clean:
        return {"name": link.name, "conflict": conflict(merged)}
    commit = git.commit_tree(merged.tree, (onto, link.commit), f"Land {link.name}\n", at=at)
    return {"name": link.name, "commit": commit, "tree": merged.tree}


def merged_in_line(
    git: Git, onto: str, links: Iterable[Link], at: float, *, stops: bool = False
) -> list[dict[str, Any]]:
    """Merge branches one after the other; one that conflicts is passed over, or ends the line.

    Returns:
        What `merged_alone` returns of each, up to the first conflict where that `stops` the line.
    """
    found: list[dict[str, Any]] = []
    landed: dict[str, dict[str, Any]] = {}
    for link in links:
        same = landed.get(link.commit)  # two names of one commit
        one = {**same, "name": link.name} if same else merged_alone(git, onto, link, at)
        found.append(one)
        if "conflict" not in one:
            onto = one["commit"]
            landed[link.commit] = one
        elif stops:
            break
    return found


def trees_of(git: Git, commits: Sequence[str]) -> list[str]:
    """Return the trees of some commits, with one process."""
    names = [f"{commit}^{{tree}}" for commit in commits]
    return git.runner.content("rev-parse", *names).decode().split() if names else []


def conflict(merged: Merged) -> dict[str, Any]:
    """Return the conflicts of a merge as a JSON object: its files and kinds, and git's words."""
    return {
        "files": [shown(path) for path in merged.paths[:_LISTED]],
        "count": len(merged.paths),
        "kinds": list(dict.fromkeys(one.kind for one in merged.conflicts)),
        "words": [shown(one.message) for one in merged.conflicts[:_LISTED]],
    }


def rendered(git: Git, mode: str, start: str, line: Sequence[Mapping[str, Any]], at: float) -> dict[str, Any]:
    """Return a line of merges as the history that is asked for: one commit a branch, or its own ones anew.

    Args:
        git: The repository.
        mode: `squash` or `rebase`.
        start: Where the line begins.
        line: Of each branch the `name`, the `tip`, and the `commit` and `tree` of its merge.
        at: The date of new commits.

    Returns:
        `{commit, squashed}`: the last commit, and the branches that `rebase` could not show one by one.
    """
    now, before, squashed = start, start, list[str]()
    for merge in line:
        own = list(reversed(git.commits(before, merge["tip"])))
        new = _rebased(git, now, own, merge["tree"]) if mode == "rebase" else ""
        if not new:
            squashed += [merge["name"]] if mode == "rebase" else []
            new = _squashed(git, now, own, merge, at)
        now, before = new, merge["commit"]
    return {"commit": now, "squashed": squashed}


def _squashed(git: Git, onto: str, own: Sequence[Commit], merge: Mapping[str, Any], at: float) -> str:
    if merge["tree"] == git.tree_of(onto):
        return onto
    subjects = "".join(f"* {commit.subject}\n" for commit in own[:_LISTED])
    message = f"Land {merge['name']}\n\n{subjects}"
    author = _author(own[-1].author) if own else None
    return git.commit_tree(merge["tree"], (onto,), message, author=author, committer=Author(), at=at)


def _rebased(git: Git, onto: str, own: Sequence[Commit], tree: str) -> str:
    """Apply commits one by one; return the last, or an empty text where that cannot come to the same tree."""
    if any(len(commit.parents) != 1 for commit in own):
        return ""
    before = git.tree_of(onto)
    for commit in own:
        merged = git.merge_tree(onto, commit.hash, base=commit.parents[0])
        if not merged.is_clean:
            return ""
        if merged.tree != before:
            author, message = _author(commit.author), git.message(commit.hash)
            onto = git.commit_tree(
                merged.tree, (onto,), message, author=author, committer=Author(), at=commit.at
            )
            before = merged.tree
    return onto if before == tree else ""


def _author(text: str) -> Author:
    name, _, email = text.rpartition(" <")
    return Author(name or "unknown", email.removesuffix(">"))

"""The proof that nothing was lost: every hunk of every branch is in the result, or has a reason not to be.

    the net change of each branch ── its parts: hunks, modes, names ── in the result? ── if not: why?

Rule 1: what counts is what a branch comes to: lines that it has changed and changed again count once.
Rule 2: nothing is taken from whoever merged, and nothing depends on how: a merge, one commit, commits anew.
Rule 3: what has no reason is lost, and one lost part makes the proof fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from maestri.landing.parts import Part, parts, sides
from maestri.landing.reasons import LOST, PRESENT, Reason, Reasons, Revert
from maestri.landing.trees import Trees, is_text
from maestri.records import NamedTuple
from maestri.workspaces.git import Git
from maestri.workspaces.verifying import shown

_LINES: Final = 3
_CHARS: Final = 200


class Finding(NamedTuple):
    """A part that is not simply where its branch put it, and what became of it.

    `path` and `line` are those of the branch, the line 0 where the whole file is meant; `lines` are the first
    of the lines in question, each with `+` or `-`.
    """

    branch: str
    path: str
    line: int
    kind: str
    reason: Reason
    lines: tuple[str, ...] = ()

    def text(self) -> str:
        """Return what became of the part, for people."""
        where = f"{self.path}:{self.line}" if self.line else self.path
        reason = self.reason
        what = f"`{self.branch}` {where}" + ("" if self.kind in {"lines", "file"} else f" ({self.kind})")
        if reason.verdict == "moved":
            said = f"moved to {reason.place}"
        elif reason.verdict == "superseded":
            said = f"superseded by `{reason.by}`" if reason.by else "superseded by the target"
        elif reason.verdict == "resolved":
            said = f"resolved in {reason.by}" if reason.by else "resolved"
        else:
            said = reason.verdict
        return f"{what}: {said}" + (f", {reason.note}" if reason.note else "")

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        about = {"branch": self.branch, "path": self.path, "line": self.line, "kind": self.kind}
        reason = {key: value for key, value in self.reason._asdict().items() if value}
        return {**about, **reason, "lines": list(self.lines), "text": self.text()}


class Proof(NamedTuple):
    """What was found of all branches: how many parts each has, and those that are not simply there."""

    result: str
    base: str
    tips: Mapping[str, str]
    hunks: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def lost(self) -> list[Finding]:
        """What has no reason not to be there."""
        return [one for one in self.findings if one.reason.verdict == LOST]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        found = Counter(one.reason.verdict for one in self.findings)
        total = sum(self.hunks.values())
        by_branch = {
            name: {
                "commit": tip,
                "hunks": self.hunks[name],
                "listed": sum(one.branch == name and one.reason.verdict != PRESENT for one in self.findings),
            }
            for name, tip in self.tips.items()
        }
        listed = [one for one in self.findings if one.reason.verdict not in {PRESENT, LOST}]
        present = total - len(self.findings) + found[PRESENT]
        return {
            "proved": not self.lost,
            "result": self.result,
            "base": self.base,
            "hunks": total,
            "present": present,
            "branches": by_branch,
            "listed": [one.as_json() for one in listed],
            "lost": [one.as_json() for one in self.lost],
        }


def prove(
    git: Git,
    result: str,
    base: str,
    branches: Mapping[str, str],
    *,
    resolved: Sequence[Mapping[str, Any]] = (),
    reverts: Sequence[Revert] = (),
    threads: int = 2,
) -> Proof:
    """Look for every change of some branches in a result.

    Args:
        git: The repository.
        result: The commit that the branches have come together in.
        base: The commit that they were landed on.
        branches: Their commits by name, in the order in which they were landed.
        resolved: The conflicts that somebody has resolved: each with `branch`, `files` and `commit`.
        reverts: Commits of the result that say that they take others back.
        threads: How many processes of git may run at once.

    Raises:
        UnrelatedHistories: A branch has no commit in common with the base.
        GitOutputTooLarge: There are files that are too large to be compared.
    """
    trees = Trees(git, result, base, branches, threads)
    trees.contents.want(_blobs(trees))
    known = [
        part
        for work in trees.works.values()
        for change in work.changes
        for part in parts(trees, work, change)
    ]
    reasons = Reasons(git, trees, known, resolved, reverts)
    hunks = Counter[str](dict.fromkeys(branches, 0))
    for part in known:
        hunks[part.branch] += part.hunks
    found = [_finding(trees, part, reasons.reason(part)) for part in known if not part.is_there]
    return Proof(result, base, dict(branches), hunks, tuple(found))


def _blobs(trees: Trees) -> Iterator[str]:
    """Yield what has to be read of the branches and of the result."""
    for work in trees.works.values():
        for change in work.changes:
            if is_text(change.old_mode, change.new_mode):
                yield from (change.old, change.new, *_held(trees, change.path))


def _held(trees: Trees, path: str) -> list[str]:
    entry = trees.result.get(path)
    return [entry.object] if entry is not None and is_text(entry.mode) else []


def _finding(trees: Trees, part: Part, reason: Reason) -> Finding:
    texts = sides(trees, part.change)
    if part.edit is None or texts is None:
        return Finding(part.branch, shown(part.change.path), 0, part.kind, reason)
    start, end, new_start, new_end = part.edit
    lines = [(b"-", line) for line in texts[0][start:end]] + [
        (b"+", line) for line in texts[1][new_start:new_end]
    ]
    told = tuple(
        (sign + line.rstrip(b"\r\n")).decode("utf-8", "backslashreplace")[:_CHARS]
        for sign, line in lines[-_LINES:]
    )
    return Finding(part.branch, shown(part.change.path), new_start + 1, part.kind, reason, told)

"""Why a part of a change is not where its branch put it: moved, superseded, resolved, reverted, or lost.

A reason is taken only where it can be shown: what superseded a part is itself there, at the same place; a
resolution counts where it has rewritten the place, or where several wanted different things of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from maestri.landing.ledger import Ledger
from maestri.landing.parts import Part, held_lines, sides
from maestri.landing.presence import seen, touching
from maestri.landing.replay import Replay
from maestri.landing.trees import TARGET, Trees, Work
from maestri.records import NamedTuple
from maestri.workspaces.git import Git
from maestri.workspaces.reading import Change, Commit
from maestri.workspaces.verifying import shown

PRESENT: Final = "present"
LOST: Final = "lost"
_SHORT: Final = 12
_NOTHING: Final[list[bytes]] = []


class Reason(NamedTuple):
    """What became of a part: `verdict` is present, moved, superseded, resolved, reverted or lost.

    `by` is a branch (empty for the target), a commit or an author; `place` is where it is now, and `note`
    says more for people.
    """

    verdict: str
    by: str = ""
    place: str = ""
    note: str = ""


class Revert(NamedTuple):
    """A commit of the result that says that it takes another one back."""

    commit: Commit
    reverted: str


class Reasons:
    """Finds reasons for what is not there."""

    def __init__(
        self,
        git: Git,
        trees: Trees,
        known: Sequence[Part],
        resolved: Sequence[Mapping[str, Any]],
        reverts: Sequence[Revert],
    ) -> None:
        """Begin; little is looked at before it is asked for.

        Args:
            git: The repository.
            trees: What was compared.
            known: All parts of all branches.
            resolved: The conflicts that were resolved: each with `branch`, `files` and `commit`.
            reverts: The commits of the result that take others back.
        """
        self._git, self._trees, self._reverts = git, trees, reverts
        self._ledger, self._replay = Ledger(trees), Replay(git, trees)
        self._resolved = {path: one for one in resolved for path in one["files"]}
        self._absent = {
            (part.branch, path)
            for part in known
            if not part.is_there
            for path in (part.change.path, part.change.old_path)
        }
        self._ancestors: dict[tuple[str, str], bool] = {}

    def reason(self, part: Part) -> Reason:
        """Return what became of a part that is not where it was put."""
        if self._has_other_line_ends(part):
            return Reason(PRESENT, place=part.place, note="with other line ends")
        gone_on = self._continued(part)
        if gone_on is not None:
            return gone_on
        if part.kind in {"lines", "mode"} and self._replay.reproduces(part.place):
            return Reason(PRESENT, place=part.place, note="merged as git merges it")
        return self._moved(part) or self._contested(part) or self._reverted(part)

    # --- the reasons --------------------------------------------------------------------------------

    def _has_other_line_ends(self, part: Part) -> bool:
        texts, held = sides(self._trees, part.change), held_lines(self._trees, part.place)
        if part.edit is None or texts is None or held is None:
            return False
        old, new = _plain(texts[0]), _plain(texts[1])
        start, end, new_start, new_end = part.edit
        if old[start:end] == new[new_start:new_end]:
            return False  # line ends are all that the branch has changed here
        return any(
            one.is_there and one.edit.start <= start and end <= one.edit.end
            for one in seen(old, new, _plain(held))
        )

    def _moved(self, part: Part) -> Reason | None:
        """Look for the lines that a part adds elsewhere; those that it removes must be gone from here."""
        place, texts = self._ledger.moved(part), sides(self._trees, part.change)
        if place is None or part.edit is None or texts is None:
            return None
        old, held = texts[0], held_lines(self._trees, part.place) or _NOTHING
        without = old[: part.edit.start] + old[part.edit.end :]
        if not all(one.is_there for one in seen(old, without, held)):
            return None
        return Reason("moved", place=f"{shown(place.path)}:{place.line}")

    def _continued(self, part: Part) -> Reason | None:
        """Look whether a branch that contains this one has gone on from here and changed its mind."""
        mine = self._trees.works[part.branch]
        for other in self._trees.works.values():
            if other.tip != mine.tip and self._is_ancestor(mine.tip, other.tip) and self._lacks(other, part):
                authors = {one.author for one in self._git.commits(mine.base, mine.tip)}
                later = {one.author for one in self._git.commits(mine.tip, other.tip)}
                if later <= authors:
                    return Reason(
                        "reverted", other.name, note="by its own author, who went on in that branch"
                    )
                return Reason("superseded", other.name, note="it contains this branch, and has changed it")
        return None

    def _lacks(self, other: Work, part: Part) -> bool:
        """Tell whether a branch that contains another one has a part of that no more."""
        change = part.change
        entries = {one.path: one for one in other.changes}
        there = entries.get(change.path)
        texts = sides(self._trees, change)
        if part.edit is None or texts is None:
            return there is None or (there.new, there.new_mode) != (change.new, change.new_mode)
        held = (self._trees.contents.lines(there.new) if there else texts[0]) or _NOTHING
        return any(one.edit == part.edit and not one.is_there for one in seen(*texts, held))

    def _contested(self, part: Part) -> Reason | None:
        """Look who else wanted something of the same place, and whether that is what stands there."""
        is_contested = False
        mine = self._trees.works[part.branch]
        for other in (self._trees.target(mine), *self._trees.works.values()):
            if other.name == mine.name or (other.name and self._is_ancestor(other.tip, mine.tip)):
                continue  # what this branch was built on it has changed knowingly
            verdict = self._wins(part, other)
            if verdict:
                return Reason("superseded", other.name)
            is_contested = is_contested or verdict is False
        one = self._resolved.get(shown(part.place)) or self._resolved.get(shown(part.change.path))
        if one is not None and (is_contested or part.is_rewritten):
            note = f"when `{one['branch']}` was merged" if one.get("branch") else ""
            return Reason("resolved", one.get("commit", "")[:_SHORT], note=note)
        return None

    def _wins(self, part: Part, other: Work) -> bool | None:
        """Tell whether what another branch wanted of a place is there; None if it wanted nothing of it."""
        theirs = other.about(part.change.old_path) or other.about(part.change.path)
        if theirs is None or theirs[1:6] == part.change[1:6]:
            return None
        if part.edit is not None and theirs.status != "D" and sides(self._trees, theirs) is not None:
            return self._wins_lines(part, theirs)
        if part.kind == "mode" and theirs.new_mode in (theirs.old_mode, part.change.new_mode):
            return None
        if other.name == TARGET:
            return _is_held(self._trees, theirs)
        return not {(other.name, theirs.path), (other.name, theirs.old_path)} & self._absent

    def _wins_lines(self, part: Part, theirs: Change) -> bool | None:
        texts, held = sides(self._trees, part.change), held_lines(self._trees, part.place)
        tip = self._trees.contents.lines(theirs.new) or _NOTHING
        if part.edit is None or texts is None:
            return None
        own = texts[1][part.edit.new_start : part.edit.new_end]
        others = [
            one
            for one in touching(part.edit, seen(texts[0], tip, held or _NOTHING))
            if one.edit[:2] != part.edit[:2] or tip[one.edit.new_start : one.edit.new_end] != own
        ]
        return all(one.is_there for one in others) if others else None

    def _reverted(self, part: Part) -> Reason:
        """Look whether a later commit says that it takes a commit of the branch back, and does."""
        work = self._trees.works[part.branch]
        if not self._reverts:
            return Reason(LOST)
        own = {one.hash: one.author for one in self._git.commits(work.base, work.tip)}
        for revert in self._reverts:
            if revert.reverted in own and self._takes_back(revert, part):
                who, short = revert.commit.author, revert.commit.hash[:_SHORT]
                if who == own[revert.reverted]:
                    return Reason("reverted", who, note=f"by its own author, in {short}")
                return Reason(LOST, note=f"{short} takes it back, by {who}, who is not its author")
        return Reason(LOST)

    def _takes_back(self, revert: Revert, part: Part) -> bool:
        changes = self._git.diff_raw(revert.commit.parents[0], revert.commit.hash)
        path = part.place or part.change.path
        change = next((one for one in changes if one.path in (path, part.change.old_path)), None)
        texts = sides(self._trees, part.change)
        if change is None or part.edit is None or texts is None:
            return change is not None
        before, after = sides(self._trees, change) or (_NOTHING, _NOTHING)
        there = [{one.edit for one in seen(*texts, text) if one.is_there} for text in (before, after)]
        return part.edit in there[0] and part.edit not in there[1]

    def _is_ancestor(self, one: str, other: str) -> bool:
        if (one, other) not in self._ancestors:
            self._ancestors[one, other] = self._git.is_ancestor(one, other)
        return self._ancestors[one, other]


def _is_held(trees: Trees, change: Change) -> bool:
    entry = trees.result.get(change.path)
    return entry is None if change.status == "D" else entry is not None and entry.object == change.new


def _plain(lines: Sequence[bytes]) -> list[bytes]:
    return [line.rstrip(b"\r\n") for line in lines]

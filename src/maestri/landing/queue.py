"""The order in which branches land, and what becomes of those that others need. Pure.

Rule: a branch lands after those that it contains, and among those that are ready the smallest goes first:
what is small conflicts least, and what is left of a large one is found on top of all others.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from maestri.records import NamedTuple


class Branch(NamedTuple):
    """One branch that is to be landed.

    `tip` is its commit and `base` where it left the target; `files` and `lines` are how many of them it
    changes. `needs` are the branches whose commits it contains. `workspace` is the path of the step that it
    is the work of, if it is that of one.
    """

    name: str
    tip: str
    base: str
    files: int = 0
    lines: int = 0
    needs: tuple[str, ...] = ()
    workspace: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**self._asdict(), "needs": list(self.needs)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Branch:
        """Return the branch that `as_json` wrote."""
        return cls(**{**record, "needs": tuple(record["needs"])})


def in_order(branches: Sequence[Branch]) -> list[Branch]:
    """Return branches as they are to land: by what they need, then by size, then as they were given."""
    known = {branch.name for branch in branches}
    waiting = {branch.name: {*branch.needs} & known - {branch.name} for branch in branches}
    size = {branch.name: (branch.lines, branch.files, at) for at, branch in enumerate(branches)}
    by_name = {branch.name: branch for branch in branches}
    ready = [(size[name], name) for name, needs in waiting.items() if not needs]
    heapq.heapify(ready)
    found: list[Branch] = []
    while ready:
        _, name = heapq.heappop(ready)
        found.append(by_name[name])
        for other, needs in waiting.items():
            if name in needs:
                needs.discard(name)
                if not needs:
                    heapq.heappush(ready, (size[other], other))
    return found


def dependants(branches: Sequence[Branch], names: Collection[str]) -> dict[str, str]:
    """Return the branches that cannot land without others, in order, each with the one that it needs."""
    found: dict[str, str] = {}
    out = set(names)
    for branch in branches:
        needed = next((name for name in branch.needs if name in out), "")
        if needed and branch.name not in out:
            found[branch.name] = needed
            out.add(branch.name)
    return found

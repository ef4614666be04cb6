"""Where a landing stands: what is still to be landed, what is left out and why, what was resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestri.errors import LandingIncomplete
from maestri.landing.merging import Link
from maestri.landing.queue import Branch
from maestri.landing.steps import Place, Tested
from maestri.patterns._registry import BoundBody
from maestri.records import NamedTuple


class Order(NamedTuple):
    """What is to be landed where, and how; the fields are the options of the pattern."""

    branches: list[str] | None = None
    into: str | None = None
    base: str | None = None
    verify: str | None = None
    mode: str = "merge"
    alone: bool = True
    keep_going: bool = True
    dry_run: bool = False
    fresh: bool = False
    resolve: BoundBody | None = None
    max_concurrent: int | None = None
    verify_timeout_s: float | None = None
    sandbox: Any = None


class Standing:
    """What is known of one landing at a time.

    `links` are the branches that are still to be landed, in order; `lone` what comes of each alone.
    """

    def __init__(self, order: Order, opened: Mapping[str, Any], at: float) -> None:
        """Begin with what there is to land."""
        self.order = order
        self.opened = opened
        self.place = Place(opened["repository"], opened["start"], at)
        self.branches = {one["name"]: Branch.from_json(one) for one in opened["branches"]}
        self.links = {name: Link(name, one.tip, one.tip) for name, one in self.branches.items()}
        self.left_out: dict[str, dict[str, Any]] = {one["branch"]: one for one in opened["left_out"]}
        self.lone: dict[str, Tested] = {}
        self.resolved: list[dict[str, Any]] = []
        self.forecast: Mapping[str, Any] = {}

    @property
    def target(self) -> Tested:
        """The target as it is, without any branch."""
        opened = self.opened
        return Tested(opened["start"], opened["tree"], f"`{opened['into']}` as it is")

    def leave_out(self, name: str, kind: str, reason: str, **more: Any) -> None:
        """Leave a branch out.

        Args:
            name: The branch.
            kind: `conflict`, `verify`, `combination` or `needs`.
            reason: Why, for people.
            more: What programs may want to know of it.
        """
        self.left_out[name] = {"branch": name, "kind": kind, "reason": reason, **more}
        self.links.pop(name, None)

    def refuse_incomplete(self) -> None:
        """End where a branch must be left out, and all of them or none were to land.

        Raises:
            LandingIncomplete: Names the first.
        """
        if self.order.keep_going or self.order.dry_run or not self.left_out:
            return
        first = next(iter(self.left_out.values()))
        message = f"`{first['branch']}` cannot be landed: {first['reason']}"
        fix = "mend it, or allow `keep_going`, which lands the others"
        detail = {"left_out": list(self.left_out.values())}
        raise LandingIncomplete(message, cause="all branches or none were to land", fix=fix, detail=detail)

    def foes(self, name: str, among: Sequence[str]) -> list[str]:
        """Return with which of some branches another one is foretold to conflict."""
        pairs = [pair["branches"] for pair in self.forecast.get("conflicts", ())]
        return [other for other in among if [name, other] in pairs or [other, name] in pairs]

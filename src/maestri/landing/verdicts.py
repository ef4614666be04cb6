"""What verifying has said of trees: each tree is verified once, several of them at the same time.

Rule: a verdict belongs to a tree and a command. How a tree came about (which branches, which history) does
not matter, so a set of branches that comes to a known tree costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestri.errors import Timeout
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.kernel.policy import Policy
from maestri.landing import steps
from maestri.landing.steps import Place, Tested
from maestri.records import NamedTuple


class Verdict(NamedTuple):
    """Whether a tree has passed; else what was said. An unusable command could not be run, or did not end."""

    passed: bool
    said: str = ""
    took_s: float | None = None
    is_unusable: bool = False


class Command(NamedTuple):
    """How to verify: a command for the shell, where in the tree, how long, and how many at once."""

    text: str
    prefix: str = ""
    timeout_s: float | None = None
    width: int = 1
    fresh: bool = False
    sandbox: Any = None


class Verdicts:
    """The verdicts of one landing. `ran` counts verifications, `known` those of earlier runs that counted."""

    def __init__(self, scope: Context, place: Place, command: Command) -> None:
        """Begin without any; steps are `verify#n` of a scope."""
        self._scope = scope
        self._place = place
        self.command = command
        self._verdicts: dict[str, Verdict] = {}
        self._asked = 0
        self.ran = 0
        self.known = 0
        self.took_s = 0.0

    async def of(self, wanted: Sequence[Tested]) -> list[Verdict]:
        """Return what becomes of some trees; those that nothing is known of yet are verified at once."""
        new = {one.tree: one for one in reversed(wanted) if one.tree not in self._verdicts}
        if new:
            await self._verify([one for one in wanted if new.get(one.tree) is one])
        return [self._verdicts[one.tree] for one in wanted]

    def about(self, tree: str) -> Verdict | None:
        """Return the verdict on a tree, if there is one."""
        return self._verdicts.get(tree)

    async def _verify(self, new: Sequence[Tested]) -> None:
        command = self.command
        policy = Policy(attempt_timeout_s=command.timeout_s)
        trees: dict[int, str] = {}
        async with Fan(self._scope, command.width) as fan:
            for one in new:
                how = {"command": command.text, "prefix": command.prefix, "fresh": command.fresh}
                how |= {} if command.sandbox is None else {"isolation": command.sandbox}
                task = steps.verification(self._place, one, how, policy)
                self._asked += 1
                trees[self._asked] = one.tree
                fan.start("verify", _step(task), self._asked)
            async for settled in fan:
                if settled.error is not None and not isinstance(settled.error, Timeout):
                    raise settled.error
                said = _timed_out(settled.error) if settled.error is not None else settled.value
                self._take(trees[settled.number], said)

    def _take(self, tree: str, said: dict[str, Any]) -> None:
        took_s = said.get("took_s")
        self._verdicts[tree] = Verdict(
            said["passed"], said.get("said", ""), took_s, said.get("is_unusable", False)
        )
        self.known += bool(said.get("known"))
        self.ran += not said.get("known")
        self.took_s = round(self.took_s + (took_s or 0.0), 3)


def _step(task: Any) -> OneStep[Any]:
    return OneStep(lambda place: place.perform("verify", task))


def _timed_out(error: Timeout) -> dict[str, Any]:
    return {"passed": False, "said": error.message, "is_unusable": True}

"""The course of one landing: what is merged, verified, left out, proved and moved, in this order.

    open ── merge each alone ── forecast ── verify each alone ── merge in line ── verify together
                                                                      └─ fails: bisect, leave out, again
    ── history ── prove ── move the target ── clean

Rule 1: what speaks against one branch leaves it out; what speaks against all of them is a `LandingFailed`.
Rule 2: the target moves once, at the end, to a tree that has passed and a history that is proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestri.errors import ProofFailed, TargetMoved
from maestri.kernel.context import Context
from maestri.landing import lines, steps, together
from maestri.landing.lines import Merge
from maestri.landing.outcome import told
from maestri.landing.standing import Order, Standing
from maestri.landing.verdicts import Command, Verdicts

_LISTED = 5


async def begun(scope: Context, order: Order) -> Standing:
    """Look what there is to land.

    Raises:
        LandingRefused: It cannot be landed where it is to go.
    """
    request = {"branches": order.branches, "into": order.into, "base": order.base}
    given = {key: value for key, value in request.items() if value is not None}
    opened = await steps.opened(scope, {**given, "verifies": order.verify is not None})
    return Standing(order, opened, await scope.now("at"))


async def landed(scope: Context, standing: Standing) -> dict[str, Any]:
    """Land what can be landed, and return the output of the pattern.

    Raises:
        LandingFailed: The target was not touched; the class says why.
    """
    await lines.lone(scope, standing)
    if standing.lone:
        commits = {name: tested.commit for name, tested in standing.lone.items()}
        standing.forecast = await steps.forecast(scope, standing.place, commits)
    verdicts = _verdicts(scope, standing)
    if standing.order.dry_run:
        return told(standing, [], None)
    if verdicts is None:
        line = await lines.line(scope, standing, standing.place.start, list(standing.links.values()))
    else:
        line = await together.verified(scope, standing, verdicts)
    if not line:
        return told(standing, [], verdicts)
    commit, squashed = await _history(scope, standing, line)
    proof = await _proved(scope, standing, commit, line)
    opened = standing.opened
    tips = [merge.link.tip for merge in line]
    at = await steps.moved(scope, standing.place, opened["into"], commit, opened["old"], tips)
    if at:
        raise _moved(opened["into"], at)
    return {**told(standing, line, verdicts), "commit": commit, "squashed": squashed, "proof": proof}


def _verdicts(scope: Context, standing: Standing) -> Verdicts | None:
    order, opened = standing.order, standing.opened
    if order.verify is None:
        return None
    width = order.max_concurrent or opened["cores"]
    command = Command(
        str(order.verify), opened["prefix"], order.verify_timeout_s, width, order.fresh, order.sandbox
    )
    return Verdicts(scope, standing.place, command)


async def _history(scope: Context, standing: Standing, line: Sequence[Merge]) -> tuple[str, list[str]]:
    """Return the last commit of the history that is asked for, and what could only be shown squashed."""
    mode = standing.order.mode
    if mode == "merge":
        return line[-1].commit, []
    asked = [
        {"name": merge.name, "tip": merge.link.tip, "commit": merge.commit, "tree": merge.tree}
        for merge in line
    ]
    found = await steps.history(scope, standing.place, mode, asked)
    return found["commit"], found["squashed"]


async def _proved(scope: Context, standing: Standing, commit: str, line: Sequence[Merge]) -> dict[str, Any]:
    """Prove that what each branch has changed is in the result.

    Raises:
        ProofFailed: Something is not.
    """
    branches = {merge.name: merge.link.tip for merge in line}
    resolved = [one for one in standing.resolved if one["branch"] in branches]
    proof = await steps.proved(scope, standing.place, commit, branches, resolved)
    if proof["proved"]:
        return proof
    message = "not all that the branches have changed is in the result"
    cause = "; ".join(one["text"] for one in proof["lost"][:_LISTED])
    fix = f"nothing was moved; look at them: maestri prove {commit[:12]} {' '.join(branches)}"
    raise ProofFailed(message, cause=cause, fix=fix, detail={"proof": proof})


def _moved(into: str, at: str) -> TargetMoved:
    message = f"the branch `{into}` has moved while others were landed on it"
    fix = "resume the run: the branches are merged on what is there now"
    return TargetMoved(message, cause=f"it is at {at} now; it was not touched", fix=fix)

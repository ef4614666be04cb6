"""Repeat a body until a condition holds, with a cap and a stop when nothing changes any more.

Shape:    ┌────────────┐
          └─ round ── until? ── no: again
                         └───── yes: on
Journal:  <name>/round#n (one seal a round, with how it was judged), and one seal for <name>
Cost:     the rounds; a resume reads the last round only, so it does not grow with their number
Source:   iterative refinement: seed documents 0.4, 1.4; structured loop (van der Aalst et al. 2003)
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from maestri.errors import InputInvalid, NoProgress, RoundsExhausted
from maestri.kernel.codec import digest
from maestri.kernel.context import Context
from maestri.kernel.events import SEALED, SKIPPED, SUCCEEDED
from maestri.kernel.past import recorded_error
from maestri.kernel.path import split_segment
from maestri.kernel.typed import to_plain
from maestri.patterns._registry import Binds, BoundBody, Predicate, Value, pattern

_NAMES = Binds(("round", "last"))
_CAPS = frozenset({NoProgress.__name__, RoundsExhausted.__name__})
_TWO = 2  # outputs that can be compared


class _Round(NamedTuple):
    """Where a loop stands after a round: its number and output, how it was judged, and what failed so far.

    The cap counts from `base`: a loop that is reopened after it had reached its cap gets its rounds anew.
    """

    number: int
    output: Any
    done: bool = False
    same: int = 1
    digest: str = ""
    failed: int = 0
    base: int = 0


@pattern("loop")
async def loop(
    ctx: Context,
    name: str,
    steps: Annotated[BoundBody, _NAMES],
    *,
    until: Annotated[Predicate, _NAMES] | None = None,
    while_: Annotated[Predicate, _NAMES] | None = None,
    max_rounds: int = 10,
    start: Value | None = None,
    no_progress: int | None = None,
    on_cap: Literal["fail", "accept"] = "fail",
) -> Any:
    """Repeat a body.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        steps: The body of a round, with `round` (from 1) and `last` (the output of the round before).
        until: Judged inside each round after its steps, whose names it sees; `last` is this round's output.
        while_: Judged before each round.
        max_rounds: The cap.
        start: What `last` is in the first round.
        no_progress: Stop when this many rounds in a row gave the same output.
        on_cap: At the cap, or without progress: `fail`, or `accept` the last output.

    Returns:
        The output of the last round; `start` if there was none.

    Raises:
        RoundsExhausted: The cap was reached and `on_cap` is `fail`.
        NoProgress: Nothing changed any more and `on_cap` is `fail`.
        InputInvalid: `max_rounds` or `no_progress` is too small.
    """
    if max_rounds < 1 or (no_progress is not None and no_progress < _TWO):
        message = "`max_rounds` counts from 1 and `no_progress` from 2"
        return await ctx.refuse(name, InputInvalid(message, fix="give larger numbers"))
    limits = _Limits(max_rounds, no_progress, is_judged=until is not None or while_ is not None)

    async def inside(scope: Context) -> Any:
        at = await _resumed(scope, start)
        while not at.done and (while_ is None or while_(scope, at.number + 1, at.output)):
            problem = _problem(at, limits)
            if problem is not None and on_cap == "fail":
                raise problem
            if problem is not None or at.number - at.base >= max_rounds:
                break
            at = await _round(scope, at, steps, until, keeps_digest=no_progress is not None)
        return at.output

    return await ctx.scope(name, inside, pattern="loop", total=max_rounds)


class _Limits(NamedTuple):
    max_rounds: int
    no_progress: int | None
    is_judged: bool


async def _resumed(scope: Context, start: Any) -> _Round:
    """Return where the journal left the loop, from the seal of its last round alone."""
    last = await scope.last_ended()
    if last is None:
        return _Round(0, start)
    if last.kind not in {SEALED, SUCCEEDED, SKIPPED}:
        scope.add_failures(last.body.get("failed", 0))
        raise recorded_error(last)
    judged = last.body.get("remark", {})
    scope.add_failures(judged.get("failed", 0) + last.body.get("failed", 0))
    at = _Round(split_segment(last.name)[1], last.body.get("output"), **judged)
    base = _rounds_before(scope)
    if base == at.number:
        at = at._replace(same=1, digest="")
    return at._replace(failed=scope.failed, base=base)


def _rounds_before(scope: Context) -> int:
    """Return the number of rounds after which the loop gave up, if it was reopened since."""
    failure = {} if scope.taken_back is None else scope.taken_back.body["failure"]
    rounds: int = (failure.get("detail") or {}).get("rounds", 0) if failure.get("type") in _CAPS else 0
    return rounds


async def _round(
    scope: Context, before: _Round, steps: BoundBody, until: Predicate | None, *, keeps_digest: bool
) -> _Round:
    number = before.number + 1
    judged: dict[str, Any] = {}

    async def one(inner: Context) -> Any:
        output = await steps(inner, number, before.output)
        if until is not None and until(inner, number, output):
            judged["done"] = True
        if keeps_digest:
            mark = digest(to_plain(output))
            judged["digest"] = mark
            judged["same"] = before.same + 1 if mark == before.digest else 1
        if before.failed:
            judged["failed"] = before.failed
        inner.remark = judged or None
        return output

    one.__wrapped__ = steps  # type: ignore[attr-defined]  # a round's output is of the body's type
    output = await scope.enter(scope.claim("round", number), one)
    judged["failed"] = scope.failed
    return _Round(number, output, base=before.base, **judged)


def _problem(at: _Round, limits: _Limits) -> NoProgress | RoundsExhausted | None:
    """Return why the loop must not go on, if it must not."""
    detail = {"rounds": at.number}
    if limits.no_progress is not None and at.same >= limits.no_progress:
        message = f"{at.same} rounds in a row gave the same output"
        fix = "look at what a round does, or `on_cap: accept` the last output"
        return NoProgress(message, fix=fix, detail=detail)
    if at.number - at.base >= limits.max_rounds and limits.is_judged:
        message = f"{limits.max_rounds} rounds were not enough"
        fix = "resume the run for as many again; or raise `max_rounds`, or `on_cap: accept` the last output"
        return RoundsExhausted(message, fix=fix, detail=detail)
    return None

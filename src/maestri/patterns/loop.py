"""Repeat a body until a condition holds, with a cap and a stop when nothing changes any more.

Shape:    ┌────────────┐
          └─ round ── until? ── no: again
                         └───── yes: on
Journal:  <name>/round#n (one seal a round, with how it was judged), and one seal for <name>
Cost:     the rounds; a resume reads the last round only, so it does not grow with their number
When:     the same again until a value says that it is enough, and nobody reviews it
Not:      somebody reviews the result: `refine`; a check finds what is broken: `repair`
Source:   iterative refinement: seed documents 0.4, 1.4; structured loop (van der Aalst et al. 2003)
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

from maestri.errors import InputInvalid
from maestri.kernel.context import Context
from maestri.patterns._registry import Binds, BoundBody, Predicate, Value, pattern
from maestri.patterns._rounds import Limits, Round, check_limits, repeat

_NAMES = Binds(("round", "last"))


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
    is_judged = until is not None or while_ is not None
    limits = Limits(max_rounds, no_progress, on_cap, is_judged)
    try:
        check_limits(limits)
    except InputInvalid as error:
        return await ctx.refuse(name, error)

    def one(scope: Context, before: Round) -> Awaitable[Any]:
        return steps(scope, before.number + 1, before.output)

    one.__wrapped__ = steps  # type: ignore[attr-defined]  # a round's output is of the body's type

    async def inside(scope: Context) -> Any:
        return (await repeat(scope, one, limits, start=start, before=while_, until=until)).output

    return await ctx.scope(name, inside, pattern="loop", total=max_rounds, of_rounds=True)

"""One does the work, several review it at once, and the work is done again with what they say.

Shape:    ┌──────────────────────────────┐
          └─ primary ─┬─ reviewer a ─┬─ approved? ── no: again
                      └─ reviewer b ─┘      └────── yes: on
Journal:  <name>/round#n/primary, <name>/round#n/reviewers/<reviewer>, one seal a round with the work and the
          verdicts, <name>/again when it is resumed after its last round, and one seal for <name>
Cost:     a round is the primary and its slowest reviewer
When:     work that must be approved by several, each with an eye for something else
Not:      one reviewer makes it better step by step: `refine`; a command can tell: `repair`, or `verify`
Source:   primary with reviewers: seed document 2.4; the Fagan inspection (1976)
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Annotated, Any, Literal

from maestri.errors import InputInvalid, NotApproved, VerdictUnclear
from maestri.kernel.body import Body
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.kernel.typed import build, return_type, to_plain
from maestri.patterns._again import Again
from maestri.patterns._answers import as_data
from maestri.patterns._join import Join, gather
from maestri.patterns._registry import Binds, BoundBodies, BoundBody, bind, pattern
from maestri.patterns._rounds import Limits, check_limits
from maestri.patterns._verdict import verdict_of

Verdicts = dict[str, dict[str, Any]]


@pattern("review")
async def review(
    ctx: Context,
    name: str,
    primary: Annotated[BoundBody, Binds(("round", "verdicts", "last"))],
    reviewers: Annotated[BoundBodies, Binds(("work", "round"))],
    *,
    policy: Literal["veto", "majority"] | int = "veto",
    max_rounds: int = 3,
    on_cap: Literal["fail", "accept"] = "fail",
) -> dict[str, Any]:
    """Have work reviewed until it is approved.

    A verdict is true or false, or `{approved: …}` with whatever else the primary should read, such as
    `notes`.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        primary: Does the work, with `round` (from 1), `verdicts` (those of the round before by reviewer;
            empty in the first round) and `last` (the work of the round before).
        reviewers: Each judges the `work` of a `round`; all at once.
        policy: Who must approve: all (`veto`), more than half (`majority`), or a number of them.
        max_rounds: The cap.
        on_cap: When the last round is not approved: `fail`, or `accept` its work, with `approved` false.

    Returns:
        The `work`, whether it is `approved`, the number of `rounds`, and the `verdicts` of the last one.

    Raises:
        NotApproved: No round was approved, and `on_cap` is `fail`.
        VerdictUnclear: A reviewer did not say whether the work is approved.
        InputInvalid: There is no reviewer, or `policy` or `max_rounds` is out of range.
    """
    try:
        wanted = _wanted(policy, len(reviewers))
        check_limits(Limits(max_rounds))
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    kind = return_type(primary)

    def typed(work: Any) -> Any:
        return work if kind is None or work is None else build(kind, work)

    async def one(scope: Context, number: int, before: Mapping[str, Any]) -> dict[str, Any]:
        work = await scope.scope("primary", bind(primary, number, before["verdicts"], typed(before["work"])))
        verdicts = await _verdicts(scope, {who: bind(body, work, number) for who, body in reviewers.items()})
        approved = sum(verdict["approved"] for verdict in verdicts.values()) >= wanted
        return {"work": to_plain(work), "approved": approved, "rounds": number, "verdicts": verdicts}

    async def inside(scope: Context) -> dict[str, Any]:
        again, base = Again(scope), 0
        at: dict[str, Any] = {"work": None, "verdicts": {}}
        for number in count(1):
            at = await scope.scope("round", bind(one, number, at))
            is_last = number - base >= max_rounds
            if at["approved"] or (is_last and on_cap == "accept"):
                break
            if is_last:
                await _go_on(again, at, max_rounds)
                base = number
        return at

    return await ctx.scope(name, inside, pattern="review", total=max_rounds)


def _wanted(policy: str | int, total: int) -> int:
    """Return how many must approve.

    Raises:
        InputInvalid: There is nobody to ask, or the number cannot be met.
    """
    if not total:
        raise InputInvalid("there is no reviewer", fix="add one under `reviewers`")
    if policy == "veto":
        return total
    if policy == "majority":
        return total // 2 + 1
    if isinstance(policy, bool) or not isinstance(policy, int):
        message = f"`policy` cannot be {policy!r:.60}"
        raise InputInvalid(message, fix="use `veto`, `majority` or a number of reviewers")
    if not 1 <= policy <= total:
        message = f"`policy: {policy}` cannot be met by {total} reviewers"
        raise InputInvalid(message, fix=f"give a number from 1 to {total}")
    return policy


async def _verdicts(scope: Context, reviewers: Mapping[str, Body[Any]]) -> Verdicts:
    """Return what all reviewers say; those whose words are unclear are asked again after a resume.

    Raises:
        VerdictUnclear: Names them.
    """
    again = Again(scope)
    verdicts: Verdicts = {}
    asked = reviewers
    while True:

        async def inside(inner: Context, asked: Mapping[str, Body[Any]] = asked) -> dict[str, Any]:
            async with Fan(inner, needs_all=True) as fan:
                for who, body in asked.items():
                    fan.start(who, body)
                found = await gather(inner, fan, Join("all", len(asked)))
            return {who: to_plain(found[who, 1]) for who in asked}

        unclear = {}
        for who, said in (await scope.scope("reviewers", inside)).items():
            verdict = verdict_of(said, "approved")
            if isinstance(verdict, bool):
                given = as_data(said)
                verdicts[who] = {**(given if isinstance(given, dict) else {}), "approved": verdict}
            else:
                unclear[who] = said
        if not unclear:
            return {who: verdicts[who] for who in reviewers}
        failure = _unclear(unclear, again)
        if not await again.is_due(failure):
            raise failure
        asked = {who: reviewers[who] for who in unclear}


def _unclear(unclear: Mapping[str, Any], again: Again) -> VerdictUnclear:
    who, said = next(iter(unclear.items()))
    message = f"the reviewer `{who}` does not say whether the work is approved"
    cause = f"it gave {said!r:.200}"
    if len(unclear) > 1:
        cause += f"; just as little do: {', '.join([*unclear][1:])}"
    fix = "let it give true, false or `{approved: …, notes: …}`, then resume the run: it is asked again"
    return VerdictUnclear(message, cause=cause, fix=fix, detail=again.detail(reviewers=list(unclear)))


async def _go_on(again: Again, at: Mapping[str, Any], max_rounds: int) -> None:
    """Go on behind the last round only after a resume.

    Raises:
        NotApproved: It was the last one.
    """
    failure = _not_approved(at, max_rounds, again)
    if not await again.is_due(failure):
        raise failure


def _not_approved(at: Mapping[str, Any], max_rounds: int, again: Again) -> NotApproved:
    against = {who: one for who, one in at["verdicts"].items() if not one["approved"]}
    message = f"the work was not approved in {max_rounds} rounds; against it: {', '.join(against)}"
    said = [f"{who}: {one['notes']}" for who, one in against.items() if isinstance(one.get("notes"), str)]
    fix = "resume the run for as many rounds again; or raise `max_rounds`, or `on_cap: accept`"
    cause = "; ".join(said)[:400]
    return NotApproved(message, cause=cause, fix=fix, detail=again.detail(verdicts=at["verdicts"]))

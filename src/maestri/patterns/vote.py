"""Ask several, and take the answer that the majority or a quorum gives.

Shape:         ┌─ a ─┐
          ─────┼─ b ─┼── enough for one answer? ── on
               └─ c ─┘   (who is not needed any more is cancelled)
Journal:  <name>/<branch>, <name>/winner (whose answer it is, and the tally; stored before the others are
          cancelled), and one seal for <name>
Cost:     the branches until it is settled
When:     a question with a short answer that you do not trust to one
Not:      the answers are texts of which no two are equal: `compete`
Source:   N-version voting (Avizienis 1985); self-consistency (Wang et al. 2022)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from maestri.errors import InputInvalid, NoAgreement
from maestri.kernel.codec import digest
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.kernel.typed import to_plain
from maestri.patterns._contest import Standing, check_names, follow, given_up, taken_up
from maestri.patterns._registry import Binds, Bodies, Expression, Seconds, pattern


@pattern("vote")
async def vote(
    ctx: Context,
    name: str,
    branches: Bodies,
    *,
    policy: Literal["majority"] | int = "majority",
    by: Annotated[Expression, Binds(("output",))] | None = None,
    max_concurrent: int | None = None,
    deadline: Seconds | None = None,
) -> Any:
    """Let branches vote.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        branches: The bodies by name; each has one vote, which is its output.
        policy: `majority`: more than half of the branches must agree; or how many must.
        by: What of an `output` is the vote; all of it without it. Other parts may differ then.
        max_concurrent: How many may run at once; no limit without it.
        deadline: After this time no branch is waited for any more.

    Returns:
        The answer that won: the output of the first of the branches that gave it.

    Raises:
        NoAgreement: Too few agree; the tally is part of the message.
        InputInvalid: There are too few branches, or an option is out of range.
    """
    try:
        check_names(branches, 1, max_concurrent)
        needed = _needed(policy, len(branches))
    except InputInvalid as error:
        return await ctx.refuse(name, error)

    async def inside(scope: Context) -> Any:
        if (decided := scope.recorded("winner")) is not None:
            return await taken_up(scope, decided, branches)
        standing = Standing(branches)
        counted = _counted(standing, lambda output: output if by is None else by(scope, output))

        def is_over() -> bool:
            most = max([one["votes"] for one in counted()], default=0)
            return most >= needed or most + len(standing.open) < needed

        async with Fan(scope, max_concurrent) as fan:
            for branch, body in branches.items():
                fan.start(branch, body)
            await follow(scope, fan, standing, deadline, is_over)
            tally = counted()
            for one in tally:
                if one["votes"] >= needed:
                    record = {"winner": one["from"][0], "tally": tally, "failed": standing.failed}
                    await scope.decide("winner", lambda: record, stored=True)  # noqa: B023
                    return standing.answers[one["from"][0]]
            raise await given_up(fan, _no_agreement(standing, tally, needed))

    return await ctx.scope(name, inside, pattern="vote", total=len(branches))


def _needed(policy: Any, total: int) -> int:
    """Return how many votes decide.

    Raises:
        InputInvalid: That many there cannot be.
    """
    if policy == "majority":
        return total // 2 + 1
    if isinstance(policy, bool) or not isinstance(policy, int) or not 1 <= policy <= total:
        message = f"`policy: {policy}` cannot be met by {total} branches"
        raise InputInvalid(message, fix=f"give a number from 1 to {total}, or `majority`")
    return policy


def _counted(standing: Standing, what: Callable[[Any], Any]) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that counts the votes that there are; each answer is looked at once."""
    seen: dict[str, tuple[str, Any]] = {}

    def count() -> list[dict[str, Any]]:
        tally: dict[str, dict[str, Any]] = {}
        for branch, output in standing.in_order(standing.answers).items():
            if branch not in seen:
                answer = to_plain(what(output))
                seen[branch] = (digest(answer), answer)
            mark, answer = seen[branch]
            one = tally.setdefault(mark, {"answer": answer, "votes": 0, "from": []})
            one["votes"] += 1
            one["from"].append(branch)
        return sorted(tally.values(), key=lambda one: -one["votes"])

    return count


def _no_agreement(standing: Standing, tally: list[dict[str, Any]], needed: int) -> NoAgreement:
    total = len(standing.branches)
    message = f"no answer has {needed} of {total} votes"
    parts = [f"{one['votes']} for {one['answer']!r:.40} ({', '.join(one['from'])})" for one in tally[:5]]
    parts += [f"{name} failed: {one['message']}" for name, one in standing.failed.items()][:5]
    if standing.open:
        parts.append(f"not ended: {', '.join(standing.open)}")
    detail = {"tally": tally, "needed": needed, "failed": standing.failed, "open": standing.open}
    fix = "ask more voters, or fewer to agree with `policy`; mend what failed and resume the run"
    error = NoAgreement(message, cause="; ".join(parts), fix=fix, detail=detail)
    error.origins = tuple(origin for one in standing.errors for origin in one.origins)
    return error

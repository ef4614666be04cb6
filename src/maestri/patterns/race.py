"""Run several ways at once; the first good answer wins, and the rest are cancelled.

Shape:         ┌─ a ─┐
          ─────┼─ b ─┼── the first that is good
               └─ c ─┘   (the others are cancelled)
Journal:  <name>/<branch>, <name>/winner (who won, and who had failed by then; stored before the others are
          cancelled), and one seal for <name>
Cost:     the fastest good branch, and what the others have used until then
When:     several ways to the same end, the first good answer will do, and time counts most
Not:      each try is dear: `fallback`; the best answer counts, not the first: `compete`
Source:   discriminator: van der Aalst et al., "Workflow Patterns" (2003), pattern 9; hedged requests:
          Dean and Barroso, "The Tail at Scale" (2013)
"""

from __future__ import annotations

from typing import Annotated, Any

from maestri.errors import InputInvalid
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.patterns._contest import Standing, check_names, follow, given_up, none_succeeded, taken_up
from maestri.patterns._registry import Binds, Bodies, Predicate, Seconds, pattern


@pattern("race")
async def race(
    ctx: Context,
    name: str,
    branches: Bodies,
    *,
    accept: Annotated[Predicate, Binds(("output",))] | None = None,
    deadline: Seconds | None = None,
) -> Any:
    """Take the first good answer of several.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        branches: The bodies by name.
        accept: Whether an answer is good, judged on `output`; every one is without it.
        deadline: After this time no branch is waited for any more.

    Returns:
        The output of the winner.

    Raises:
        NoneSucceeded: No branch gave a good answer.
        InputInvalid: There is no branch, or one has a name that is taken.
    """
    try:
        check_names(branches, least=1)
    except InputInvalid as error:
        return await ctx.refuse(name, error)

    async def inside(scope: Context) -> Any:
        if (decided := scope.recorded("winner")) is not None:
            return await taken_up(scope, decided, branches)
        standing = Standing(branches)
        judged = None if accept is None else lambda output: accept(scope, output)
        async with Fan(scope) as fan:
            for branch, body in branches.items():
                fan.start(branch, body)
            await follow(scope, fan, standing, deadline, lambda: bool(standing.answers), is_good=judged)
            for winner, output in standing.answers.items():
                failed = standing.in_order(standing.failed)
                await scope.decide("winner", lambda: {"winner": winner, "failed": failed}, stored=True)  # noqa: B023
                return output
            error = none_succeeded(standing.in_order(standing.failed), standing.errors, standing.open)
            raise await given_up(fan, error)

    return await ctx.scope(name, inside, pattern="race", total=len(branches))

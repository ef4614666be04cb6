"""Run named branches at once and join them.

Shape:         ┌─ a ─┐
          ─────┼─ b ─┼── join ──
               └─ c ─┘
Journal:  <name>/<branch> (a branch of one step is that step), <name>/join when an early end was decided,
          <name>/on_result#n, and one seal for <name>
Cost:     the slowest branch that is waited for; the flushes of branches that end together are shared
When:     a few things, known by name, that do not need each other: research, checks, builds
Not:      their number is known only at run time: `each`; some need others: `graph`
Source:   fan-out/fan-in: seed documents 0.2, 0.9, 1.2, 2.1, 2.6, 3.2, 4; N-out-of-M join: van der Aalst
          et al., "Workflow Patterns" (2003), pattern 30
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from maestri.errors import InputInvalid
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan, Settled
from maestri.patterns._join import (
    NOT_ENDED,
    Join,
    again,
    check_crowd,
    chosen_before,
    gather,
    settled_failure,
)
from maestri.patterns._priority import by_priority
from maestri.patterns._registry import Binds, Bodies, BoundBody, Seconds, bind, pattern


@pattern("parallel")
async def parallel(
    ctx: Context,
    name: str,
    branches: Bodies,
    *,
    max_concurrent: int | None = None,
    join: Literal["all", "any", "settled"] | int = "all",
    deadline: Seconds | None = None,
    on_result: Annotated[BoundBody, Binds(("result",))] | None = None,
) -> dict[str, Any]:
    """Run branches at once.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        branches: The bodies by name.
        max_concurrent: How many may run at once; no limit without it.
        join: `all` must succeed (the first failure ends it), `any` one, a number of them, or `settled`: all
            are waited for, and failures are part of the output.
        deadline: After this time no branch is waited for any more.
        on_result: A body that is run for each result as it comes, with `result` bound to
            `{name, output}` or `{name, failed}`.

    Returns:
        The outputs by name, in the order in which the branches are written.

    Raises:
        JoinFailed: Fewer branches succeeded than `join` asks for.
        InputInvalid: `join` asks for more branches than there are, `max_concurrent` for none, or a branch
            has a name that the join uses itself.
    """
    try:
        check_crowd(len(branches), join, max_concurrent, branches)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]
    order = {branch: number for number, branch in enumerate(branches, 1)}

    async def report(scope: Context, settled: Settled) -> None:
        result = {"name": settled.name, "output": settled.value}
        if settled.error is not None:
            result = {"name": settled.name, **settled_failure(settled.error)}
        segment = scope.claim("on_result", order[settled.name])
        if on_result is not None:
            await scope.enter_body(segment, bind(on_result, result))

    async def inside(scope: Context) -> dict[str, Any]:
        chosen = await chosen_before(scope)
        policy = Join(join, len(branches), deadline) if chosen is None else again(join, chosen)
        async with Fan(scope, max_concurrent, needs_all=join == "all") as fan:
            for branch, body in by_priority(branches):
                if chosen is None or (branch, 1) in chosen:
                    fan.start(branch, body)
            hook = None if on_result is None else lambda settled: report(scope, settled)
            outputs = await gather(scope, fan, policy, hook)
        if chosen is not None:
            scope.forget()
        if join == "settled":
            return {branch: outputs.get((branch, 1), NOT_ENDED) for branch in branches}
        return {branch: outputs[branch, 1] for branch in branches if (branch, 1) in outputs}

    return await ctx.scope(name, inside, pattern="parallel", total=len(branches))

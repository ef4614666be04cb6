"""Look around with many cheap scouts, decide once, then build what the decision names.

Shape:    ┌─ scout a ─┐            ┌─ builder x ─┐
          ┼─ scout b ─┼─ decide ── ┤             ├── on
          └─ scout c ─┘            └─ builder z ─┘
Journal:  <name>/scouts/<scout>, <name>/decide#n, <name>/build/<builder>, <name>/again when it is resumed
          after a decision that could not be used, and one seal for <name>
Cost:     the slowest scout, the decision, and the slowest builder that it names
When:     unknown ground: look at it cheaply from many sides before you decide what to build
Not:      what is to be built is known already: `graph`
Source:   scout and build: seed document 4; deferred choice (van der Aalst et al. 2003)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from maestri.errors import DecisionInvalid, InputInvalid, JoinFailed, RunError
from maestri.kernel.body import Body
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.kernel.typed import to_plain
from maestri.patterns._again import Again
from maestri.patterns._answers import as_data
from maestri.patterns._join import Join, check_crowd, gather, settled_failure
from maestri.patterns._registry import Binds, Bodies, BoundBodies, BoundBody, bind, pattern

_SHOWN = 5  # causes in a message


@pattern("scout")
async def scout(
    ctx: Context,
    name: str,
    scouts: Bodies,
    decide: Annotated[BoundBody, Binds(("findings",))],
    build: Annotated[BoundBodies, Binds(("task", "findings", "decision"))],
    *,
    max_concurrent: int | None = None,
) -> dict[str, Any]:
    """Explore, decide, and build.

    A decision is a builder's name, a list of them, `{build: [NAME, …]}` or `{build: {NAME: task, …}}`; a list
    may be empty. All else that it says, such as a `reason`, is for the builders to read.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        scouts: Who looks around; all at once. One that fails is `{failed: …}` among the findings.
        decide: Names the builders, with `findings` by the names of the scouts.
        build: The builders; each that is named gets its `task` (null without one), `findings` and `decision`.
        max_concurrent: How many scouts, and then builders, may run at once; no limit without it.

    Returns:
        The `findings` by scout, the `decision`, and what was `built` by builder.

    Raises:
        JoinFailed: Every scout failed, or several builders did; one that failed is raised as it is.
        DecisionInvalid: The decision names no builder that there is.
        InputInvalid: There is no scout, or `max_concurrent` is below 1.
    """
    try:
        check_crowd(len(scouts), "all", max_concurrent)
        _check_scouts(scouts)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    async def explore(scope: Context) -> dict[str, Any]:
        return await _settled(scope, scouts, max_concurrent)

    async def inside(scope: Context) -> dict[str, Any]:
        findings = await scope.scope("scouts", explore)
        decision, tasks = await _decided(scope, bind(decide, findings), list(build))

        async def construct(inner: Context) -> dict[str, Any]:
            bodies = {who: bind(build[who], tasks[who], findings, decision) for who in build if who in tasks}
            return await _all(inner, bodies, max_concurrent)

        built = await scope.scope("build", construct)
        return {"findings": findings, "decision": decision, "built": built}

    return await ctx.scope(name, inside, pattern="scout", total=len(scouts))


def _check_scouts(scouts: Bodies) -> None:
    """Refuse a search by nobody.

    Raises:
        InputInvalid: There is no scout.
    """
    if not scouts:
        raise InputInvalid("there is no scout", fix="add one under `scouts`")


async def _settled(scope: Context, bodies: Mapping[str, Body[Any]], limit: int | None) -> dict[str, Any]:
    """Run bodies at once; return their outputs, and the failures of those that failed.

    Raises:
        JoinFailed: All of them did.
    """
    outputs: dict[str, Any] = {}
    errors: list[RunError] = []
    async with Fan(scope, limit) as fan:
        for who, body in bodies.items():
            fan.start(who, body)
        async for settled in fan:
            outputs[settled.name] = to_plain(settled.value)
            if settled.error is not None:
                outputs[settled.name] = settled_failure(settled.error)
                errors.append(settled.error)
    if len(errors) == len(bodies):
        causes = "; ".join(f"{error.path}: {error.message}" for error in errors[:_SHOWN])
        fix = "mend one of them, then resume the run"
        failure = JoinFailed(f"none of {len(bodies)} scouts has found anything", cause=causes, fix=fix)
        failure.origins = tuple(origin for error in errors for origin in error.origins)
        raise failure
    return {who: outputs[who] for who in bodies}


async def _all(scope: Context, bodies: Mapping[str, Body[Any]], limit: int | None) -> dict[str, Any]:
    """Run bodies at once, all of which must succeed; return their outputs."""
    async with Fan(scope, limit, needs_all=True) as fan:
        for who, body in bodies.items():
            fan.start(who, body)
        found = await gather(scope, fan, Join("all", len(bodies)))
    return {who: to_plain(found[who, 1]) for who in bodies}


async def _decided(scope: Context, body: Body[Any], builders: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return a decision, and the tasks of the builders that it names; after a resume it is made anew.

    Raises:
        DecisionInvalid: It cannot be used.
    """
    again = Again(scope)
    while True:
        decision = as_data(to_plain(await scope.scope("decide", body)))
        tasks = _tasks(decision)
        unknown = [] if tasks is None else [who for who in tasks if who not in builders]
        if tasks is not None and not unknown:
            return decision, tasks
        failure = _invalid(decision, unknown, builders, again)
        if not await again.is_due(failure):
            raise failure


def _tasks(decision: Any) -> dict[str, Any] | None:
    """Return the builders that a decision names, each with its task; None where it is no decision."""
    named = decision.get("build") if isinstance(decision, dict) else decision
    if isinstance(named, dict):
        return named
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        return None
    return dict.fromkeys(names)


def _invalid(decision: Any, unknown: Iterable[str], builders: list[str], again: Again) -> DecisionInvalid:
    names = ", ".join(f"`{one[:60]}`" for one in unknown)
    message = f"the decision names {names}, and there is no such builder" if names else ""
    message = message or f"the decision names no builders: {decision!r:.120}"
    fix = (
        f"let it give `{{build: [NAME, …]}}` of: {', '.join(builders)}; then resume the run: it is made anew"
    )
    return DecisionInvalid(message, fix=fix, detail=again.detail(decision=decision))

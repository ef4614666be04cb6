"""Try one way after the other until one gives an answer that is good enough.

Shape:    primary ── failed? ── second ── failed? ── person
             └──────────────────────┴─────────────────┴──── on
Journal:  <name>/<branch> for each that was tried, <name>/winner (who won, and how those before it failed),
          and one seal for <name>
Cost:     the branches up to the one that succeeds; what failed before it counts as handled
When:     it must be done, and there are other ways, down to a person, when the best one fails
Not:      the first way only needs another try: `retry`; time counts more than money: `race`
Source:   graceful degradation: seed documents 0.8, 2 (fallback agents); recovery blocks (Randell 1975)
"""

from __future__ import annotations

from typing import Annotated, Any

from maestri.errors import InputInvalid, RunError
from maestri.kernel.context import Context
from maestri.patterns._contest import check_names, none_succeeded, short_failure
from maestri.patterns._registry import Binds, Bodies, Predicate, Value, pattern


@pattern("fallback")
async def fallback(
    ctx: Context,
    name: str,
    branches: Bodies,
    *,
    accept: Annotated[Predicate, Binds(("output",))] | None = None,
    on: Value | None = None,
) -> Any:
    """Try branches in order.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        branches: The bodies by name, in the order in which they are tried.
        accept: Whether an answer is good enough, judged on `output`; every one is without it.
        on: The kinds of failure after which the next one is tried, as `retry` knows them (`[exit, timeout]`);
            all without it.

    Returns:
        The output of the first branch that succeeded.

    Raises:
        NoneSucceeded: None did.
        InputInvalid: There is no branch, or one has a name that is taken.
    """
    try:
        check_names(branches, least=1)
        kinds = _kinds(on)
    except InputInvalid as error:
        return await ctx.refuse(name, error)

    async def inside(scope: Context) -> Any:
        failed: dict[str, Any] = {}
        errors: list[RunError] = []
        for branch, body in branches.items():
            try:
                output = await scope.scope(branch, body)
            except RunError as error:
                if kinds is not None and not kinds & {error.kind, error.code}:
                    raise
                errors.append(error)
                failed[branch] = short_failure(error)
                continue
            if accept is None or accept(scope, output):
                await scope.decide("winner", lambda: {"winner": branch, "failed": failed})  # noqa: B023
                scope.forget()  # one behind it may have been decided by hand since it failed
                return output
            failed[branch] = {"message": "its answer was not accepted"}
        raise none_succeeded(failed, errors)

    return await ctx.scope(name, inside, pattern="fallback", total=len(branches))


def _kinds(on: Any) -> frozenset[str] | None:
    """Return the kinds of failure that are handled; None stands for all.

    Raises:
        InputInvalid: They are no texts.
    """
    if on is None:
        return None
    found = [on] if isinstance(on, str) else on
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        message = f"`on` cannot be {on!r:.60}"
        raise InputInvalid(message, fix="give a list of kinds of failure, such as `[exit, timeout]`")
    return frozenset(found)

"""Receive events while the run lives, and handle each.

Shape:          ┌─ a, 1st ─┐
          ──────┼─ b, 1st  ┼── until there were enough, or one says so, or the time is up
          event─┴─ a, 2nd ─┘
Journal:  <name>/event#n (which event came, as it is taken), <name>/<handler>#n, <name>/unhandled#n (an event
          that nobody waits for), <name>/begun with a time limit, and one seal for <name>
Cost:     nothing while it waits; one handler an event, at most `max_concurrent` at once
When:     the work reacts to events that come while it runs: signals, webhooks, other steps
Not:      one signal is waited for: `wait`; the event is there already: `route`
Source:   event-driven: seed document 1.6; event message (Hohpe and Woolf, "Enterprise Integration Patterns",
          2003)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from maestri.errors import InputInvalid, RunError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan, Settled
from maestri.kernel.path import check_name
from maestri.kernel.strays import Strays
from maestri.kernel.typed import to_plain
from maestri.patterns._join import settled_failure
from maestri.patterns._registry import (
    Binds,
    BoundBodies,
    BoundBody,
    Predicate,
    Seconds,
    bind,
    pattern,
)
from maestri.records import NamedTuple

EVENT, UNHANDLED, OTHERWISE = "event", "unhandled", "otherwise"
RESERVED = frozenset({EVENT, UNHANDLED, OTHERWISE, "begun"})


class _Plan(NamedTuple):
    """What is listened for, and how long."""

    handlers: Mapping[str, BoundBody]
    otherwise: BoundBody | None
    max_events: int | None
    max_concurrent: int
    until: Predicate | None
    timeout_s: float | None
    needs_all: bool


@pattern("on")
async def on(
    ctx: Context,
    name: str,
    handlers: Annotated[BoundBodies, Binds(("event",))],
    *,
    otherwise: Annotated[BoundBody, Binds(("event",))] | None = None,
    max_events: int | None = None,
    until: Annotated[Predicate, Binds(("event", "count"))] | None = None,
    timeout: Seconds | None = None,  # noqa: ASYNC109  - a key of YAML: how long it listens
    max_concurrent: int = 4,
    join: Literal["all", "settled"] = "settled",
) -> dict[str, Any]:
    """Handle the events that come for this run: signals from outside, and what `emit` gives.

    An event that came before is not lost: it waits until it is listened for.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        handlers: The bodies by the names of the events, each with `event` (`name` and `data`).
        otherwise: A body for every other event that nobody waits for. Without it such an event is noted, and
            stays there for a later step that waits for it.
        max_events: End after as many.
        until: End with the event for which this holds; `count` is its number, from 1.
        timeout: End after this time; what is being handled by then is finished.
        max_concurrent: How many events may be handled at once; the others wait.
        join: `settled`: a handler that fails is isolated and is `{failed: …}` in the results; `all`: it ends
            everything.

    Returns:
        How many events there were (`count`), how many were noted as `unhandled`, and the `results` in the
        order of the events: each the `event`'s name with its `output`, or `failed`.

    Raises:
        InputInvalid: Nothing says when it ends, a number is too small, or a handler has a name that this
            pattern writes under.
    """
    plan = _Plan(handlers, otherwise, max_events, max_concurrent, until, timeout, join == "all")
    try:
        _check(plan)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    async def inside(scope: Context) -> dict[str, Any]:
        due = None if timeout is None else await scope.begun() + timeout
        strays = None
        if otherwise is None:
            strays = Strays(scope.core, scope.path, UNHANDLED, scope.recorded, handlers)
        try:
            results = await _Listening(scope, plan, due).to_the_end()
        finally:
            if strays is not None:
                strays.close()
        unhandled = 0 if strays is None else strays.count
        return {"count": len(results), "unhandled": unhandled, "results": results}

    return await ctx.scope(name, inside, pattern="on", total=max_events)


def _check(plan: _Plan) -> None:
    """Refuse what nobody could carry out.

    Raises:
        InputInvalid: Says what.
    """
    if plan.max_events is None and plan.until is None and plan.timeout_s is None:
        raise InputInvalid("nothing says when this ends", fix="give `max_events`, `until` or `timeout`")
    if plan.max_concurrent < 1 or (plan.max_events is not None and plan.max_events < 1):
        raise InputInvalid("`max_events` and `max_concurrent` count from 1", fix="give a larger number")
    for handler in plan.handlers:
        check_name(handler)
        if handler in RESERVED:
            message = f"`{handler}` cannot be the name of a handler: records are kept under it"
            raise InputInvalid(message, fix="give the event another name")
    if not plan.handlers and plan.otherwise is None:
        raise InputInvalid("there is no handler", fix="add one under `handlers`, or `otherwise`")


class _Listening:
    """One listening: which events came, and what their handlers gave."""

    def __init__(self, scope: Context, plan: _Plan, due: float | None) -> None:
        self._scope = scope
        self._plan = plan
        self._due = due
        self._counts: dict[str, int] = {}  # events by handler
        self._places: list[
            tuple[str, str, int]
        ] = []  # of each event: its name, its handler, its number there
        self._ended: dict[tuple[str, int], dict[str, Any]] = {}
        self._is_over = False
        self._is_waiting = False

    async def to_the_end(self) -> list[dict[str, Any]]:
        """Take events and handle them until it is over; return the results in the order of the events."""
        async with Fan(self._scope, needs_all=self._plan.needs_all) as fan:
            self._await_next(fan)
            async for settled in fan:
                if settled.name == EVENT:
                    self._came(fan, settled)
                else:
                    await self._handled(fan, settled)
                self._await_next(fan)
        return [{"event": name, **self._ended[handler, number]} for name, handler, number in self._places]

    def _await_next(self, fan: Fan) -> None:
        """Listen for one more event, if there is to be one and room to handle it."""
        under_way = len(self._places) - len(self._ended)
        if self._is_over or self._is_waiting or under_way >= self._plan.max_concurrent:
            return
        names = tuple(self._plan.handlers) if self._plan.otherwise is None else ()
        self._is_waiting = True
        fan.start(EVENT, OneStep(partial(_next_event, names=names, due=self._due)))

    def _came(self, fan: Fan, settled: Settled) -> None:
        self._is_waiting = False
        if settled.error is not None:
            raise settled.error  # somebody has cancelled the wait
        event, plan = settled.value, self._plan
        if event is None:
            self._is_over = True
            return
        handler = event["name"] if event["name"] in plan.handlers else OTHERWISE
        body = plan.handlers.get(handler, plan.otherwise)
        if body is None:  # accepted by hand: no handler is for what a person has given here
            raise InputInvalid(f"no handler is for the event `{event['name']}`", fix="give one that there is")
        self._counts[handler] = number = self._counts.get(handler, 0) + 1
        self._places.append((event["name"], handler, number))
        count = len(self._places)
        fan.start(handler, bind(body, event))
        self._is_over = count == plan.max_events or (
            plan.until is not None and plan.until(self._scope, event, count)
        )

    async def _handled(self, fan: Fan, settled: Settled) -> None:
        found = {"output": to_plain(settled.value)}
        if settled.error is not None:
            if self._plan.needs_all:
                await self._give_up(fan, settled.error)
            found = settled_failure(settled.error)
        self._ended[settled.name, settled.number] = found

    async def _give_up(self, fan: Fan, error: RunError) -> None:
        await fan.cancel()
        error.origins += tuple(origin for unseen in fan.unseen for origin in unseen.origins)
        raise error


async def _next_event(place: Context, *, names: tuple[str, ...], due: float | None) -> Any:
    return await place.event(EVENT, names, due=due)

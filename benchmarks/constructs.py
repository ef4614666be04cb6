"""What each pattern costs: the same steps in it and in `steps` or `parallel`, turn by turn, in one run.

A pattern writes down what it decides, and that takes a commit like a step does. Each of its bodies has ten
steps that do nothing: with steps that do something, all ratios here are nearer to 1.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import maestri
from maestri.kernel.context import Context
from maestri.patterns import (
    branch,
    compete,
    each,
    fallback,
    graph,
    loop,
    on,
    parallel,
    phases,
    race,
    refine,
    review,
    route,
    saga,
    scout,
    sequence,
    streams,
    supervise,
    vote,
    workflow,
)
from maestri.patterns._registry import Arm, Need, Phase, Stream, Undoable

STEPS: Final = 10  # in each body
Use = Callable[[Context, str], Awaitable[Any]]


async def _answer(number: int) -> dict[str, Any]:
    return {"i": number, "ok": True}


async def body(ctx: Context, *_given: Any) -> Any:
    """Do ten steps that do nothing; whatever a pattern hands over is left alone."""
    for number in range(STEPS):
        value = await ctx.step("step", _answer, number)
    return value


def gives(value: Any) -> Callable[..., Awaitable[Any]]:
    """Return a body with the same steps, and this output."""

    async def given(ctx: Context, *_given: Any) -> Any:
        await body(ctx)
        return value

    return given


async def in_order(ctx: Context, name: str, *, bodies: int) -> None:
    """Do so many bodies in `steps`."""
    for _ in range(bodies):
        await sequence(ctx, name, body)


async def at_once(ctx: Context, name: str, *, bodies: int) -> None:
    """Do so many bodies in `parallel`."""
    await parallel(ctx, name, {f"b{number}": body for number in range(bodies)})


async def both(ctx: Context, name: str, *, first: int, then: int, before: int = 0) -> None:
    """Do some bodies at once, others before and after them in order."""
    await in_order(ctx, f"{name}-before", bodies=before)
    await at_once(ctx, name, bodies=first)
    await in_order(ctx, f"{name}-after", bodies=then)


async def _round(ctx: Context, number: int, _last: Any) -> Any:
    return await body(ctx, number)


async def _decided(ctx: Context, _state: Any, number: int, _workers: Any) -> Any:
    await body(ctx)
    tasks = [{"worker": "w", "task": n} for n in range(2)]
    return {"delegate": tasks} if number == 1 else {"done": True, "result": number}


async def _meets(ctx: Context, meet: Any) -> Any:
    await body(ctx)
    return await meet(ctx, "met", "point")


async def _heard(ctx: Context, name: str) -> Any:
    await ctx.emit(f"{name}-emit", None, name)
    return await on(ctx, name, {name: body}, max_events=1)


async def _waited(ctx: Context, name: str) -> None:
    """Do the same without `on`: tell of an event, and wait for it."""
    await ctx.emit(f"{name}-emit", None, name)
    await ctx.signal(f"{name}-wait", name)
    await in_order(ctx, name, bodies=1)


TWO: Final[dict[str, Any]] = {"a": body, "b": body}
_VERDICTS: Final = {"a": gives({"approved": True}), "b": gives({"approved": True})}
_VOTES: Final = {"a": gives("x"), "b": gives("x")}
_JUDGE: Final = gives("a")
_SEEN: Final = gives(["x"])

# Each pattern, and the same bodies in `steps` and `parallel`.
USES: Final[Mapping[str, tuple[Use, Use]]] = {
    "branch": (lambda c, n: branch(c, n, {"a": Arm(body)}), partial(in_order, bodies=1)),
    "workflow": (lambda c, n: workflow(c, n, body), partial(in_order, bodies=1)),
    "route": (lambda c, n: route(c, n, "x", {"x": body}), partial(in_order, bodies=1)),
    "on": (_heard, _waited),
    "loop": (lambda c, n: loop(c, n, _round, max_rounds=3), partial(in_order, bodies=3)),
    "refine": (
        lambda c, n: refine(c, n, body, body, lambda _c, _r, _d, number: number >= 2),
        partial(in_order, bodies=4),
    ),
    "phases": (
        lambda c, n: phases(c, n, {"a": Phase(body, validate=gives(True)), "b": Phase(body)}),
        partial(in_order, bodies=3),
    ),
    "saga": (
        lambda c, n: saga(c, n, {"a": Undoable(body, undo=body), "b": Undoable(body)}),
        partial(in_order, bodies=2),
    ),
    "fallback": (lambda c, n: fallback(c, n, TWO), partial(in_order, bodies=1)),
    "graph": (
        lambda c, n: graph(c, n, {"a": Need(body), "b": Need(body), "c": Need(body, ("a", "b"))}),
        partial(both, first=2, then=1),
    ),
    "each": (lambda c, n: each(c, n, [1, 2, 3, 4], body), partial(at_once, bodies=4)),
    "race": (lambda c, n: race(c, n, {"a": body}), partial(at_once, bodies=1)),
    "vote": (lambda c, n: vote(c, n, _VOTES), partial(at_once, bodies=2)),
    "compete": (lambda c, n: compete(c, n, TWO, _JUDGE, "speed"), partial(both, first=2, then=1)),
    "review": (lambda c, n: review(c, n, body, _VERDICTS), partial(both, before=1, first=2, then=0)),
    "scout": (lambda c, n: scout(c, n, TWO, _SEEN, {"x": body}), partial(both, first=2, then=2)),
    "streams": (
        lambda c, n: streams(c, n, {name: Stream(_meets, ("point",)) for name in TWO}),
        partial(at_once, bodies=2),
    ),
    "supervise": (
        lambda c, n: supervise(c, n, _decided, {"w": body}),
        partial(both, before=1, first=2, then=1),
    ),
}


async def turns(ctx: Context, n: int, took_s: dict[str, list[float]]) -> None:
    """Use each pattern n times, and the same bodies without it as often; the times go to `took_s`."""
    for number in range(n):
        for keyword, sides in USES.items():
            # Who begins changes with each turn.
            for place in (0, 1) if number % 2 else (1, 0):
                begun = time.perf_counter()
                await sides[place](ctx, f"{keyword}-{place}-{number}")
                took_s.setdefault(f"{keyword}-{place}", []).append(time.perf_counter() - begun)


def flow(took_s: dict[str, list[float]]) -> Callable[..., Awaitable[Any]]:
    """Return the workflow that does all of it."""

    async def patterns(ctx: maestri.Context, n: int) -> None:
        await turns(ctx, n, took_s)

    return maestri.workflow(patterns)

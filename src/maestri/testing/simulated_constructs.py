"""The patterns of agents in random workflows: their parts are drawn, what they decide is not.

Rule: verdicts, decisions and answers are constants or follow from the round, so that a steady shape is
steady; nothing here asks a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.path import join
from maestri.patterns import (
    compete,
    fallback,
    on,
    phases,
    race,
    refine,
    repair,
    review,
    route,
    saga,
    scout,
    streams,
    supervise,
    vote,
)
from maestri.patterns._registry import Phase, Stream, Undoable

# The words of these constructs, and how many parts each has.
SIZES: Final[Mapping[str, int]] = {
    "saga": 2,
    "phases": 2,
    "refine": 1,
    "repair": 1,
    "review": 1,
    "supervise": 1,
    "fallback": 2,
    "compete": 2,
    "scout": 2,
    "streams": 2,
    "route": 1,
    "on": 1,
    "first": 2,
    "vote": 3,
}
# Who comes first, and what is heard by the way, is another thing after a crash.
WILD: Final = ("first", "vote", "on")
STEADY: Final = tuple(word for word in SIZES if word not in WILD)
# After these have failed a resume begins them anew, at new paths: what fails there, or is late, would do so
# for ever; and where somebody cancels an undo, they wait for a person whom nobody has told.
BEGUN_ANEW: Final = frozenset({"saga"})


class Constructs:
    """The part of a flow that does them; the rest of it gives the bodies."""

    def _body(self, shape: Any) -> Any:
        raise NotImplementedError

    async def _do(self, ctx: Context, shape: Any) -> Any:
        raise NotImplementedError

    async def _call(self, ctx: Context, shape: Any, path: str) -> Any:
        raise NotImplementedError

    async def _calls(self, ctx: Context, shape: Any) -> Any:
        """Do something small of the construct's own."""
        return await self._call(ctx, shape, join(ctx.path, shape.name))

    def _bound(self, shape: Any) -> Any:
        """Return a body that takes the names of its pattern, and needs none of them."""
        body = self._body(shape)
        if not isinstance(body, OneStep):
            return body

        def call(ctx: Context, *_given: Any) -> Any:
            return body.call(ctx)

        call.is_one_step = True  # type: ignore[attr-defined]
        return call

    async def _saga(self, ctx: Context, shape: Any) -> Any:
        async def undo(scope: Context, _output: Any, _done: Any) -> Any:
            return await self._calls(scope, shape)

        steps = {f"s{n}": Undoable(self._bound(part), undo) for n, part in enumerate(shape.parts)}
        return await saga(ctx, shape.name, steps)

    async def _phases(self, ctx: Context, shape: Any) -> Any:
        async def passes(scope: Context, _output: Any, _done: Any) -> bool:
            await self._calls(scope, shape)
            return True

        gates = {f"p{n}": Phase(self._bound(part), validate=passes) for n, part in enumerate(shape.parts)}
        return await phases(ctx, shape.name, gates)

    async def _refine(self, ctx: Context, shape: Any) -> Any:
        async def judged(scope: Context, _draft: Any, number: int) -> bool:
            await self._calls(scope, shape)
            return number >= 2

        return await refine(ctx, shape.name, self._bound(shape.parts[0]), judged, lambda _c, said, *_: said)

    async def _repair(self, ctx: Context, shape: Any) -> Any:
        async def check(scope: Context, number: int, _dir: str) -> int:
            await self._calls(scope, shape)
            return number

        fix = self._bound(shape.parts[0])
        return await repair(ctx, shape.name, check, fix, accept=lambda _c, output: output >= 2)

    async def _review(self, ctx: Context, shape: Any) -> Any:
        async def judged(scope: Context, _work: Any, number: int) -> bool:
            await self._calls(scope, shape)
            return number >= 2

        return await review(ctx, shape.name, self._bound(shape.parts[0]), {"a": judged, "b": judged})

    async def _supervise(self, ctx: Context, shape: Any) -> Any:
        async def decided(scope: Context, _state: Any, number: int, _workers: Any) -> Any:
            await self._calls(scope, shape)
            tasks = [{"worker": "w", "task": n} for n in range(2)]
            return {"delegate": tasks} if number == 1 else {"done": True, "result": number}

        return await supervise(ctx, shape.name, decided, {"w": self._bound(shape.parts[0])})

    async def _fallback(self, ctx: Context, shape: Any) -> Any:
        return await fallback(ctx, shape.name, self._branches(shape))

    async def _compete(self, ctx: Context, shape: Any) -> Any:
        async def judge(scope: Context, candidates: Mapping[str, Any], _criteria: Any) -> str:
            await self._calls(scope, shape)
            return min(candidates)

        approaches = {f"b{n}": self._bound(part) for n, part in enumerate(shape.parts)}
        found = await compete(ctx, shape.name, approaches, judge, "the first")
        return found["winner"]

    async def _scout(self, ctx: Context, shape: Any) -> Any:
        async def decide(scope: Context, _findings: Any) -> list[str]:
            await self._calls(scope, shape)
            return ["x"]

        looks = {"a": self._body(shape.parts[0]), "b": self._calls_only(shape)}
        found = await scout(ctx, shape.name, looks, decide, {"x": self._bound(shape.parts[1])})
        return sorted(found["built"])

    def _calls_only(self, shape: Any) -> Any:
        return lambda ctx: self._calls(ctx, shape)

    async def _streams(self, ctx: Context, shape: Any) -> Any:
        def stream(part: Any) -> Stream:
            async def flows(scope: Context, meet: Any) -> Any:
                met = await meet(scope, "met", "point", 1)
                return [sorted(met), await self._do(scope, part)]

            return Stream(flows, ("point",))

        return await streams(ctx, shape.name, {f"b{n}": stream(part) for n, part in enumerate(shape.parts)})

    async def _route(self, ctx: Context, shape: Any) -> Any:
        return await route(ctx, shape.name, "push", {"push": self._bound(shape.parts[0])})

    async def _on(self, ctx: Context, shape: Any) -> Any:
        await ctx.emit(f"emit-{shape.name}", None, shape.name)
        handlers = {shape.name: self._bound(shape.parts[0])}
        return (await on(ctx, shape.name, handlers, max_events=1))["count"]

    async def _first(self, ctx: Context, shape: Any) -> Any:
        return await race(ctx, shape.name, self._branches(shape))

    async def _vote(self, ctx: Context, shape: Any) -> Any:
        return await vote(ctx, shape.name, self._branches(shape), by=lambda _c, _output: "yes")

    def _branches(self, shape: Any) -> dict[str, Any]:
        return {f"b{n}": self._body(part) for n, part in enumerate(shape.parts)}

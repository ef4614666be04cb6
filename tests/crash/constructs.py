"""The newer patterns in the workflow with every construct, each with bodies that note what they do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from maestri.errors import RunError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
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

Found = dict[str, Any]
# What is done with copies of directories, of which there are none here.
COPIES = {"*/copy": {"dir": "/copy"}, "*/apply": {"added": [], "changed": [], "deleted": []}, "*/clean": None}


class Outside(Protocol):
    """What was really done."""

    def note(self, name: str, value: Any) -> Callable[[], Awaitable[Any]]:
        """Return a function that notes that it was called, and gives a value."""
        ...


class Constructs:
    """One use of each; what a step gives depends on what it is given, and on nothing else."""

    def __init__(self, outside: Outside) -> None:
        self._note = outside.note

    async def all(self, ctx: Context) -> Found:
        """Do all of them, some beside others."""
        found = {"in order": await self._in_order(ctx), "rounds": await self._rounds(ctx)}
        return found | {"contests": await self._contests(ctx), "events": await self._events(ctx)}

    def _gives(self, name: str, value: Any) -> Any:
        """Return a body of one step, which takes whatever names it is given."""

        def body(ctx: Context, *_given: Any) -> Any:
            return ctx.step(name, self._note(name, value))

        body.is_one_step = True  # type: ignore[attr-defined]
        return body

    def _fails(self, name: str) -> Any:
        async def failing() -> Any:
            await self._note(name, None)()
            raise ValueError(name)

        def body(ctx: Context, *_given: Any) -> Any:
            return ctx.step(name, failing)

        body.is_one_step = True  # type: ignore[attr-defined]
        return body

    def _one(self, name: str, value: Any) -> OneStep[Any]:
        return OneStep(self._gives(name, value))

    async def _in_order(self, ctx: Context) -> Found:
        steps = {
            "book": Undoable(self._gives("book", 1), self._gives("unbook", 1)),
            "pay": Undoable(self._fails("pay"), self._gives("unpay", 1)),
        }
        try:
            await saga(ctx, "saga", steps)
        except RunError as error:
            undone = error.code
        gates = {
            "users": Phase(self._gives("users", 2), validate=self._gives("valid", True)),
            "tasks": Phase(self._gives("tasks", 3), holds=lambda output, done: output > done["users"]),
        }
        return {"saga": undone, "phases": await phases(ctx, "phases", gates)}

    async def _rounds(self, ctx: Context) -> Found:
        async def draft(scope: Context, number: int, _last: Any, _review: Any) -> Any:
            return await scope.step("draft", self._note(f"draft{number}", number))

        async def judge(scope: Context, draft: int, _number: int) -> Any:
            return await scope.step("judge", self._note(f"judge{draft}", draft >= 2))

        async def check(scope: Context, number: int, _dir: Any) -> Any:
            body = self._gives("good", "fine") if number > 1 else self._fails("bad")
            return await body(scope)

        async def boss(scope: Context, state: Any, number: int, _workers: Any) -> Any:
            tasks = [{"worker": "digger", "task": n} for n in range(2)]
            answer = {"delegate": tasks} if number == 1 else {"done": True, "result": len(state["results"])}
            return await scope.step("boss", self._note(f"boss{number}", answer))

        verdicts = {"style": judge, "safety": self._gives("safety", {"approved": True})}
        found = {"refine": await refine(ctx, "refine", draft, judge, lambda _c, said, *_: said)}
        found["repair"] = await repair(ctx, "repair", check, self._gives("fixed", 1))
        found["review"] = await review(ctx, "review", draft, verdicts)
        found["supervise"] = await supervise(ctx, "supervise", boss, {"digger": self._gives("dug", 1)})
        return found

    async def _contests(self, ctx: Context) -> Found:
        ways = {"best": OneStep(self._fails("best")), "next": self._one("next", 4)}
        votes = {name: self._one(name, name > "v1") for name in ("v1", "v2", "v3")}
        approaches = {"plain": self._gives("plain", 5), "clever": self._gives("clever", 6)}
        found: Found = {"fallback": await fallback(ctx, "fallback", ways)}
        found["race"] = await race(ctx, "race", {"only": self._one("only", 7)})
        found["vote"] = await vote(ctx, "vote", votes, max_concurrent=1)
        judge = self._gives("judge", "clever")
        found["compete"] = (await compete(ctx, "compete", approaches, judge, "short"))["winner"]
        return found

    async def _events(self, ctx: Context) -> Found:
        async def api(scope: Context, meet: Any) -> Any:
            return await meet(scope, "met", "contract", await self._gives("api", 8)(scope))

        async def ui(scope: Context, meet: Any) -> Any:
            met = await meet(scope, "met", "contract")
            return await scope.step("drawn", self._note("drawn", met["api"] + 1))

        looks = {"code": self._one("code", 9), "tests": self._one("tests", 10)}
        builds = {"fix": self._gives("fix", 11), "docs": self._gives("docs", 12)}
        both = {"api": Stream(api, ("contract",)), "ui": Stream(ui, ("contract",))}
        found: Found = {"streams": await streams(ctx, "streams", both)}
        found["scout"] = await scout(ctx, "scout", looks, self._gives("decide", ["fix"]), builds)
        found["route"] = await route(ctx, "route", "push", {"push": self._gives("pushed", 13)})
        await ctx.emit("ready", {"n": 14})
        found["on"] = await on(ctx, "on", {"ready": self._gives("heard", 15)}, max_events=1)
        return found

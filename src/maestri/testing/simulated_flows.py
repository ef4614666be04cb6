"""Random workflows: a shape drawn from a seed, and the body that does what a shape says.

Rule 1: every leaf of a shape has a name of its own, so that a path is known before it is claimed.
Rule 2: in a steady shape nothing but the definition decides the output: no races, no limits of time.
Rule 3: what fails for ever stands only where somebody handles it; every other failure ends after a few tries.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import count
from random import Random
from typing import Any, Protocol

from maestri.errors import RunError
from maestri.kernel.body import OneStep, Opening
from maestri.kernel.context import Context
from maestri.kernel.path import join
from maestri.kernel.policy import Policy, Retry
from maestri.kernel.ports import Task
from maestri.patterns import branch, each, graph, loop, parallel, sequence, workflow
from maestri.patterns._registry import Arm, Need
from maestri.patterns._retry import retrying
from maestri.records import NamedTuple
from maestri.testing.simulated_constructs import BEGUN_ANEW, SIZES, STEADY, WILD, Constructs

_LEAVES = 7
_DEEPEST = 4


class Shape(NamedTuple):
    """One construct: its word, its name, its options, and what it is made of."""

    word: str
    name: str
    options: Mapping[str, Any]
    parts: tuple[Shape, ...] = ()


class Outside(Protocol):
    """The world that a workflow acts on; it remembers what no crash can take away."""

    def request(self, path: str) -> dict[str, Any]:
        """Return what a step adds to its request."""
        ...

    async def called(self, path: str) -> Any:
        """Do the work of a function."""
        ...

    def saw(self, path: str, value: Any) -> None:
        """Hear what a workflow was given at a path."""
        ...

    def got(self, path: str, answer: Any) -> None:
        """Hear what a workflow was given as the answer of a step."""
        ...

    def wants(self, path: str, verb: str) -> None:
        """Hear that a workflow is about to wait for a word from outside."""
        ...


def draw(random: Random, *, is_steady: bool) -> Shape:
    """Return a random shape.

    Args:
        random: Where it is drawn from.
        is_steady: Whether every run of it must end with the same output.
    """
    return _Drawing(random, is_steady=is_steady).part(_DEEPEST, handled=False)


class _Drawing:
    def __init__(self, random: Random, *, is_steady: bool) -> None:
        self._random = random
        self._is_steady = is_steady
        self._left = random.randint(2, _LEAVES)
        self._names = count(1)
        self._calm = 0  # how many constructs around here must not see a failure

    def part(self, depth: int, *, handled: bool) -> Shape:
        if depth <= 0 or self._left <= 1:
            return self._leaf(handled=handled)
        word = self._random.choice(_WORDS if self._is_steady else _WILD_WORDS)
        return self._composite(word, depth, handled=handled)

    def _leaf(self, *, handled: bool) -> Shape:
        self._left -= 1
        word = self._random.choice(_LEAF_WORDS)
        if word == "raise" and not handled:
            word = "step"
        name = f"{word}{next(self._names)}"
        return Shape(word, name, self._step(handled=handled) if word == "step" else {})

    def _step(self, *, handled: bool) -> dict[str, Any]:
        random = self._random
        fails = random.choice((0, 0, 0, 0, 0, 1, 1, 2))
        if handled and random.random() < 0.3:
            fails = 99
        is_calm = self._calm > 0 and not handled
        if is_calm:
            fails = 0
        return {
            "fails": fails,
            "tries": random.choice((1, 1, 2, 3)) if fails else 1,
            "hangs": random.choice((0, 0, 0, 0, 0, 0, 0, 1)) * (not is_calm),
            "costs": random.random() < 0.4,
            "slow": random.random() < 0.2,
        }

    def _composite(self, word: str, depth: int, *, handled: bool) -> Shape:
        random = self._random
        options: dict[str, Any] = {}
        size = SIZES.get(word, 1)
        if word in {"parallel", "graph", "sequence"}:
            size = random.randint(2, 3)
        if word in {"parallel", "each"}:
            options["join"] = random.choice(("all", "settled"))
            options["most"] = random.choice((None, 1, 2)) if word == "parallel" else random.choice((1, 2, 4))
        if word == "race":
            size = random.randint(2, 3)
            options |= {"join": random.choice(("any", 1, 2, "settled")), "most": None}
            options |= {"deadline": random.choice((None, None, 1.0, 5.0))}
        if word == "parallel":
            options["reports"] = random.random() < 0.3
        if word == "each":
            options |= {"size": random.randint(0, 3), "reduces": random.random() < 0.4}
        if word == "graph":
            options["stops"] = random.random() < 0.3
            options["needs"] = [random.random() < 0.6 for _ in range(size)]
        if word == "loop":
            options |= {"rounds": random.randint(1, 3), "until": random.random() < 0.5}
        handled = handled or word == "try" or options.get("join") == "settled"
        self._calm += word in BEGUN_ANEW
        parts = tuple(self.part(depth - 1, handled=handled) for _ in range(size))
        self._calm -= word in BEGUN_ANEW
        if word == "race":
            return Shape("parallel", f"race{next(self._names)}", options, parts)
        return Shape(word, f"{word}{next(self._names)}", options, parts)


_LEAF_WORDS = (*("step",) * 10, "call", "call", "sleep", "decide", "now", "skip", "signal", "ask", "raise")
_WORDS = (
    *("sequence", "parallel") * 6,
    *("graph", "branch", "loop", "each", "try", "workflow", "retry") * 2,
    *("graph", "graph"),
    *STEADY,
)
_WILD_WORDS = (
    *(word for word in _WORDS if word not in BEGUN_ANEW),
    *("race", "race", "race", "limit") * 2,
    *WILD,
)


class Flow(Constructs):
    """Does what a shape says; what it does to the world goes through `outside`."""

    def __init__(self, shape: Shape, outside: Outside) -> None:
        """Hold what to do."""
        self._shape = shape
        self._outside = outside

    async def __call__(self, ctx: Context, inputs: Mapping[str, Any]) -> Any:
        """Return the output of the whole."""
        return plain(await self._do(ctx, self._shape))

    def _body(self, shape: Shape) -> Any:
        if shape.word == "step":
            return OneStep(lambda c: self._step(c, shape, _place_of(c)))
        if shape.word == "call":  # nothing but the call of a verb: it may share an asyncio task with others
            outside = self._outside
            return OneStep(lambda c: c.step(shape.name, partial(outside.called, _place_of(c))))
        return lambda c, *_given: self._do(c, shape)

    async def _do(self, ctx: Context, shape: Shape) -> Any:
        if shape.parts:
            return await getattr(self, f"_{shape.word}")(ctx, shape)
        return await getattr(self, f"_{shape.word}")(ctx, shape, join(ctx.path, shape.name))

    # --- leaves -------------------------------------------------------------------------------------

    async def _step(self, ctx: Context, shape: Shape, path: str) -> Any:
        options = shape.options
        retry = Retry(options["tries"], 2.0, 2.0) if options["tries"] > 1 else None
        policy = Policy(retry, 30.0 if options["hangs"] else None)
        request = {**options, **self._outside.request(path)}
        value = await ctx.perform(shape.name, Task("agent", request, policy, costs=options["costs"]))
        self._outside.got(path, value)
        return value

    async def _call(self, ctx: Context, shape: Shape, path: str) -> Any:
        outside = self._outside

        async def work() -> Any:
            return await outside.called(path)

        value = await ctx.step(shape.name, work)
        self._outside.got(path, value)
        return value

    async def _sleep(self, ctx: Context, shape: Shape, path: str) -> Any:
        await ctx.sleep(7.0, shape.name)

    async def _decide(self, ctx: Context, shape: Shape, path: str) -> Any:
        value = await ctx.random(shape.name)
        self._outside.saw(path, value)
        return value >= 0.0

    async def _now(self, ctx: Context, shape: Shape, path: str) -> Any:
        value = await ctx.now(shape.name)
        self._outside.saw(path, value)
        return value >= 0.0

    async def _skip(self, ctx: Context, shape: Shape, path: str) -> Any:
        await ctx.skip(shape.name)

    async def _raise(self, ctx: Context, shape: Shape, path: str) -> Any:
        message = f"raised at {path}"
        raise ValueError(message)

    async def _signal(self, ctx: Context, shape: Shape, path: str) -> Any:
        self._outside.wants(path, "signal")
        value = await ctx.signal(shape.name, path)
        self._outside.saw(path, value)
        return value

    async def _ask(self, ctx: Context, shape: Shape, path: str) -> Any:
        self._outside.wants(path, "answer")
        value = await ctx.ask(shape.name, "go on?", ["yes", "no"])
        self._outside.saw(path, value)
        return value

    # --- composites ---------------------------------------------------------------------------------

    async def _sequence(self, ctx: Context, shape: Shape) -> Any:
        async def in_order(scope: Context) -> Any:
            return [await self._do(scope, part) for part in shape.parts]

        return await sequence(ctx, shape.name, in_order)

    async def _parallel(self, ctx: Context, shape: Shape) -> Any:
        branches = {f"b{n}": self._body(part) for n, part in enumerate(shape.parts)}
        options = shape.options

        async def report(scope: Context, _result: Any) -> Any:
            return await self._call(scope, shape, join(scope.path, shape.name))

        found = await parallel(
            ctx,
            shape.name,
            branches,
            join=options["join"],
            max_concurrent=options["most"],
            deadline=options.get("deadline"),
            on_result=report if options.get("reports") else None,
        )
        return plain(found)

    async def _graph(self, ctx: Context, shape: Shape) -> Any:
        links = shape.options["needs"]
        needs = {
            f"g{n}": Need(self._body(part), tuple(f"g{m}" for m in range(n) if links[m] and links[n]))
            for n, part in enumerate(shape.parts)
        }
        return await graph(ctx, shape.name, needs, on_failure="stop" if shape.options["stops"] else "finish")

    async def _branch(self, ctx: Context, shape: Shape) -> Any:
        never = Arm(self._body(shape.parts[0]), lambda: False)
        return await branch(ctx, shape.name, {"no": never, "yes": Arm(self._body(shape.parts[0]))})

    async def _loop(self, ctx: Context, shape: Shape) -> Any:
        rounds = shape.options["rounds"]

        async def one(scope: Context, number: int, last: Any) -> Any:
            return [number, last is None, await self._do(scope, shape.parts[0])]

        until = (lambda _c, number, _l: number >= rounds) if shape.options["until"] else None
        return await loop(ctx, shape.name, one, until=until, max_rounds=rounds)

    async def _each(self, ctx: Context, shape: Shape) -> Any:
        options = shape.options

        async def item(scope: Context, _item: int, index: int) -> Any:
            return [index, await self._do(scope, shape.parts[0])]

        async def total(scope: Context, results: list[Any]) -> Any:
            return [len(results), await self._call(scope, shape, join(scope.path, shape.name))]

        found = await each(
            ctx,
            shape.name,
            list(range(options["size"])),
            item,
            join=options["join"],
            max_concurrent=options["most"],
            reduce=total if options["reduces"] else None,
        )
        return plain(found)

    async def _workflow(self, ctx: Context, shape: Shape) -> Any:
        async def inner(scope: Context, inputs: Mapping[str, Any]) -> Any:
            return [inputs["n"], await self._do(scope, shape.parts[0])]

        return await workflow(ctx, shape.name, inner, inputs={"n": 1})

    async def _retry(self, ctx: Context, shape: Shape) -> Any:
        async def call(scope: Context, name: str) -> Any:
            return await scope.scope(name, self._body(shape.parts[0]), pattern="steps")

        return await retrying(ctx, shape.name, call, Policy(Retry(2, 3.0)))

    async def _limit(self, ctx: Context, shape: Shape) -> Any:
        ctx.prepare(Opening(timeout_s=2.5))
        return await ctx.scope(shape.name, self._body(shape.parts[0]), pattern="steps")

    async def _try(self, ctx: Context, shape: Shape) -> Any:
        try:
            return await ctx.scope(shape.name, self._body(shape.parts[0]))
        except RunError:
            return "failed"


def _place_of(ctx: Context) -> str:
    """Return the path of the one step that a context is a place for."""
    return join(ctx.path, ctx._naming.segment)  # noqa: SLF001  - no workflow has a reason to ask


def plain(output: Any) -> Any:
    """Return an output without the words of its failures: of several at once, any may be the one told."""
    if isinstance(output, dict):
        return "failed" if "failed" in output else {key: plain(value) for key, value in output.items()}
    return [plain(item) for item in output] if isinstance(output, list) else output

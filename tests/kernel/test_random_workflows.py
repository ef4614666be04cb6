"""Random workflows, cut off at random events and resumed: the same result, and every prefix can be folded."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestri.errors import RunError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.state import fold
from maestri.patterns import branch, each, graph, loop, parallel, sequence
from maestri.patterns._registry import Arm, Need
from maestri.testing.play import Stage, check_resume

LEAVES = st.sampled_from(["step", "step", "bad", "sleep", "decide", "skip", "raise"])
# Who wins a race may change as long as nothing was decided; so races are left out where ends are compared.
RACES = st.sampled_from(["any", 1, 2])
WAITS = st.sampled_from(["all", "settled"])


def shapes(joins: Any) -> Any:
    return st.recursive(
        st.tuples(LEAVES),
        lambda inner: st.one_of(
            st.tuples(st.just("sequence"), st.lists(inner, max_size=3)),
            st.tuples(st.just("parallel"), st.lists(inner, min_size=2, max_size=3), joins),
            st.tuples(st.just("each"), inner, st.integers(0, 3)),
            st.tuples(st.just("loop"), inner, st.integers(1, 3)),
            st.tuples(st.just("graph"), st.lists(inner, min_size=2, max_size=3)),
            st.tuples(st.just("branch"), inner),
            st.tuples(st.just("try"), inner),
        ),
        max_leaves=8,
    )


broken = [True]


def fails() -> None:
    if broken[0]:
        message = "no"
        raise ValueError(message)


async def do(ctx: Context, shape: Any) -> Any:  # noqa: C901  - one case a word of the grammar
    """Do what a shape says, in a scope of its own where it has children."""
    match shape:
        case ("step",):
            return await ctx.step("s", lambda: ["value"])
        case ("bad",):
            return await ctx.step("b", fails)
        case ("sleep",):
            return await ctx.sleep(5)
        case ("decide",):
            return await ctx.decide("d", lambda: {"a": 1})
        case ("skip",):
            return await ctx.skip("k")
        case ("raise",):
            return fails()
        case ("sequence", parts):
            return await sequence(ctx, "q", lambda c: in_order(c, parts))
        case ("parallel", parts, join):
            branches = {f"b{n}": body(part) for n, part in enumerate(parts)}
            return await parallel(ctx, "p", branches, join=join)
        case ("each", part, size):
            return await each(ctx, "e", list(range(size)), lambda c, _i, _n: do(c, part), max_concurrent=2)
        case ("loop", part, rounds):
            return await loop(ctx, "l", lambda c, _n, _l: do(c, part), max_rounds=rounds)
        case ("graph", parts):
            return await graph(ctx, "g", needs(parts))
        case ("branch", part):
            return await branch(ctx, "br", {"a": Arm(body(part))})
        case ("try", part):
            return await tried(ctx, part)


async def in_order(ctx: Context, parts: list[Any]) -> list[Any]:
    return [await do(ctx, part) for part in parts]


def body(part: Any) -> Any:
    if part == ("step",):
        return OneStep(lambda c: do(c, part))
    return lambda c: do(c, part)


def needs(parts: list[Any]) -> dict[str, Need]:
    def one(part: Any) -> Any:
        return lambda ctx, _given: do(ctx, part)

    return {f"g{n}": Need(one(part), (f"g{n - 1}",) if n % 2 else ()) for n, part in enumerate(parts)}


async def tried(ctx: Context, part: Any) -> Any:
    try:
        return await do(ctx, part)
    except RunError:
        return "failed"


def plain(output: Any) -> Any:
    """Return an output without the words of its failures: of several at once, any may be the one told."""
    if isinstance(output, dict):
        return "failed" if "failed" in output else {key: plain(value) for key, value in output.items()}
    return [plain(item) for item in output] if isinstance(output, list) else output


async def whole(ctx: Context, shape: Any) -> Any:
    return plain(await do(ctx, shape))


@given(shapes(WAITS))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_workflow_resumes_at_every_event_to_the_same_end(shape: Any) -> None:
    stage = Stage(lambda ctx: whole(ctx, shape))
    stage.play()
    check_resume(stage)


@given(shapes(WAITS | RACES), st.data())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_prefix_of_any_journal_can_be_folded_also_after_resumes(shape: Any, data: Any) -> None:
    stage = Stage(lambda ctx: whole(ctx, shape))
    stage.play()
    for _ in range(3):
        stage = stage.cut(data.draw(st.integers(1, len(stage.events))))
        if stage.state.status != "succeeded":
            stage.resume()
        for count in range(len(stage.events) + 1):
            fold(stage.events[:count])


@given(shapes(WAITS | RACES))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_one_resume_gets_any_failed_run_to_its_end_once_all_is_mended(shape: Any) -> None:
    stage = Stage(lambda ctx: whole(ctx, shape))
    stage.play()
    broken[0] = False
    try:
        if stage.state.status == "failed":
            assert stage.resume().failure is None
        assert stage.state.status == "succeeded"
    finally:
        broken[0] = True

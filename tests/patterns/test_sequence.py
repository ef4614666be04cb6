"""`steps`: one after another."""

from typing import Any

from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import parallel, sequence
from maestri.testing.play import Stage, check_resume, play


async def three(ctx: Context) -> list[int]:
    return [await ctx.step(name, lambda n=n: n) for n, name in enumerate(("a", "b", "c"), 1)]


async def flow(ctx: Context) -> Any:
    return await sequence(ctx, "q", three)


def boom() -> None:
    message = "no"
    raise ValueError(message)


def test_the_output_is_that_of_the_body_and_the_order_that_of_the_calls() -> None:
    stage = Stage(flow)
    assert stage.play().output == [1, 2, 3]
    assert stage.paths("step.succeeded") == ["/q/a", "/q/b", "/q/c"]


def test_the_scope_says_which_pattern_opened_it_and_is_sealed() -> None:
    stage = Stage(flow)
    stage.play()
    assert (stage.state.steps["/q"].pattern, stage.paths("scope.succeeded")) == ("steps", ["/q"])


def test_a_failure_stops_what_comes_after_it() -> None:
    async def failing(ctx: Context) -> None:
        await ctx.step("a", boom)
        await ctx.step("b", lambda: 1)

    stage = Stage(lambda ctx: sequence(ctx, "q", failing))
    ended = stage.play()
    assert (ended.status, ended.failure and ended.failure.path) == ("failed", "/q/a")
    assert stage.paths("step.started") == ["/q/a"]


def test_a_single_step_takes_the_place_of_the_scope() -> None:
    stage = Stage(lambda ctx: sequence(ctx, "q", OneStep(lambda c: c.step("any", lambda: 5))))
    assert stage.play().output == 5
    assert (stage.paths("step.succeeded"), stage.paths("scope.opened")) == (["/q"], [])


def test_a_name_used_again_gets_a_number() -> None:
    async def twice(ctx: Context) -> None:
        await sequence(ctx, "q", three)
        await sequence(ctx, "q", three)

    stage = Stage(twice)
    stage.play()
    assert stage.paths("scope.succeeded") == ["/q", "/q#2"]


def test_the_output_of_a_body_comes_back_as_its_declared_type() -> None:
    async def body(ctx: Context) -> dict[str, int]:
        return {"a": await ctx.step("a", lambda: 1)}

    assert play(lambda ctx: sequence(ctx, "q", body)).output == {"a": 1}


def test_it_nests_in_itself_thirty_levels_deep() -> None:
    def nested(depth: int) -> Any:
        async def body(ctx: Context) -> Any:
            return await (sequence(ctx, "s", nested(depth - 1)) if depth else ctx.step("end", lambda: "deep"))

        return body

    stage = Stage(nested(30))
    assert stage.play().output == "deep"
    assert stage.paths("step.succeeded") == ["/" + "s/" * 30 + "end"]


def test_it_resumes_at_every_event() -> None:
    async def nested(ctx: Context) -> Any:
        return await parallel(ctx, "p", {"a": flow, "b": flow})

    for body in (flow, nested):
        stage = Stage(body)
        stage.play()
        check_resume(stage)

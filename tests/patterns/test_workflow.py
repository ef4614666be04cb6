"""`workflow`: another workflow as one step."""

from collections.abc import Mapping
from typing import Any

from maestri.kernel.context import Context
from maestri.patterns import parallel, workflow
from maestri.testing.play import Stage, check_resume


async def double(ctx: Context, inputs: Mapping[str, Any]) -> Any:
    return await ctx.step("twice", lambda: inputs["n"] * 2)


def called(ctx: Context, number: int, name: str = "w") -> Any:
    given: Any = {"n": number}
    return workflow(ctx, name, double, inputs=given)


def test_it_runs_in_a_scope_of_its_own_with_its_inputs() -> None:
    stage = Stage(lambda ctx: called(ctx, 4))
    assert stage.play().output == 8
    assert (stage.paths("step.succeeded"), stage.state.steps["/w"].pattern) == (["/w/twice"], "workflow")


def test_one_workflow_may_be_called_many_times() -> None:
    async def flow(ctx: Context) -> Any:
        return [await called(ctx, 1), await called(ctx, 2)]

    stage = Stage(flow)
    assert stage.play().output == [2, 4]
    assert stage.paths("step.succeeded") == ["/w/twice", "/w#2/twice"]


def test_without_inputs_it_gets_none() -> None:
    async def asks(_: Context, inputs: Mapping[str, Any]) -> Any:
        return dict(inputs)

    assert Stage(lambda ctx: workflow(ctx, "w", asks)).play().output == {}


def test_its_failure_is_that_of_the_caller() -> None:
    async def fails(ctx: Context, _inputs: Mapping[str, Any]) -> Any:
        return await ctx.step("bad", lambda: 1 // 0)

    ended = Stage(lambda ctx: workflow(ctx, "w", fails)).play()
    assert ended.failure and ended.failure.path == "/w/bad"


def test_it_may_call_itself_to_any_depth() -> None:
    async def countdown(ctx: Context, inputs: Mapping[str, Any]) -> Any:
        if inputs["n"] == 0:
            return await ctx.step("end", lambda: "end")
        given: Any = {"n": inputs["n"] - 1}
        return await workflow(ctx, "again", countdown, inputs=given)

    start: Any = {"n": 25}
    stage = Stage(lambda ctx: workflow(ctx, "w", countdown, inputs=start))
    assert stage.play().output == "end"
    assert stage.paths("step.succeeded") == ["/w" + "/again" * 25 + "/end"]


def test_it_nests_in_parallel_and_resumes_at_every_event() -> None:
    async def one(ctx: Context) -> Any:
        return await called(ctx, 1)

    async def two(ctx: Context) -> Any:
        return await called(ctx, 2)

    stage = Stage(lambda ctx: parallel(ctx, "p", {"one": one, "two": two}))
    assert stage.play().output == {"one": 2, "two": 4}
    check_resume(stage)

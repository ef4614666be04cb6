"""A context used in ways that cannot work: found at once, in words, and with nothing left running."""

import asyncio
from typing import Any

import pytest

from maestri.errors import ConfigError, UsageError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import parallel
from maestri.testing.play import Stage


async def forever() -> None:
    await asyncio.Event().wait()


def failure(flow: Any) -> str:
    ended = Stage(flow).play()
    assert ended.failure is not None
    return ended.failure.message


def test_two_steps_of_one_scope_at_once_are_refused_and_the_first_does_not_outlive_the_run() -> None:
    async def flow(ctx: Context) -> Any:
        return await asyncio.gather(ctx.step("a", forever), ctx.step("b", forever))

    stage = Stage(flow)
    ended = stage.play()
    assert ended.failure and ended.failure.message == "two asyncio tasks use the scope `/` at once"
    assert "`parallel` or `each`" in ended.failure.fix
    assert stage.events[-1].as_json()["kind"] == "run.failed"


def test_a_scope_used_inside_of_its_own_scope_is_refused_before_it_can_spoil_a_resume() -> None:
    async def flow(ctx: Context) -> Any:
        async def inner(_: Context) -> Any:
            return await ctx.step("s", lambda: 1)

        return await ctx.scope("in", inner)

    assert failure(flow) == "the scope `/` is used inside of its own scope `in`"


def test_a_branch_that_uses_the_scope_around_it_is_refused() -> None:
    async def flow(ctx: Context) -> Any:
        async def inner(_: Context) -> Any:
            return await ctx.step("s", lambda: 1)

        return await parallel(ctx, "p", {"a": inner})

    assert failure(flow) == "two asyncio tasks use the scope `/` at once"


def test_a_single_step_that_makes_a_second_one_is_refused() -> None:
    async def two(ctx: Context) -> Any:
        await ctx.step("a", lambda: 1)
        return await ctx.step("b", lambda: 2)

    words = failure(lambda ctx: parallel(ctx, "p", {"one": OneStep(two)}))
    assert words == "a body that is to be the one step `/p/one` makes a second one"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a#2", "1a", "é", "x" * 65, None])
def test_what_is_no_name_is_refused(name: Any) -> None:
    assert "is not a name" in failure(lambda ctx: ctx.step(name, lambda: 1))


def test_an_error_of_the_api_inside_a_step_is_the_failure_of_that_step() -> None:
    def misuses() -> None:
        message = "used wrongly"
        raise ConfigError(message, fix="do it right")

    stage = Stage(lambda ctx: ctx.step("a", misuses))
    ended = stage.play()
    assert ended.failure and (ended.failure.path, ended.failure.fix) == ("/a", "do it right")
    assert stage.state.steps["/a"].state == "failed"


def test_an_agent_that_is_not_there_fails_the_step_that_asks_for_it() -> None:
    stage = Stage(lambda ctx: ctx.agent("a", "go", by="nobody"))
    assert stage.play().failure
    assert stage.paths("step.failed") == ["/a"]


def test_nothing_has_been_played_on_a_new_stage() -> None:
    with pytest.raises(UsageError, match="nothing has been played"):
        _ = Stage(lambda ctx: ctx.step("a", lambda: 1)).execution


def test_a_body_that_leaves_a_step_behind_leaves_nothing_running() -> None:
    kept: list[asyncio.Task[Any]] = []

    async def flow(ctx: Context) -> Any:
        async def aside(inner: Context) -> Any:
            kept.append(asyncio.create_task(inner.step("s", forever)))
            await asyncio.sleep(0)
            return 1

        return await ctx.scope("in", aside)

    stage = Stage(flow)
    stage.play()
    assert (kept[0].cancelled(), stage.events[-1].as_json()["kind"]) == (True, "run.succeeded")


def test_names_used_again_are_numbered_per_scope() -> None:
    async def flow(ctx: Context) -> Any:
        for _ in range(3):
            await ctx.step("s", lambda: 1)
        await ctx.scope("in", lambda inner: inner.step("s", lambda: 1))

    stage = Stage(flow)
    stage.play()
    assert stage.paths("step.succeeded") == ["/s", "/s#2", "/s#3", "/in/s"]

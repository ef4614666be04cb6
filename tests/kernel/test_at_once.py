"""Functions of this process: one that ends without having waited has its start in its result."""

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from maestri.kernel.clock import VirtualClock
from maestri.kernel.context import Context
from maestri.patterns import each
from maestri.testing.play import Stage

COLOUR = ContextVar("colour", default="none")


async def answer(value: Any = 1) -> Any:
    return value


async def pausing(value: Any = 1) -> Any:
    await asyncio.sleep(0)
    return value


async def failing() -> None:
    message = "no such luck"
    raise ValueError(message)


async def pausing_and_failing() -> None:
    await asyncio.sleep(0)
    await failing()


def played(function: Any, *args: Any) -> Stage:
    async def flow(ctx: Context) -> Any:
        return await ctx.step("s", function, *args)

    stage = Stage(flow)
    stage.play()
    return stage


def test_a_function_that_does_not_wait_has_its_start_in_its_result() -> None:
    stage = played(answer)
    assert stage.paths("step.started") == []
    step = stage.state.steps["/s"]
    assert (step.state, step.agent, step.attempt, step.started) == ("succeeded", "call", 1, step.ended)


def test_a_function_that_waits_has_its_start_on_record() -> None:
    stage = played(pausing)
    assert [event.kind_name for event in stage.events if event.path] == ["step.started", "step.succeeded"]


@pytest.mark.parametrize("function", [failing, pausing_and_failing])
def test_a_function_that_fails_has_its_start_on_record(function: Any) -> None:
    stage = played(function)
    assert [event.kind_name for event in stage.events if event.path] == ["step.started", "step.failed"]
    step = stage.state.steps["/s"]
    assert "ValueError: no such luck" in step.note


@pytest.mark.parametrize("arguments", [(1, 2), ({1},)])
def test_what_cannot_be_called_or_kept_is_a_failure_of_the_step(arguments: Any) -> None:
    stage = Stage(lambda ctx: ctx.step("s", lambda: answer(*arguments)))
    assert stage.play().status == "failed"
    assert played(answer, *arguments).state.steps["/s"].state == "failed"


def test_how_long_a_function_has_computed_is_kept_with_its_result() -> None:
    clock = VirtualClock()

    async def computing() -> None:
        clock.jump(2.5)

    stage = Stage(lambda ctx: ctx.step("s", computing), clock=clock)
    stage.play()
    step = stage.state.steps["/s"]
    assert step.started is not None
    assert step.ended == step.started + 2.5


def test_what_a_function_waits_for_first_can_be_cancelled() -> None:
    ended = asyncio.Event()

    async def waiting() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0)
            ended.set()

    async def cancelled() -> str:
        execution = await stage.start()
        await asyncio.sleep(0.01)
        await execution.cancel("/s")
        return (await execution.wait()).status

    stage = Stage(lambda ctx: ctx.step("s", waiting))
    assert asyncio.run(cancelled()) == "failed"
    assert ended.is_set()


def test_a_function_that_swallows_a_cancellation_of_its_own_making_goes_on() -> None:
    async def swallowing() -> str:
        waiting = asyncio.ensure_future(asyncio.sleep(100))
        asyncio.get_running_loop().call_soon(waiting.cancel)
        try:
            await waiting
        except asyncio.CancelledError:
            return "went on"
        return "was not cancelled"

    assert played(swallowing).state.output == "went on"


def test_an_output_is_not_the_object_that_the_function_keeps() -> None:
    kept: dict[str, Any] = {"n": 1}

    async def keeping() -> dict[str, Any]:
        return kept

    async def flow(ctx: Context) -> Any:
        output = await ctx.step("s", keeping)
        kept["n"] = 2
        return output["n"]

    assert Stage(flow).play().output == 1


def test_a_child_of_a_fan_sees_nothing_of_what_another_has_set() -> None:
    async def one(_ctx: Context, item: int, _index: int) -> str:
        before = COLOUR.get()
        COLOUR.set(f"colour {item}")
        return before

    stage = Stage(lambda ctx: each(ctx, "all", [1, 2, 3], one, max_concurrent=1))
    assert stage.play().output == ["none", "none", "none"]

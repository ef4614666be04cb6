"""Parking without frames: what comes while they unwind waits, and nothing is recorded of what unwinds."""

import asyncio
from typing import Any

import pytest

from maestri.errors import PathNotFound
from maestri.kernel.context import Context
from maestri.kernel.events import RUN_PARKED
from maestri.kernel.runner import Ended
from maestri.patterns import parallel
from maestri.testing.play import Stage


def nested(depth: int) -> Any:
    async def body(ctx: Context) -> Any:
        if depth == 0:
            return await ctx.signal("go")
        return (await parallel(ctx, f"p{depth}", {"x": nested(depth - 1)}))["x"]

    return body


def when_parked(stage: Stage, act: Any) -> None:
    """Act in the turn in which the parking is stored: the frames unwind at that moment."""

    def listen(_run: str, events: Any) -> None:
        if any(event.kind == RUN_PARKED for event in events):
            act()

    stage.engine.watch(listen)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_word_that_comes_while_the_frames_unwind_waits_for_the_next_resume(depth: int) -> None:
    stage = Stage(nested(depth))
    when_parked(stage, lambda: stage.post("signal", name="go", value=7))
    assert stage.play().status == "waiting"
    assert stage.state.status == "waiting"
    assert stage.resume().output == 7


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_cancel_while_the_frames_unwind_is_taken_by_the_next_resume(depth: int) -> None:
    async def scenario() -> Ended:
        execution = await stage.start()
        when_parked(stage, lambda: requests.append(asyncio.ensure_future(execution.cancel(reason="me"))))
        return await execution.wait()

    requests: list[Any] = []
    stage = Stage(nested(depth))
    assert asyncio.run(scenario()).status == "waiting"
    assert stage.paths("run.cancel-requested") == []
    assert stage.resume().status == "cancelled"


def test_an_execution_that_has_parked_has_nothing_to_cancel() -> None:
    async def scenario() -> None:
        execution = await stage.start()
        await execution.wait()
        await execution.cancel()

    stage = Stage(nested(1))
    with pytest.raises(PathNotFound):
        asyncio.run(scenario())


def test_the_output_of_a_body_that_swallows_the_unwinding_is_not_taken() -> None:
    async def swallows(ctx: Context) -> Any:
        try:
            return await ctx.signal("go")
        except asyncio.CancelledError:
            return "swallowed"

    stage = Stage(lambda ctx: parallel(ctx, "p", {"x": swallows}))
    assert stage.play().status == "waiting"
    assert stage.paths("scope.succeeded", "run.succeeded") == []


def test_a_body_that_goes_on_while_it_is_left_begins_nothing() -> None:
    async def goes_on(ctx: Context) -> Any:
        try:
            return await ctx.signal("go")
        finally:
            await ctx.step("tidy", lambda: 1)

    stage = Stage(goes_on)
    assert stage.play().status == "waiting"
    assert stage.paths("step.started") == []


def test_a_body_with_its_frames_kept_that_wakes_by_itself_is_under_way_again() -> None:
    async def impatient(ctx: Context) -> Any:
        try:
            async with asyncio.timeout(0.01):
                return await ctx.signal("go")
        except TimeoutError:
            return await ctx.step("after", lambda: 1)

    async def scenario() -> Any:
        execution = await stage.start()
        assert (await execution.wait()).status == "waiting"
        await execution.over()
        return (await execution.wait()).output

    stage = Stage(impatient, keeps_frames=True)
    assert asyncio.run(scenario()) == 1
    assert stage.state.status == "succeeded"

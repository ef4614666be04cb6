"""A wall clock that is set forward and back while a run is under way: lengths of time stay what they were."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from maestri.errors import StepFailed
from maestri.kernel.clock import VirtualClock
from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.kernel.ports import Task
from maestri.kernel.state import fold
from maestri.testing.crashing import Crash, CrashingEngine
from maestri.testing.play import Stage

DAY_S = 86_400.0
JUMPS = pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S, 7.0, -7.0])


class SetClock(VirtualClock):
    """A clock whose date somebody sets; what it says of lengths of time is not touched by that."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_s = 0.0

    def now(self) -> float:
        return super().now() + self.ahead_s


class Talker:
    """An agent that gives signs of life for a while, `pause_s` apart, and sets the clock meanwhile."""

    def __init__(self, clock: SetClock, jump_s: float, signs: int, pause_s: float) -> None:
        self._clock = clock
        self._jump_s = jump_s
        self._signs = signs
        self._pause_s = pause_s

    async def perform(self, _task: Any, attempt: Any) -> Any:
        self._clock.ahead_s += self._jump_s
        for _ in range(self._signs):
            await self._clock.sleep(self._pause_s)
            attempt.beat()
            self._clock.ahead_s += self._jump_s
        await asyncio.get_running_loop().create_future()


def flow_of(policy: Policy) -> Callable[[Context], Any]:
    async def flow(ctx: Context) -> Any:
        return await ctx.perform("a", Task("talker", {}, policy))

    return flow


@JUMPS
@pytest.mark.parametrize(
    ("policy", "lasts_s"),
    [
        (Policy(idle_timeout_s=30), 130.0),  # silent from second 100 on
        (Policy(attempt_timeout_s=55), 55.0),
        (Policy(step_timeout_s=55), 55.0),
    ],
)
def test_a_limit_of_time_is_as_long_as_it_says(jump_s: float, policy: Policy, lasts_s: float) -> None:
    clock = SetClock()
    begun = clock.monotonic()
    ended = Stage(flow_of(policy), agent=Talker(clock, jump_s, 5, 20.0), clock=clock).play()
    assert ended.failure is not None
    assert ended.failure.code == "S103"
    assert clock.monotonic() - begun == pytest.approx(lasts_s)


@JUMPS
def test_a_pause_between_attempts_is_as_long_as_it_says(jump_s: float) -> None:
    clock, tries = SetClock(), []

    async def flaky() -> int:
        tries.append(clock.monotonic())
        clock.ahead_s += jump_s
        if len(tries) < 3:
            raise StepFailed("not yet", fix="wait")
        return len(tries)

    async def flow(ctx: Context) -> Any:
        return await ctx.step(
            "a", flaky, policy=Policy(Retry(max_attempts=3, delay_s=10, factor=1, jitter=0))
        )

    assert Stage(flow, clock=clock).play().output == 3
    assert [later - earlier for earlier, later in pairwise(tries)] == [10.0, 10.0]


def set_while_waiting(clock: SetClock, jump_s: float) -> Callable[[Context], Any]:
    async def flow(ctx: Context) -> Any:
        asyncio.get_running_loop().call_soon(setattr, clock, "ahead_s", jump_s)
        await ctx.sleep(60)
        return await ctx.step("after", lambda: "done")

    return flow


@JUMPS
def test_a_wait_under_way_is_as_long_as_it_says(jump_s: float) -> None:
    clock = SetClock()
    begun = clock.monotonic()
    stage = Stage(set_while_waiting(clock, jump_s), clock=clock)
    assert stage.play().output == "done"
    assert clock.monotonic() - begun == 60.0
    assert fold(stage.events).status == "succeeded"


@pytest.mark.parametrize(("jump_s", "rest_s"), [(DAY_S, 0.0), (-DAY_S, 60.0), (7.0, 53.0), (-7.0, 60.0)])
def test_a_wait_that_a_resume_takes_up_is_never_longer_than_the_whole(jump_s: float, rest_s: float) -> None:
    clock = SetClock()
    stage = Stage(set_while_waiting(clock, 0.0), clock=clock)
    kept, stage.engine = stage.engine, CrashingEngine(stage.engine, 2)
    with pytest.raises(Crash):
        stage.play()
    stage.engine, clock.ahead_s, begun = kept, jump_s, clock.monotonic()
    stage.definition = Stage(set_while_waiting(clock, jump_s)).definition
    assert stage.resume().output == "done"
    assert clock.monotonic() - begun == rest_s


@pytest.mark.parametrize(("jump_s", "rest_s"), [(DAY_S, 0.0), (-DAY_S, 10.0)])
def test_a_pause_between_attempts_that_a_resume_takes_up(jump_s: float, rest_s: float) -> None:
    clock, tries = SetClock(), []

    async def flaky() -> str:
        tries.append(clock.monotonic())
        if len(tries) < 2:
            raise StepFailed("not yet", fix="wait")
        return "done"

    async def flow(ctx: Context) -> Any:
        return await ctx.step("a", flaky, policy=Policy(Retry(max_attempts=2, delay_s=10, jitter=0)))

    stage = Stage(flow, clock=clock)
    kept, stage.engine = stage.engine, CrashingEngine(stage.engine, 2)
    with pytest.raises(Crash):
        stage.play()
    stage.engine, clock.ahead_s, begun = kept, jump_s, clock.monotonic()
    assert stage.resume().output == "done"
    assert clock.monotonic() - begun == rest_s

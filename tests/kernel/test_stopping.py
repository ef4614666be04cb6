"""Stops at odd moments: what was reopened, what swallows a cancel, words that look like ours, and counts."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from maestri.errors import RunError, StepCancelled
from maestri.kernel.body import OneStep, Opening
from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.kernel.runner import Ended, Execution
from maestri.patterns import loop, parallel, sequence
from maestri.testing.play import Stage

TURNS = 12


class Reopened:
    """A step that fails at first, and once the run is resumed takes for ever."""

    def __init__(self) -> None:
        self.is_reopened = False

    async def work(self) -> None:
        if not self.is_reopened:
            message = "x"
            raise ValueError(message)
        await asyncio.Event().wait()

    async def quick(self) -> int:
        await asyncio.sleep(0)
        if not self.is_reopened:
            message = "y"
            raise ValueError(message)
        return 1


async def forever() -> None:
    await asyncio.Event().wait()


def disturbed(stage: Stage, act: Callable[[Execution], Any], *, resumed: bool = False) -> Ended:
    """Play or resume a run, and do something to it once it has come to its waits."""

    async def scenario() -> Ended:
        execution = await (stage.restart() if resumed else stage.start())
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await act(execution)
        return await execution.wait()

    return asyncio.run(scenario())


@pytest.mark.parametrize(("path", "status"), [("/s", "failed"), ("/", "cancelled")])
def test_a_reopened_step_can_be_cancelled(path: str, status: str) -> None:
    step = Reopened()
    stage = Stage(lambda ctx: ctx.step("s", step.work))
    stage.play()
    step.is_reopened = True
    assert disturbed(stage, lambda execution: execution.cancel(path), resumed=True).status == status
    assert stage.paths("step.cancelled") == ["/s"]


def test_a_reopened_step_keeps_its_time_limit() -> None:
    step = Reopened()
    limit = Policy(step_timeout_s=30)
    stage = Stage(lambda ctx: ctx.step("s", step.work, policy=limit))
    stage.play()
    step.is_reopened = True
    failure = stage.resume().failure
    assert failure is not None
    assert (failure.message, failure.attempt) == ("the step took longer than 30 s", 2)


def test_a_reopened_step_can_lose_a_race() -> None:
    step = Reopened()
    branches: dict[str, Any] = {
        "slow": OneStep(lambda c: c.step("s", step.work)),
        "quick": OneStep(lambda c: c.step("q", step.quick)),
    }
    stage = Stage(lambda ctx: parallel(ctx, "p", branches, join="any"))
    stage.play()
    step.is_reopened = True
    assert stage.resume().output == {"quick": 1}


def test_code_that_swallows_its_cancellation_begins_no_other_step() -> None:
    async def swallows(ctx: Context) -> Any:
        with contextlib.suppress(BaseException):
            await ctx.step("a", forever)
        return await ctx.step("c", lambda: 1)

    stage = Stage(swallows)
    assert disturbed(stage, lambda execution: execution.cancel()).status == "cancelled"
    assert stage.paths("step.started") == ["/a"]


def test_a_loop_that_failed_at_its_cap_gets_its_rounds_anew_when_it_is_resumed() -> None:
    async def a_round(ctx: Context, number: int, _last: Any) -> Any:
        return await ctx.step("w", lambda: number)

    stage = Stage(lambda ctx: loop(ctx, "l", a_round, until=lambda _c, n, _o: n == 5, max_rounds=3))
    assert stage.play().status == "failed"
    assert stage.resume().output == 5
    assert len(stage.paths("step.started")) == 5


@pytest.mark.parametrize("words", ["step 3 looks wrong", "idle", "attempt", "limit", "scope", "request"])
@pytest.mark.parametrize("path", ["/sc", "/sc/s"])
def test_the_words_of_a_cancel_are_shown_and_decide_nothing(words: str, path: str) -> None:
    async def body(ctx: Context) -> Any:
        return await ctx.step("s", forever)

    async def flow(ctx: Context) -> Any:
        try:
            await ctx.scope("sc", body)
        except StepCancelled as error:
            return error.message

    stage = Stage(flow)
    live = disturbed(stage, lambda execution: execution.cancel(path, words)).output
    assert live == f"`{path}` was cancelled: {words}"
    assert stage.cut(len(stage.events) - 1).resume().output == live
    reasons = [e.body["reason"] for e in stage.events if e.path == path and "reason" in e.body]
    assert reasons == ["request"]


def test_a_run_that_took_too_long_is_called_the_run() -> None:
    failure = Stage(lambda ctx: ctx.step("s", forever), timeout_s=30).play().failure
    assert failure is not None
    assert failure.message == "the run took longer than 30 s"


def test_a_scope_that_took_too_long_is_named() -> None:
    async def flow(ctx: Context) -> Any:
        ctx.prepare(Opening(timeout_s=5))
        return await sequence(ctx, "sc", lambda c: c.step("s", forever))

    failure = Stage(flow).play().failure
    assert failure is not None
    assert (failure.type, failure.message) == ("Timeout", "`/sc` took longer than 5 s")


def test_a_scope_that_cancels_itself_and_waits_for_nothing_harms_no_later_step() -> None:
    async def cancels_itself(ctx: Context) -> int:
        ctx.core.cancel("/sc", "me")
        return 1

    async def flow(ctx: Context) -> Any:
        try:
            await ctx.scope("sc", cancels_itself)
        except StepCancelled as error:
            return [error.message, await ctx.step("next", lambda: 5)]

    assert Stage(flow).play().output == ["`/sc` was cancelled: me", 5]


def test_a_cancelled_scope_counts_the_same_for_a_digest_live_and_on_replay() -> None:
    async def inner(ctx: Context) -> Any:
        await ctx.step("a", lambda: 1)
        await ctx.step("w", forever)

    async def outer(ctx: Context) -> Any:
        try:
            await ctx.scope("sc", inner)
        except StepCancelled:
            return await ctx.step("after", lambda: 1)

    stage = Stage(lambda ctx: ctx.scope("o", outer))
    disturbed(stage, lambda execution: execution.cancel("/o/sc"))
    before_after = next(e.seq for e in stage.events if e.path == "/o/after") - 1
    cut = stage.cut(before_after)
    cut.resume()
    seals = [[e.digest for e in one.events if e.kind_name == "scope.succeeded"] for one in (stage, cut)]
    assert seals[0] == seals[1]


class Slow:
    """An agent that never answers the first request, and remembers the keys."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        self.keys.append(attempt.key)
        if len(self.keys) == 1:
            await forever()
        return Answer(1)


def test_a_step_that_was_cancelled_and_reopened_gets_a_new_key() -> None:
    agent = Slow()
    stage = Stage(lambda ctx: ctx.perform("s", Task("x", {})), agent=agent)
    disturbed(stage, lambda execution: execution.cancel("/s"))
    assert stage.resume().status == "succeeded"
    assert agent.keys == ["run-1/s/1", "run-1/s/2"]


def test_a_limit_during_the_pause_names_the_attempt_that_was_made() -> None:
    def fails() -> None:
        message = "x"
        raise ValueError(message)

    policy = Policy(Retry(5, delay_s=100, jitter=0), step_timeout_s=5)
    stage = Stage(lambda ctx: ctx.call("s", fails, policy=policy))
    failure = stage.play().failure
    assert failure is not None
    assert failure.attempt == 1
    stage.resume()
    assert [e.body.get("attempt", 1) for e in stage.events if e.kind_name == "step.started"] == [1, 2]


def test_a_cancelled_step_says_the_same_live_and_on_replay() -> None:
    async def flow(ctx: Context) -> Any:
        try:
            await ctx.step("s", forever)
        except RunError as error:
            return [error.message, error.cause, error.attempt]

    stage = Stage(flow)
    live = disturbed(stage, lambda execution: execution.cancel("/s", "me")).output
    assert stage.cut(len(stage.events) - 1).resume().output == live

"""Cancelling steps, scopes and runs, also at the worst moment."""

import asyncio
import contextlib
from typing import Any

import pytest

from maestri.errors import PathNotFound, RunError, StepCancelled
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.patterns import parallel, sequence
from maestri.testing.play import Stage


async def forever() -> None:
    await asyncio.Event().wait()


async def one() -> int:
    return 1


def canceller(stage: list[Stage], *paths: str) -> Any:
    async def cancel() -> str:
        for path in paths:
            await stage[0].execution.cancel(path)
        return "done"

    return cancel


def staged(flow: Any, **options: Any) -> tuple[Stage, list[Stage]]:
    box: list[Stage] = []
    stage = Stage(flow(box), **options)
    box.append(stage)
    return stage, box


def beside(box: list[Stage], slow: Any, *paths: str, **options: Any) -> Any:
    """Return a flow with a slow step `/p/slow` and one beside it that cancels."""

    async def flow(ctx: Context) -> Any:
        branches = {"slow": OneStep(slow), "stop": OneStep(lambda c: c.step("stop", canceller(box, *paths)))}
        return await parallel(ctx, "p", branches, **options)

    return flow


async def slow_step(ctx: Context) -> Any:
    return await ctx.step("slow", forever)


def test_a_cancelled_run_ends_as_cancelled_and_says_so_at_every_level() -> None:
    stage, _ = staged(lambda box: beside(box, slow_step, "/"))
    assert stage.play().status == "cancelled"
    assert stage.paths("step.cancelled", "scope.cancelled") == ["/p/slow", "/p"]
    assert stage.state.status == "cancelled"


def test_a_cancelled_run_can_be_resumed_and_what_was_cancelled_runs_again() -> None:
    calls: list[int] = []

    async def slow() -> int:
        calls.append(1)
        if len(calls) == 1:
            await forever()
        return 7

    stage, _ = staged(lambda box: beside(box, lambda c: c.step("slow", slow), "/"))
    stage.play()
    ended = stage.resume()
    assert ended.output == {"slow": 7, "stop": "done"}
    assert stage.state.status == "succeeded"


def test_the_request_is_recorded_before_what_it_cancels() -> None:
    stage, _ = staged(lambda box: beside(box, slow_step, "/p/slow", join="settled"))
    stage.play()
    kinds = [event.as_json()["kind"] for event in stage.events]
    assert kinds.index("run.cancel-requested") < kinds.index("step.cancelled")


def test_a_cancelled_branch_is_a_failure_that_settled_accepts() -> None:
    stage, _ = staged(lambda box: beside(box, slow_step, "/p/slow", join="settled"))
    ended = stage.play()
    assert ended.output["slow"]["failed"]["code"] == StepCancelled.code
    assert ended.handled == 1


def test_a_cancelled_branch_fails_a_join_of_all() -> None:
    stage, _ = staged(lambda box: beside(box, slow_step, "/p/slow"))
    ended = stage.play()
    assert (ended.status, ended.failure and ended.failure.type) == ("failed", "StepCancelled")


def test_a_cancelled_branch_does_not_disturb_a_join_of_any() -> None:
    stage, _ = staged(lambda box: beside(box, slow_step, "/p/slow", join="any"))
    assert stage.play().output == {"stop": "done"}


def test_a_cancelled_scope_takes_what_is_below_with_it() -> None:
    async def slow(ctx: Context) -> Any:
        return await sequence(ctx, "slow", slow_step)

    async def inner(ctx: Context) -> Any:
        return await slow(ctx)

    stage, _ = staged(lambda box: beside(box, inner, "/p/slow", join="settled"))
    assert stage.play().output["stop"] == "done"
    assert stage.paths("step.cancelled", "scope.cancelled") == ["/p/slow/slow", "/p/slow"]


def test_a_cancel_may_be_handled_by_the_body_and_is_the_same_on_replay() -> None:
    async def body(ctx: Context) -> Any:
        try:
            return await ctx.step("slow", forever)
        except StepCancelled as error:
            return error.message

    stage, _ = staged(lambda box: beside(box, lambda c: sequence(c, "slow", body), "/p/slow/slow"))
    live = stage.play().output
    ends = [i for i, e in enumerate(stage.events) if e.path == "/p/slow/slow" and e.kind > 9]
    assert stage.cut(ends[0] + 1).resume().output == live


def test_two_requests_for_one_step_are_one_cancel() -> None:
    stage, _ = staged(lambda box: beside(box, slow_step, "/p/slow", "/p/slow", join="settled"))
    assert stage.play().status == "succeeded"
    assert stage.paths("step.cancelled") == ["/p/slow"]


@pytest.mark.parametrize("paths", [("/p/slow", "/p"), ("/p", "/p/slow"), ("/p/slow", "/p", "/")])
def test_a_step_and_its_scope_cancelled_at_once_end_the_scope(paths: tuple[str, ...]) -> None:
    stage, _ = staged(lambda box: beside(box, slow_step, *paths, join="settled"))
    ended = stage.play()
    assert ended.status in {"failed", "cancelled"}
    assert "/p" in stage.paths("scope.cancelled")


def test_a_step_that_is_being_stored_as_succeeded_cannot_be_cancelled() -> None:
    async def flow(ctx: Context) -> Any:
        async def quick() -> int:
            asyncio.get_running_loop().call_soon(stage.execution.core.cancel, "/", "request")
            return 1

        return await ctx.step("quick", quick)

    stage = Stage(flow)
    assert stage.play().status == "cancelled"
    assert stage.paths("step.succeeded") == ["/quick"]
    assert stage.state.steps["/quick"].state == "succeeded"
    assert stage.resume().output == 1


def test_a_cancel_during_the_wait_before_a_retry_stops_the_step() -> None:
    async def fails() -> None:
        message = "no"
        raise ValueError(message)

    async def flow(ctx: Context) -> Any:
        async def cancel_later() -> None:
            await stage.clock.sleep(5)
            await stage.execution.cancel("/p/slow")

        retry = Policy(Retry(max_attempts=3, delay_s=60, jitter=0))
        branches = {
            "slow": OneStep(lambda c: c.step("slow", fails, policy=retry)),
            "stop": OneStep(lambda c: c.step("stop", cancel_later)),
        }
        return await parallel(ctx, "p", branches, join="settled")

    stage = Stage(flow)
    assert stage.play().output["slow"]["failed"]["code"] == StepCancelled.code
    assert stage.paths("step.started").count("/p/slow") == 1


def test_a_function_that_turns_a_cancel_into_an_error_is_not_tried_again() -> None:
    async def stubborn() -> None:
        try:
            await forever()
        except asyncio.CancelledError as error:
            message = "could not clean up"
            raise ValueError(message) from error

    def slow(ctx: Context) -> Any:
        return ctx.step("slow", stubborn, policy=Policy(Retry(max_attempts=9, delay_s=1)))

    stage, _ = staged(lambda box: beside(box, slow, "/"))
    assert stage.play().status == "cancelled"
    assert stage.paths("step.started").count("/p/slow") == 1


def test_a_function_that_swallows_a_cancel_leaves_later_cancels_working() -> None:
    async def swallows() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await forever()
        return "kept"

    async def slow(ctx: Context) -> Any:
        first = await ctx.step("first", swallows)
        with contextlib.suppress(StepCancelled):
            await ctx.step("second", canceller(box, "/p/slow/second"))
            await asyncio.sleep(0)
        return first

    stage, box = staged(lambda box: beside(box, lambda c: sequence(c, "slow", slow), "/p/slow/first"))
    assert stage.play().output == {"slow": "kept", "stop": "done"}


def test_a_cancel_that_comes_while_a_timed_out_attempt_cleans_up_is_not_lost() -> None:
    async def slow_to_die() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await stage.execution.cancel("/slow")
            await asyncio.sleep(0)
            raise

    async def flow(ctx: Context) -> Any:
        limits = Policy(Retry(max_attempts=5, delay_s=1), attempt_timeout_s=10)
        return await ctx.step("slow", slow_to_die, policy=limits)

    stage = Stage(flow)
    ended = stage.play()
    assert (ended.failure and ended.failure.type) == "StepCancelled"
    assert stage.paths("step.started") == ["/slow"]


def test_an_outer_cancel_while_a_timed_out_attempt_cleans_up_reaches_the_scope() -> None:
    async def slow_to_die() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await stage.execution.cancel("/")
            await asyncio.sleep(0)
            raise

    async def flow(ctx: Context) -> Any:
        try:
            return await ctx.step("slow", slow_to_die, policy=Policy(attempt_timeout_s=10))
        except RunError:
            return await ctx.step("after", one)

    stage = Stage(flow)
    assert stage.play().status == "cancelled"
    assert "/after" not in stage.paths("step.started")


def test_a_run_can_be_cancelled_before_its_first_turn() -> None:
    async def flow(ctx: Context) -> Any:
        return await ctx.step("slow", forever)

    async def scenario() -> str:
        execution = await stage.start()
        await execution.cancel()
        return (await execution.wait()).status

    stage = Stage(flow)
    assert asyncio.run(scenario()) == "cancelled"
    assert stage.paths("step.started") == []


def test_what_is_not_under_way_cannot_be_cancelled_and_nothing_is_recorded() -> None:
    async def cancel() -> str:
        with pytest.raises(PathNotFound) as caught:
            await stage.execution.cancel("/nowhere")
        return caught.value.fix

    stage = Stage(lambda ctx: ctx.step("a", cancel))
    assert "maestri show" in stage.play().output
    assert stage.paths("run.cancel-requested") == []


def test_a_cancel_by_message_is_recorded_once_with_its_id() -> None:
    async def flow(ctx: Context) -> Any:
        async def post() -> None:
            stage.post("cancel", path="/slow", by="me")

        await ctx.step("post", post)
        return await ctx.step("slow", forever)

    stage = Stage(flow)
    stage.play()
    requests = [e.body for e in stage.events if e.as_json()["kind"] == "run.cancel-requested"]
    assert requests == [{"path": "/slow", "id": "message-0001", "by": "me"}]


def test_a_cancelled_error_that_nobody_asked_for_is_a_failure_of_the_step() -> None:
    async def awaits_something_cancelled() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    stage = Stage(lambda ctx: ctx.step("odd", awaits_something_cancelled))
    ended = stage.play()
    assert (ended.status, stage.paths("step.failed")) == ("failed", ["/odd"])


def test_a_cancelled_error_of_a_body_is_a_failure_of_its_scope() -> None:
    async def odd(_: Context) -> None:
        raise asyncio.CancelledError

    async def flow(ctx: Context) -> Any:
        branches: dict[str, Any] = {"odd": odd, "good": OneStep(lambda c: c.step("g", one))}
        return await parallel(ctx, "p", branches, join="settled")

    ended = Stage(flow).play()
    assert ended.output["good"] == 1
    assert ended.output["odd"]["failed"]["path"] == "/p/odd"


def test_finally_blocks_may_run_steps_while_a_scope_is_cancelled() -> None:
    async def careful(ctx: Context) -> Any:
        try:
            return await ctx.step("work", forever)
        finally:
            await ctx.step("tidy", one)

    stage, _ = staged(lambda box: beside(box, lambda c: sequence(c, "slow", careful), "/"))
    assert stage.play().status == "cancelled"
    assert "/p/slow/tidy" in stage.paths("step.succeeded")


def test_cancelling_a_scope_whose_children_are_ending_leaves_no_one_behind() -> None:
    async def brief(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    async def flow(ctx: Context) -> Any:
        def one(turns: int) -> Any:
            return OneStep(lambda c: c.step("s", brief, turns))

        branches = {f"b{n}": one(n) for n in range(12)}
        branches["stop"] = OneStep(lambda c: c.step("stop", canceller([stage], "/p")))
        return await parallel(ctx, "p", branches)

    stage = Stage(flow)
    assert stage.play().status == "failed"
    assert {step.state for step in stage.state.steps.values()} <= {"succeeded", "cancelled"}
    assert stage.resume().status in {"failed", "succeeded"}

"""Waits that outlive a process: timers, signals, people; parking, and what wakes a run up again."""

import asyncio
from typing import Any

import pytest

from maestri.errors import RunError, StepCancelled
from maestri.kernel.context import Context
from maestri.patterns import parallel
from maestri.testing.play import Stage


async def asks(ctx: Context) -> Any:
    return await ctx.ask("go", "Go on?", ["yes", "no"])


async def waits(ctx: Context) -> Any:
    return await ctx.signal("ready")


def test_a_run_that_waits_for_a_person_is_parked_and_says_for_whom() -> None:
    stage = Stage(asks)
    ended = stage.play()
    assert (ended.status, ended.waiting) == ("waiting", ("/go",))
    assert (stage.state.status, stage.state.steps["/go"].state) == ("waiting", "blocked")
    assert stage.state.steps["/go"].note == "an answer: Go on?"


def test_an_answer_is_taken_at_the_next_resume() -> None:
    stage = Stage(asks)
    stage.play()
    stage.post("answer", path="/go", value="yes")
    assert stage.resume().output == "yes"
    answered = next(e.seq for e in stage.events if e.as_json()["kind"] == "step.succeeded")
    assert stage.cut(answered).resume().output == "yes"


def test_a_run_without_an_answer_is_parked_again_by_a_resume() -> None:
    stage = Stage(asks)
    stage.play()
    assert stage.resume().status == "waiting"
    assert stage.state.status == "waiting"


def test_a_signal_that_came_before_the_wait_is_not_missed() -> None:
    async def flow(ctx: Context) -> Any:
        await ctx.step("post", lambda: stage.post("signal", name="ready", value={"n": 1}))
        return await waits(ctx)

    stage = Stage(flow)
    assert stage.play().output == {"n": 1}
    assert stage.paths("run.parked") == []


def test_a_signal_that_comes_during_the_wait_wakes_the_run() -> None:
    async def scenario() -> Any:
        execution = await stage.start()
        for _ in range(5):
            await asyncio.sleep(0)
        stage.post("signal", name="ready", value=7)
        return await execution.wait()

    async def busy(ctx: Context) -> Any:
        return await ctx.sleep(60)

    stage = Stage(lambda ctx: parallel(ctx, "p", {"waits": waits, "busy": busy}))
    assert asyncio.run(scenario()).output == {"waits": 7, "busy": None}


def test_two_waits_for_one_signal_take_one_word_each_in_order() -> None:
    async def flow(ctx: Context) -> Any:
        return [await ctx.signal("first", "word"), await ctx.signal("second", "word")]

    stage = Stage(flow)
    stage.play()
    for value in (1, 2, 3):
        stage.post("signal", name="word", value=value)
    assert stage.resume().output == [1, 2]


def test_a_message_is_taken_once_however_often_a_run_is_resumed() -> None:
    async def flow(ctx: Context) -> Any:
        return [await ctx.signal("a", "word"), await ctx.signal("b", "word")]

    stage = Stage(flow)
    stage.play()
    stage.post("signal", name="word", value=1)
    assert stage.resume().status == "waiting"
    assert stage.resume().waiting == ("/b",)


def test_people_may_be_asked_in_several_branches_at_once() -> None:
    async def one(ctx: Context) -> Any:
        return await ctx.ask("one", "1?")

    async def two(ctx: Context) -> Any:
        return await ctx.ask("two", "2?")

    stage = Stage(lambda ctx: parallel(ctx, "p", {"a": one, "b": two}))
    assert stage.play().waiting == ("/p/a/one", "/p/b/two")
    stage.post("answer", path="/p/b/two", value="second")
    assert stage.resume().waiting == ("/p/a/one",)
    stage.post("answer", path="/p/a/one", value="first")
    assert stage.resume().output == {"a": "first", "b": "second"}


def test_a_run_is_not_parked_while_anything_can_go_on() -> None:
    async def works(ctx: Context) -> Any:
        await ctx.sleep(3600)
        return await ctx.step("s", lambda: 1)

    stage = Stage(lambda ctx: parallel(ctx, "p", {"asks": asks, "works": works}))
    assert stage.play().status == "waiting"
    assert "/p/works/s" in stage.paths("step.succeeded")


def test_a_sleep_is_journaled_and_a_resume_waits_for_the_rest() -> None:
    stage = Stage(lambda ctx: ctx.sleep(100))
    stage.play()
    cut = stage.cut(next(e.seq for e in stage.events if e.as_json()["kind"] == "decided"))
    cut.clock = type(stage.clock)(1_000_000_060.0)  # type: ignore[call-arg]
    assert cut.resume().status == "succeeded"
    assert cut.clock.now() == 1_000_000_100.0


def test_a_sleep_whose_time_has_come_meanwhile_is_over() -> None:
    stage = Stage(lambda ctx: ctx.sleep(100))
    stage.play()
    cut = stage.cut(next(e.seq for e in stage.events if e.as_json()["kind"] == "step.blocked"))
    cut.clock = type(stage.clock)(1_000_005_000.0)  # type: ignore[call-arg]
    cut.resume()
    assert (cut.clock.now(), cut.state.steps["/sleep"].state) == (1_000_005_000.0, "succeeded")


@pytest.mark.parametrize("verb", ["sleep", "signal", "ask"])
def test_a_wait_can_be_cancelled_by_its_path_and_stays_so_on_replay(verb: str) -> None:
    async def waiting(ctx: Context) -> Any:
        calls: dict[str, Any] = {
            "sleep": lambda: ctx.sleep(1e6, "wait"),
            "signal": lambda: ctx.signal("wait"),
            "ask": lambda: ctx.ask("wait", "?"),
        }
        try:
            return await calls[verb]()
        except StepCancelled:
            return "cancelled"

    async def stop(ctx: Context) -> Any:
        await ctx.step("stop", lambda: None if cancelled else stage.execution.cancel("/p/w/wait"))

    cancelled = 0
    stage = Stage(lambda ctx: parallel(ctx, "p", {"w": waiting, "s": stop}))
    assert stage.play().output["w"] == "cancelled"
    cancelled = next(e.seq for e in stage.events if e.as_json()["kind"] == "step.cancelled")
    assert stage.cut(cancelled).resume().output["w"] == "cancelled"


def test_a_cancel_while_an_answer_is_being_stored_leaves_one_end_on_record() -> None:
    async def scenario() -> None:
        execution = await stage.restart()
        while "answered" not in seen:
            await asyncio.sleep(0)
            if execution.core.waits.answered:
                seen.append("answered")
                execution.core.cancel("/", "request")
        await execution.wait()

    seen: list[str] = []
    stage = Stage(asks)
    stage.play()
    stage.post("answer", path="/go", value="yes")
    asyncio.run(scenario())
    ends = stage.paths("step.succeeded", "step.cancelled")
    assert (ends, stage.state.status) == (["/go"], "cancelled")


def test_parking_leaves_no_ends_behind() -> None:
    async def outer(ctx: Context) -> Any:
        return await parallel(ctx, "p", {"a": asks, "b": waits})

    stage = Stage(outer)
    stage.play()
    assert stage.paths("step.cancelled", "scope.cancelled", "scope.failed") == []


def test_a_run_whose_frames_are_kept_goes_on_in_the_same_process() -> None:
    cleaned: list[str] = []

    async def flow(ctx: Context) -> Any:
        try:
            return [await asks(ctx), await ctx.ask("again", "Again?")]
        finally:
            cleaned.append("finally")

    async def scenario() -> list[Any]:
        execution = await stage.start()
        seen: list[Any] = [(await execution.wait()).waiting, list(cleaned)]
        stage.post("answer", path="/go", value="yes")
        await stage.clock.sleep(1)
        seen.append((await execution.wait()).waiting)
        stage.post("answer", path="/again", value="no")
        await stage.clock.sleep(1)
        return [*seen, (await execution.wait()).output]

    stage = Stage(flow, keeps_frames=True)
    assert asyncio.run(scenario()) == [("/go",), [], ("/again",), ["yes", "no"]]
    assert (stage.state.status, cleaned) == ("succeeded", ["finally"])


def test_a_parked_run_whose_frames_are_kept_can_be_cancelled() -> None:
    async def scenario() -> str:
        execution = await stage.start()
        await execution.wait()
        await execution.cancel()
        return (await execution.wait()).status

    stage = Stage(asks, keeps_frames=True)
    assert asyncio.run(scenario()) == "cancelled"
    assert stage.state.status == "cancelled"


def test_a_run_that_waits_can_be_cancelled_by_message() -> None:
    stage = Stage(asks)
    stage.play()
    stage.post("cancel")
    assert stage.resume().status == "cancelled"


def test_the_limit_of_a_run_also_ends_its_waits() -> None:
    async def flow(ctx: Context) -> Any:
        return await parallel(ctx, "p", {"asks": asks, "sleeps": lambda c: c.sleep(1e6)})

    ended = Stage(flow, timeout_s=60).play()
    assert ended.failure and ended.failure.type == "Timeout"


def test_time_and_chance_are_the_same_on_replay() -> None:
    async def flow(ctx: Context) -> Any:
        values = [await ctx.now(), await ctx.random(), await ctx.decide("x", lambda: {"made": len(made)})]
        made.append(1)
        await ctx.step("end", lambda: 1)
        return values

    made: list[int] = []
    stage = Stage(flow)
    output = stage.play().output
    cut = stage.cut(len(stage.events) - 2)
    assert cut.resume().output == output


def test_a_decision_that_json_cannot_carry_is_refused() -> None:
    ended = Stage(lambda ctx: ctx.decide("x", lambda: {1, 2})).play()
    assert ended.failure and ended.failure.code == "S106"


def test_a_result_of_a_run_that_waits_is_an_error_that_says_so() -> None:
    with pytest.raises(RunError, match="the run bold-otter-1 is waiting"):
        Stage(asks).play().result()

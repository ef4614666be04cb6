"""Waits with a time limit, events that a run tells itself, and answers that are refused."""

from typing import Any

import pytest

from maestri.errors import RunError, StepChanged
from maestri.kernel import events as ev
from maestri.kernel.context import Context
from maestri.patterns import parallel
from maestri.testing.play import Stage, check_resume


def asking(
    timeout_s: float | None = None, on_timeout: Any = "fail", default: Any = None, **more: Any
) -> Stage:
    limit: Any = {"timeout_s": timeout_s, "on_timeout": on_timeout, "default": default}
    return Stage(lambda ctx: ctx.ask("q", "how many?", **limit, **more))


def test_a_question_whose_time_is_up_fails_with_its_words_and_is_asked_anew_by_a_resume() -> None:
    stage = asking(60)
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S103", "/q")
    assert ended.failure.message == "nothing came within 60 s: an answer: how many?"
    stage.post("answer", path="/q", value=3)
    assert stage.resume().output == 3


def test_a_question_whose_time_is_up_may_be_skipped_or_have_a_default() -> None:
    assert asking(60, "skip").play().output is None
    assert asking(60, "default", [5]).play().output == [5]


def test_the_run_waits_for_the_limit_and_not_longer() -> None:
    stage = asking(60, "skip")
    before = stage.clock.now()
    stage.play()
    assert 60 <= stage.clock.now() - before < 61


def test_a_resume_waits_for_what_is_left_of_the_limit() -> None:
    stage = asking(60, "skip")
    stage.play()
    cut = stage.cut(next(event.seq for event in stage.events if event.kind == ev.BLOCKED))
    begun = stage.events[1].at
    assert cut.resume().output is None
    assert cut.clock.now() - begun < 61  # the clock of the cut stands where the limit was already over


def test_an_answer_that_came_in_time_counts_although_the_run_is_resumed_later() -> None:
    stage = asking(60, "skip")
    stage.play()
    cut = stage.cut(next(event.seq for event in stage.events if event.kind == ev.BLOCKED))
    cut.post("answer", path="/q", value="in time")
    assert cut.resume().output == "in time"


def test_a_signal_may_have_a_limit_too() -> None:
    assert (
        Stage(lambda ctx: ctx.signal("s", "go", timeout_s=5, on_timeout="default", default=7)).play().output
        == 7
    )


def test_a_failed_wait_can_be_handled_and_is_counted() -> None:
    async def flow(ctx: Context) -> Any:
        try:
            return await ctx.ask("q", "?", timeout_s=1)
        except RunError as error:
            return error.code

    stage = Stage(flow)
    ended = stage.play()
    assert (ended.output, ended.handled) == ("S103", 1)
    check_resume(stage)


@pytest.mark.parametrize("limit", [(1,), (1, "skip"), (1, "default", {"a": 1})])
def test_a_wait_with_a_limit_resumes_at_every_event(limit: tuple[Any, ...]) -> None:
    stage = asking(*limit)
    stage.play()
    check_resume(stage)


def test_an_answer_that_is_refused_is_on_record_and_the_question_stays_open() -> None:
    stage = asking(refuses=lambda answer: "" if isinstance(answer, int) else "it is no number")
    assert stage.play().status == "waiting"
    stage.post("answer", path="/q", value="many")
    assert stage.resume().status == "waiting"
    refused = [event.body for event in stage.events if event.kind == ev.DIRECTED]
    assert [(one["path"], one["refused"]) for one in refused] == [("/q", "it is no number")]
    stage.post("answer", path="/q", value=3)
    assert stage.resume().output == 3


# --- events ----------------------------------------------------------------------------------------


async def tells_itself(ctx: Context) -> Any:
    async def waits(scope: Context) -> Any:
        return [await scope.signal("first", "done"), await scope.signal("second", "done")]

    async def tells(scope: Context) -> Any:
        one = await scope.emit("one", {"n": 1}, "done")
        await scope.emit("done", 2)
        return one

    return await parallel(ctx, "p", {"w": waits, "t": tells})


def test_an_event_goes_to_one_who_waits_for_it_once_and_in_order() -> None:
    output = Stage(tells_itself).play().output
    assert output == {"w": [{"n": 1}, 2], "t": {"name": "done", "data": {"n": 1}}}


def test_events_are_emitted_once_wherever_the_run_is_cut_off() -> None:
    stage = Stage(tells_itself)
    stage.play()
    check_resume(stage)


def test_an_event_for_nobody_waits_for_whoever_asks_later() -> None:
    async def flow(ctx: Context) -> Any:
        await ctx.emit("tell", "early", "go")
        await ctx.sleep(5)
        return await ctx.signal("go")

    assert Stage(flow).play().output == "early"


def test_another_event_at_the_same_place_is_noticed_by_a_replay() -> None:
    data = [1]

    async def flow(ctx: Context) -> Any:
        await ctx.emit("tell", data[0], "go")
        return await ctx.ask("q", "?")

    stage = Stage(flow)
    stage.play()
    data[0] = 2
    with pytest.raises(StepChanged):
        stage.resume()


def test_a_run_that_only_waits_for_its_own_event_is_not_parked_before_it_has_heard_it() -> None:
    async def flow(ctx: Context) -> Any:
        async def waits(scope: Context) -> Any:
            return await scope.signal("go")

        async def tells(scope: Context) -> Any:
            await scope.emit("tell", 1, "go")

        return (await parallel(ctx, "p", {"w": waits, "t": tells}))["w"]

    stage = Stage(flow)
    assert stage.play().output == 1
    assert stage.paths("run.parked") == []


def test_one_of_several_signals_is_taken_with_its_name_and_a_date_ends_the_wait() -> None:
    async def flow(ctx: Context) -> Any:
        await ctx.emit("tell", 5, "b")
        first = await ctx.event("first", ["a", "b"])
        return [first, await ctx.event("second", ["a", "b"], due=await ctx.now() + 3)]

    stage = Stage(flow)
    assert stage.play().output == [{"name": "b", "data": 5}, None]
    check_resume(stage)

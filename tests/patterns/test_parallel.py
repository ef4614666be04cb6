"""`parallel`: named branches at once, and what is waited for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from maestri.errors import InputInvalid, JoinFailed
from maestri.kernel.body import OneStep, Opening
from maestri.kernel.context import Context
from maestri.patterns import parallel
from maestri.testing.play import Stage, check_resume, play


def step(function: Callable[[], Any]) -> OneStep[Any]:
    return OneStep(lambda ctx: ctx.step("s", function))


def boom() -> None:
    message = "no"
    raise ValueError(message)


async def forever() -> None:
    await asyncio.Event().wait()


def after(turns: int, value: Any = None) -> Callable[[], Any]:
    async def later() -> Any:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns if value is None else value

    return later


def crowd(**branches: Callable[[], Any]) -> dict[str, Any]:
    return {name: step(function) for name, function in branches.items()}


def staged(branches: dict[str, Any], **options: Any) -> Stage:
    return Stage(lambda ctx: parallel(ctx, "p", branches, **options))


def test_the_outputs_come_in_the_order_of_the_branches_not_of_their_ends() -> None:
    stage = staged(crowd(slow=after(9), quick=after(1)))
    assert list(stage.play().output.items()) == [("slow", 9), ("quick", 1)]
    assert stage.paths("step.succeeded") == ["/p/quick", "/p/slow"]


def test_a_branch_of_several_steps_is_a_scope_and_one_of_one_step_is_that_step() -> None:
    async def several(ctx: Context) -> Any:
        return await ctx.step("inner", lambda: 1)

    stage = staged({"several": several, "one": step(lambda: 2)})
    stage.play()
    assert set(stage.paths("step.succeeded")) == {"/p/several/inner", "/p/one"}
    assert set(stage.paths("scope.succeeded")) == {"/p/several", "/p"}


@pytest.mark.parametrize("join", ["all", "settled"])
def test_no_branches_give_no_outputs(join: Any) -> None:
    assert play(lambda ctx: parallel(ctx, "p", {}, join=join)).output == {}


def test_any_of_no_branches_fails() -> None:
    ended = play(lambda ctx: parallel(ctx, "p", {}, join="any"))
    assert (ended.failure and ended.failure.type) == "JoinFailed"


def test_all_fails_with_the_first_failure_and_cancels_the_rest() -> None:
    stage = staged(crowd(bad=boom, slow=forever))
    ended = stage.play()
    assert ended.failure and (ended.failure.message, ended.failure.path) == ("ValueError: no", "/p/bad")
    assert stage.paths("step.cancelled") == ["/p/slow"]


def test_losers_are_recorded_as_cancelled_before_the_scope_is_sealed() -> None:
    stage = staged(crowd(quick=lambda: 1, slow=forever), join="any")
    assert stage.play().output == {"quick": 1}
    ends = stage.paths("decided", "step.cancelled", "scope.succeeded")
    assert ends == ["/p/join", "/p/slow", "/p"]


def test_any_takes_the_first_success_past_failures() -> None:
    assert staged(crowd(bad=boom, good=after(5)), join="any").play().output == {"good": 5}


def test_any_fails_when_all_fail_and_names_each() -> None:
    ended = staged(crowd(a=boom, b=boom), join="any").play()
    assert ended.failure and ended.failure.message == "0 of 2 succeeded, and one had to"
    assert ended.failure.detail == {"failed": ["/p/a", "/p/b"]}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_number_is_satisfied_by_that_many(number: int) -> None:
    ended = staged(crowd(a=after(1), b=after(9), c=after(20)), join=number).play()
    assert list(ended.output) == ["a", "b", "c"][:number]


def test_a_number_that_cannot_be_reached_any_more_ends_at_once() -> None:
    stage = staged(crowd(a=boom, b=boom, c=forever), join=2)
    ended = stage.play()
    assert ended.failure and ended.failure.type == JoinFailed.__name__
    assert stage.paths("step.cancelled") == ["/p/c"]


def test_settled_waits_for_all_and_keeps_failures_as_output() -> None:
    ended = staged(crowd(bad=boom, good=after(9)), join="settled").play()
    failure = {"code": "S100", "message": "ValueError: no", "path": "/p/bad"}
    assert ended.output == {"bad": {"failed": failure}, "good": 9}
    assert (ended.status, ended.handled) == ("succeeded", 1)


def test_a_branch_whose_body_raises_is_a_failure_like_any_other() -> None:
    async def raises(_: Context) -> None:
        boom()

    ended = staged({"body": raises, "good": step(lambda: 1)}, join="settled").play()
    assert ended.output["body"]["failed"]["message"] == "ValueError: no"
    assert ended.handled == 1


def test_a_single_step_that_cannot_be_asked_for_is_a_failed_step() -> None:
    def unaskable(_: Context) -> Any:
        boom()

    stage = staged({"odd": OneStep(unaskable), "good": step(lambda: 1)}, join="settled")
    ended = stage.play()
    assert (ended.output["odd"]["failed"]["path"], ended.handled) == ("/p/odd", 1)
    assert stage.state.steps["/p/odd"].state == "failed"
    check_resume(stage)


def test_a_single_step_whose_answer_is_misread_is_a_failure_of_its_branch() -> None:
    async def misread(ctx: Context) -> Any:
        return (await ctx.step("s", dict))["missing"]

    stage = staged({"odd": OneStep(misread), "good": step(lambda: 1)}, join="settled")
    assert stage.play().output["odd"]["failed"]["path"] == "/p/odd"
    check_resume(stage)


@pytest.mark.covers("limit")
def test_max_concurrent_bounds_what_runs_at_once() -> None:
    running: list[int] = []
    most: list[int] = []

    async def counted() -> None:
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0.001)
        running.pop()

    stage = staged({f"b{n}": step(counted) for n in range(10)}, max_concurrent=3)
    assert stage.play().status == "succeeded"
    assert max(most) == 3


@pytest.mark.parametrize(
    "options",
    [{"join": 0}, {"join": 3}, {"join": "most"}, {"max_concurrent": 0}, {"max_concurrent": -1}],
)
def test_an_option_out_of_range_is_refused_at_the_path_of_the_step(options: Any) -> None:
    stage = staged(crowd(a=lambda: 1, b=lambda: 2), **options)
    ended = stage.play()
    assert ended.failure and (ended.failure.type, ended.failure.path) == (InputInvalid.__name__, "/p")
    assert stage.paths("step.started") == []


@pytest.mark.parametrize("name", ["join", "begun", "on_result"])
def test_a_branch_cannot_have_a_name_under_which_the_join_writes(name: str) -> None:
    ended = staged(crowd(**{name: lambda: 1})).play()
    assert ended.failure and name in ended.failure.message


def test_results_stream_out_as_they_come_and_are_journaled_by_branch() -> None:
    seen: list[Any] = []

    async def report(ctx: Context, result: Any) -> None:
        seen.append(result)
        await ctx.step("tell", lambda: None)

    stage = staged(crowd(slow=after(20), bad=boom), join="settled", on_result=report)
    stage.play()
    assert [(r["name"], "failed" in r) for r in seen] == [("bad", True), ("slow", False)]
    assert stage.paths("scope.succeeded") == ["/p/on_result#2", "/p/on_result", "/p"]


def test_a_failure_in_on_result_fails_the_whole_and_cancels_the_rest() -> None:
    async def report(_: Context, result: Any) -> None:
        raise ValueError(result["name"])

    stage = staged(crowd(quick=lambda: 1, slow=forever), on_result=report)
    ended = stage.play()
    assert ended.failure and ended.failure.message == "ValueError: quick"
    assert stage.paths("step.cancelled") == ["/p/slow"]


@pytest.mark.parametrize(("join", "status"), [("all", "failed"), ("any", "succeeded"), (2, "failed")])
def test_a_deadline_ends_the_wait(join: Any, status: str) -> None:
    stage = staged(crowd(quick=lambda: 1, slow=forever), join=join, deadline=60)
    ended = stage.play()
    assert ended.status == status
    if ended.failure:
        assert ended.failure.message.endswith("1 had not ended at the deadline")


def test_what_had_not_ended_at_the_deadline_says_so_in_a_settled_join() -> None:
    stage = staged(crowd(quick=lambda: 1, slow=forever), join="settled", deadline=60)
    output = stage.play().output
    assert (output["quick"], output["slow"]["failed"]["code"]) == (1, "S103")
    assert stage.clock.now() == 1_000_000_060.0


def test_a_deadline_of_an_interrupted_run_counts_from_the_first_begin() -> None:
    stage = staged(crowd(slow=forever), join="settled", deadline=60)
    stage.play()
    started = next(e.seq for e in stage.events if e.path == "/p/slow")
    cut = stage.cut(started)
    cut.clock = type(stage.clock)(1_000_000_050.0)  # type: ignore[call-arg]
    cut.resume()
    assert cut.clock.now() == 1_000_000_060.0


def test_a_join_that_failed_at_its_deadline_gets_the_whole_time_again_when_it_is_reopened() -> None:
    calls: list[int] = []

    async def slow_at_first() -> int:
        calls.append(1)
        if len(calls) == 1:
            await forever()
        return 7

    stage = staged(crowd(slow=slow_at_first), deadline=60)
    assert stage.play().status == "failed"
    assert stage.resume().output == {"slow": 7}


def test_what_was_decided_holds_after_a_crash_whatever_else_had_succeeded() -> None:
    stage = staged(crowd(a=after(3), b=after(3), c=forever), join="any")
    output = stage.play().output
    decided = next(e.seq for e in stage.events if e.path == "/p/join")
    for events in range(decided, len(stage.events)):
        assert stage.cut(events).resume().output == output


def test_a_crash_after_an_early_end_does_not_ask_again_for_results_that_were_reported() -> None:
    async def report(ctx: Context, result: Any) -> None:
        await ctx.step("tell", lambda: result["name"])

    stage = staged(crowd(bad=boom, good=after(20), slow=forever), join="any", on_result=report)
    assert stage.play().output == {"good": 20}
    check_resume(stage)


def test_all_that_failed_is_reopened_by_one_resume() -> None:
    calls: list[str] = []

    def fails_once(name: str) -> Callable[[], Any]:
        def call() -> str:
            calls.append(name)
            if calls.count(name) == 1:
                boom()
            return name

        return call

    stage = staged(crowd(a=fails_once("a"), b=fails_once("b"), c=fails_once("c")))
    assert stage.play().status == "failed"
    assert stage.resume().output == {"a": "a", "b": "b", "c": "c"}


def test_a_whole_parallel_may_be_cancelled_with_all_in_it() -> None:
    async def stop() -> None:
        await stage.execution.cancel("/p")

    stage = staged(crowd(stop=stop, slow=forever))
    assert stage.play().failure
    assert stage.paths("scope.cancelled") == ["/p"]


def test_a_step_limit_of_the_scope_ends_all_its_branches() -> None:
    async def flow(ctx: Context) -> Any:
        ctx.prepare(Opening(timeout_s=30))
        return await parallel(ctx, "p", crowd(slow=forever, other=forever))

    stage = Stage(flow)
    ended = stage.play()
    assert ended.failure and ended.failure.type == "Timeout"
    assert stage.paths("step.cancelled") == ["/p/slow", "/p/other"]


def test_it_nests_in_itself() -> None:
    async def inner(ctx: Context) -> Any:
        return await parallel(ctx, "in", crowd(a=lambda: 1, b=lambda: 2))

    stage = staged({"x": inner, "y": inner})
    assert stage.play().output == {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 2}}
    check_resume(stage)


@pytest.mark.parametrize("join", ["all", "any", "settled", 2])
def test_it_resumes_at_every_event(join: Any) -> None:
    async def several(ctx: Context) -> Any:
        await ctx.step("one", lambda: 1)
        return await ctx.step("two", lambda: 2)

    third = forever if join == 2 else after(3)
    stage = staged({"a": several, "b": step(lambda: 1), "c": step(third)}, join=join)
    if join == "any":
        stage = staged({"a": step(lambda: 1), "slow": step(forever)}, join=join)
    assert stage.play().status == "succeeded"
    check_resume(stage)


def test_ten_thousand_branches_write_as_many_events_each_as_a_hundred() -> None:
    few, many = (staged({f"b{n}": step(lambda: 1) for n in range(size)}) for size in (100, 10_000))
    assert (few.play().status, many.play().status) == ("succeeded", "succeeded")
    assert len(many.events) - 4 == 100 * (len(few.events) - 4)


def test_a_deadline_that_rings_while_a_join_is_being_decided_adds_no_second_decision() -> None:
    def ring(_run: str, events: Any) -> None:
        if any(event.name == "join" for event in events):
            stage.clock.jump(100)  # type: ignore[attr-defined]

    branches: dict[str, Any] = {"quick": lambda c: c.step("s", lambda: 1), "slow": lambda c: c.sleep(1e6)}
    stage = Stage(lambda ctx: parallel(ctx, "p", branches, join="any", deadline=50))
    stage.engine.watch(ring)
    assert stage.play().output == {"quick": 1}
    assert [path for path in stage.paths("decided") if "join" in path] == ["/p/join"]

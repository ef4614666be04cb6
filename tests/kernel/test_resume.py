"""Starting, resuming and reopening runs, and deciding steps by hand."""

import asyncio
from typing import Any

import pytest

from maestri.errors import (
    PathNotFound,
    RunEnded,
    RunError,
    RunInUse,
    RunNotFound,
    StepChanged,
    StepVanished,
    ValueRefused,
)
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import parallel, sequence
from maestri.testing.play import Stage


class Shaky:
    """Functions that fail until they are mended, and remember their calls."""

    def __init__(self) -> None:
        self.is_mended = False
        self.calls: list[str] = []

    def work(self, name: str) -> Any:
        def call() -> str:
            self.calls.append(name)
            if not self.is_mended:
                message = f"{name} is broken"
                raise ValueError(message)
            return name

        return call


def good_then_bad(shaky: Shaky) -> Stage:
    def good() -> str:
        shaky.calls.append("good")
        return "good"

    async def flow(ctx: Context) -> Any:
        first = await ctx.step("good", good)
        return [first, await ctx.step("bad", shaky.work("bad"))]

    return Stage(flow)


def test_a_failed_run_goes_on_at_what_failed() -> None:
    stage = good_then_bad(shaky := Shaky())
    assert stage.play().status == "failed"
    shaky.is_mended = True
    assert stage.resume().output == ["good", "bad"]
    assert shaky.calls == ["good", "bad", "bad"]


def test_reopening_is_on_record_with_the_paths_and_the_old_failure_stays() -> None:
    stage = good_then_bad(Shaky())
    stage.play()
    assert stage.resume().status == "failed"
    reopened = [e.body["paths"] for e in stage.events if e.as_json()["kind"] == "run.reopened"]
    assert reopened == [["/bad"]]
    assert stage.paths("step.failed") == ["/bad", "/bad"]


def test_scopes_above_a_failure_are_reopened_with_it() -> None:
    shaky = Shaky()

    async def inner(ctx: Context) -> Any:
        return await sequence(ctx, "in", lambda c: c.step("bad", shaky.work("bad")))

    stage = Stage(lambda ctx: sequence(ctx, "out", inner))
    stage.play()
    shaky.is_mended = True
    assert stage.resume().output == "bad"
    assert stage.state.steps["/out/in"].state == "succeeded"


def test_a_failure_that_the_body_wrapped_in_its_own_is_reopened_too() -> None:
    shaky = Shaky()

    async def flow(ctx: Context) -> Any:
        try:
            return await ctx.step("bad", shaky.work("bad"))
        except RunError as error:
            message = "my own words"
            raise LookupError(message) from error

    stage = Stage(flow)
    ended = stage.play()
    assert ended.failure and ended.failure.message == "LookupError: my own words"
    shaky.is_mended = True
    assert stage.resume().output == "bad"


def test_a_failure_that_was_wrapped_and_then_handled_counts_once() -> None:
    async def wraps(ctx: Context) -> Any:
        try:
            return await ctx.step("bad", Shaky().work("bad"))
        except RunError as error:
            raise LookupError from error

    ended = Stage(lambda ctx: parallel(ctx, "p", {"a": wraps}, join="settled")).play()
    assert (ended.status, ended.handled) == ("succeeded", 1)


def test_failures_in_a_group_of_tasks_are_reopened_too() -> None:
    shaky = Shaky()

    async def flow(ctx: Context) -> Any:
        async with asyncio.TaskGroup() as group:
            found = group.create_task(ctx.step("bad", shaky.work("bad")))
        return found.result()

    stage = Stage(flow)
    assert stage.play().status == "failed"
    shaky.is_mended = True
    assert stage.resume().output == "bad"


def test_a_failure_that_was_handled_is_not_reopened() -> None:
    shaky = Shaky()

    async def flow(ctx: Context) -> Any:
        branches = {"bad": OneStep(lambda c: c.step("s", shaky.work("handled")))}
        await parallel(ctx, "p", branches, join="settled")
        return await ctx.step("later", shaky.work("later"))

    stage = Stage(flow)
    stage.play()
    shaky.is_mended = True
    ended = stage.resume()
    assert (ended.handled, shaky.calls) == (1, ["handled", "later", "later"])


def test_a_failure_comes_back_from_the_journal_as_the_same_class_with_the_same_words() -> None:
    seen: list[tuple[str, str]] = []

    async def flow(ctx: Context) -> Any:
        try:
            await ctx.step("bad", lambda: {1, 2})
        except RunError as error:
            seen.append((type(error).__name__, str(error)))
        return await ctx.step("end", lambda: 1)

    stage = Stage(flow)
    stage.play()
    stage.cut(len(stage.events) - 2).resume()
    assert seen[0] == seen[1]
    assert seen[0][0] == ValueRefused.__name__


def test_a_run_that_succeeded_cannot_be_resumed() -> None:
    stage = Stage(lambda ctx: ctx.step("a", lambda: 1))
    stage.play()
    with pytest.raises(RunEnded) as caught:
        stage.resume()
    assert "maestri show" in caught.value.fix


def test_a_run_that_is_not_there_cannot_be_resumed() -> None:
    with pytest.raises(RunNotFound):
        Stage(lambda ctx: ctx.step("a", lambda: 1)).resume()


def test_a_run_under_way_cannot_be_resumed_beside_itself() -> None:
    async def flow(ctx: Context) -> Any:
        async def again() -> str:
            with pytest.raises(RunInUse):
                await stage.restart()
            return "refused"

        return await ctx.step("again", again)

    stage = Stage(flow)
    assert stage.play().output == "refused"


def test_a_step_that_asks_for_something_else_is_refused_and_names_itself() -> None:
    asked = ["one", "two"]

    async def flow(ctx: Context) -> Any:
        await ctx.step("a", str, asked[0])
        return await ctx.step("b", lambda: 1)

    stage = Stage(flow)
    stage.play()
    asked.pop(0)
    with pytest.raises(StepChanged) as caught:
        stage.cut(3).resume()
    assert caught.value.path == "/a"


def test_a_step_that_is_gone_is_refused_and_nothing_is_recorded() -> None:
    there = [True]

    async def flow(ctx: Context) -> Any:
        if there:
            await ctx.step("a", lambda: 1)
        return await ctx.step("b", lambda: 1)

    stage = Stage(flow)
    stage.play()
    cut = stage.cut(3)
    there.clear()
    with pytest.raises(StepVanished) as caught:
        cut.resume()
    assert (caught.value.path, cut.state.status) == ("/a", "running")


def test_a_run_left_by_a_replay_error_can_be_resumed_once_it_is_mended() -> None:
    there = [True]

    async def flow(ctx: Context) -> Any:
        if there:
            await ctx.step("a", lambda: 1)
        return await ctx.step("b", lambda: 2)

    stage = Stage(flow)
    stage.play()
    cut = stage.cut(3)
    there.clear()
    with pytest.raises(StepVanished):
        cut.resume()
    there.append(True)
    assert cut.resume().output == 2


def test_retry_by_hand_runs_a_failed_step_again() -> None:
    stage = good_then_bad(shaky := Shaky())
    stage.play()
    stage.direct("retry", "/bad")
    shaky.is_mended = True
    assert stage.resume().output == ["good", "bad"]


def test_accept_by_hand_gives_a_failed_step_an_output() -> None:
    stage = good_then_bad(shaky := Shaky())
    stage.play()
    stage.direct("accept", "/bad", {"by": "hand"})
    assert stage.resume().output == ["good", {"by": "hand"}]
    assert shaky.calls == ["good", "bad"]


def test_skip_by_hand_gives_a_failed_step_no_output() -> None:
    stage = good_then_bad(Shaky())
    stage.play()
    stage.direct("skip", "/bad")
    assert stage.resume().output == ["good", None]
    assert stage.state.steps["/bad"].state == "skipped"


@pytest.mark.parametrize("verb", ["retry", "accept", "skip"])
def test_a_decision_by_hand_is_on_record(verb: str) -> None:
    stage = good_then_bad(Shaky())
    stage.play()
    stage.direct(verb, "/bad")
    directed = [e.body for e in stage.events if e.as_json()["kind"] == "run.directed"]
    assert [(body["verb"], body["path"]) for body in directed] == [(verb, "/bad")]


@pytest.mark.parametrize(("path", "words"), [("/good", "has succeeded"), ("/nowhere", "has not ended")])
def test_only_what_failed_can_be_decided_by_hand(path: str, words: str) -> None:
    stage = good_then_bad(Shaky())
    stage.play()
    with pytest.raises(PathNotFound, match=words):
        stage.direct("retry", path)


def test_a_step_that_succeeded_after_a_reopening_cannot_be_decided_any_more() -> None:
    shaky = Shaky()

    async def flow(ctx: Context) -> Any:
        await ctx.step("bad", shaky.work("bad"))
        return await ctx.step("always", lambda: 1 // 0)

    stage = Stage(flow)
    stage.play()
    shaky.is_mended = True
    assert stage.resume().failure
    with pytest.raises(PathNotFound, match="has succeeded"):
        stage.direct("retry", "/bad")


def test_accepting_a_failed_scope_stands_for_all_below_it() -> None:
    shaky = Shaky()
    stage = Stage(lambda ctx: sequence(ctx, "q", lambda c: c.step("bad", shaky.work("bad"))))
    stage.play()
    stage.direct("accept", "/q", "by hand")
    assert stage.resume().output == "by hand"
    assert shaky.calls == ["bad"]


def test_a_retry_by_message_takes_effect_at_the_next_resume() -> None:
    shaky = Shaky()

    async def flow(ctx: Context) -> Any:
        try:
            await ctx.step("bad", shaky.work("bad"))
        except RunError:
            await ctx.step("post", lambda: stage.post("retry", path="/bad"))
        return await ctx.ask("go", "Go on?")

    stage = Stage(flow)
    assert stage.play().status == "waiting"
    shaky.is_mended = True
    stage.post("answer", path="/go", value="yes")
    with pytest.raises(StepVanished):  # the step that was the answer to the failure is not asked for now
        stage.resume()
    assert shaky.calls == ["bad", "bad"]


def test_the_result_of_a_failed_run_is_its_error() -> None:
    ended = good_then_bad(Shaky()).play()
    with pytest.raises(RunError, match="bad is broken"):
        ended.result()


def test_an_input_that_json_cannot_carry_is_refused_before_the_run_exists() -> None:
    stage = Stage(lambda ctx, x: ctx.step("a", lambda: x), {"x": {1}})
    with pytest.raises(ValueRefused):
        stage.play()
    assert list(stage.engine.runs()) == []


def test_a_workflow_sees_its_inputs_as_they_are_on_replay() -> None:
    stage = Stage(lambda ctx, x: ctx.step("a", lambda: x), {"x": (1, 2)})
    assert stage.play().output == [1, 2]


def test_a_body_cannot_change_the_recorded_inputs() -> None:
    async def flow(ctx: Context, items: list[int]) -> Any:
        items.append(len(items))
        return await ctx.step("a", lambda: list(items))

    stage = Stage(flow, {"items": []})
    stage.play()
    assert stage.cut(1).resume().output == [0]


def test_the_lease_is_given_back_whatever_happens() -> None:
    async def lease() -> int:
        journal = await stage.engine.lease("run-1")
        await journal.close()
        return journal.info.epoch

    stage = good_then_bad(Shaky())
    stage.play()
    with pytest.raises(PathNotFound):
        stage.direct("retry", "/nowhere")
    assert asyncio.run(lease()) == 3

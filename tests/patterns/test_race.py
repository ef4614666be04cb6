"""`race`: the first good answer wins, the others are cancelled."""

import asyncio
from typing import Any

import pytest

from maestri.errors import InputInvalid
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.patterns import race
from maestri.testing.play import Stage, check_resume


def after(delay_s: float, answer: Any) -> Body[Any]:
    async def body(ctx: Context) -> Any:
        await ctx.sleep(delay_s)
        return await ctx.step("say", lambda: answer)

    return body


async def breaks(ctx: Context) -> Any:
    return await ctx.step("bad", lambda: 1 // 0)


async def waits(ctx: Context) -> Any:
    return await ctx.step("wait", asyncio.Event().wait)


def staged(branches: dict[str, Body[Any]], **options: Any) -> Stage:
    return Stage(lambda ctx: race(ctx, "r", branches, **options))


def test_the_fastest_wins_and_the_others_are_cancelled_after_that_is_stored() -> None:
    stage = staged({"slow": waits, "fast": after(1, "F")})
    assert stage.play().output == "F"
    decided = next(e.seq for e in stage.events if e.path == "/r/winner")
    cancelled = next(e.seq for e in stage.events if e.path == "/r/slow" and e.kind_name == "scope.cancelled")
    assert decided < cancelled


def test_the_record_says_who_won_and_who_had_failed() -> None:
    stage = staged({"bad": breaks, "good": after(1, "G")})
    ended = stage.play()
    record = next(e.body["value"] for e in stage.events if e.path == "/r/winner")
    assert (ended.output, ended.handled, record["winner"]) == ("G", 1, "good")
    assert list(record["failed"]) == ["bad"]


def test_an_answer_that_is_not_good_does_not_win() -> None:
    stage = staged({"fast": after(1, 1), "slow": after(2, 2)}, accept=lambda _s, output: output > 1)
    assert stage.play().output == 2


def test_when_none_is_good_the_error_names_each() -> None:
    ended = staged({"a": breaks, "b": after(1, 0)}, accept=lambda _s, output: bool(output)).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P210", "/r")
    assert "b: its answer was not accepted" in ended.failure.cause


@pytest.mark.covers("limit")
def test_at_the_deadline_nobody_is_waited_for_any_more() -> None:
    ended = staged({"a": waits, "b": waits}, deadline=5).play()
    assert ended.failure and ended.failure.code == "P210"
    assert "a: it had not ended at the deadline" in ended.failure.cause


@pytest.mark.parametrize("branches", [{}, {"winner": waits}])
def test_no_branch_and_a_name_that_is_taken_are_refused(branches: Any) -> None:
    ended = staged(branches).play()
    assert ended.failure and (ended.failure.type, ended.failure.path) == (InputInvalid.__name__, "/r")


def test_a_condition_that_raises_fails_the_race_and_leaves_nothing_running() -> None:
    stage = staged({"a": after(1, 1), "b": waits}, accept=lambda *_: 1 // 0)
    ended = stage.play()
    assert ended.failure and ended.failure.path == "/r"
    assert stage.paths("scope.cancelled") == ["/r/b"]


def test_after_the_decision_a_resume_takes_up_the_winner_only() -> None:
    stage = staged({"a": after(2, "A"), "b": after(1, "B")})
    stage.play()
    decided = next(e.seq for e in stage.events if e.path == "/r/winner")
    cut = stage.cut(decided)
    assert cut.resume().output == "B"
    assert not [e for e in cut.events if e.seq > decided and e.path.startswith("/r/a/")]


def test_people_in_several_branches_may_race_each_other() -> None:
    def asks(name: str) -> Body[Any]:
        return OneStep(lambda ctx: ctx.ask(name, "Who?"))

    stage = staged({name: asks(name) for name in ("ann", "bob")})
    assert stage.play().status == "waiting"
    stage.post("answer", path="/r/bob", value="me")
    assert stage.resume().output == "me"


def test_a_failed_race_does_again_what_failed() -> None:
    calls: list[int] = []

    def work() -> int:
        calls.append(1)
        return 1 // (len(calls) - 1)

    async def second_time(ctx: Context) -> Any:
        return await ctx.step("s", work)

    stage = staged({"a": second_time})
    assert stage.play().status == "failed"
    assert stage.resume().output == 1


def test_it_is_cancelled_with_all_its_branches() -> None:
    async def stops(ctx: Context) -> Any:
        await ctx.step("stop", lambda: stage.execution.cancel("/r"))
        return await waits(ctx)

    stage = staged({"a": stops, "b": waits})
    ended = stage.play()
    assert ended.failure and ended.failure.type == "StepCancelled"
    assert stage.paths("scope.cancelled")[-1] == "/r"
    assert not stage.paths("scope.succeeded")


@pytest.mark.parametrize("options", [{}, {"accept": lambda _s, output: output != "A"}, {"deadline": 60}])
def test_it_resumes_at_every_event(options: Any) -> None:
    stage = staged({"bad": breaks, "a": after(1, "A"), "b": after(2, "B"), "c": waits}, **options)
    stage.play()
    check_resume(stage)


def test_it_nests_in_itself() -> None:
    async def inner(ctx: Context) -> Any:
        return await race(ctx, "in", {"x": waits, "y": after(1, "Y")})

    stage = staged({"a": inner, "b": waits})
    assert stage.play().output == "Y"
    check_resume(stage)

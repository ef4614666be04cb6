"""`vote`: the answer that the majority or a quorum gives."""

import asyncio
from typing import Any

import pytest

from maestri.errors import InputInvalid
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.patterns import vote
from maestri.testing.play import Stage, check_resume


def says(answer: Any, delay_s: float = 0) -> Body[Any]:
    async def body(ctx: Context) -> Any:
        await ctx.sleep(delay_s)
        return await ctx.step("say", lambda: answer)

    return body


async def breaks(ctx: Context) -> Any:
    return await ctx.step("bad", lambda: 1 // 0)


async def waits(ctx: Context) -> Any:
    return await ctx.step("wait", asyncio.Event().wait)


def staged(branches: dict[str, Body[Any]], **options: Any) -> Stage:
    return Stage(lambda ctx: vote(ctx, "v", branches, **options))


def record(stage: Stage) -> Any:
    return next(event.body["value"] for event in stage.events if event.path == "/v/winner")


def test_the_majority_wins_and_the_tally_is_on_record() -> None:
    stage = staged({"a": says("x", 1), "b": says("y", 2), "c": says("x", 3)})
    assert stage.play().output == "x"
    assert record(stage)["tally"] == [
        {"answer": "x", "votes": 2, "from": ["a", "c"]},
        {"answer": "y", "votes": 1, "from": ["b"]},
    ]


def test_it_ends_when_it_is_settled_and_cancels_who_is_not_needed() -> None:
    stage = staged({"a": says("x"), "b": waits, "c": says("x")})
    assert stage.play().output == "x"
    assert stage.paths("scope.cancelled") == ["/v/b"]


def test_a_quorum_may_be_less_than_half() -> None:
    stage = staged({"a": says(1), "b": waits, "c": waits, "d": waits}, policy=1)
    assert stage.play().output == 1


def test_a_part_of_the_output_may_be_the_vote() -> None:
    stage = staged(
        {"a": says({"ok": True, "why": 1}), "b": says({"ok": False}), "c": says({"ok": True, "why": 2})},
        by=lambda _scope, output: output["ok"],
    )
    assert stage.play().output == {"ok": True, "why": 1}


def test_a_tie_is_an_error_with_the_tally() -> None:
    ended = staged({"a": says("x"), "b": says("y")}).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P211", "/v")
    assert ended.failure.message == "no answer has 2 of 2 votes"
    assert ended.failure.cause == "1 for 'x' (a); 1 for 'y' (b)"


def test_a_failure_is_no_vote_and_may_make_a_majority_impossible() -> None:
    assert staged({"a": says("x"), "b": breaks, "c": says("x")}).play().handled == 1
    stage = staged({"a": breaks, "b": breaks, "c": waits})
    ended = stage.play()
    assert ended.failure and ended.failure.code == "P211"
    assert stage.paths("scope.cancelled") == ["/v/c"]


def test_at_the_deadline_who_has_not_answered_has_no_vote() -> None:
    ended = staged({"a": says("x"), "b": waits, "c": waits}, deadline=5).play()
    assert ended.failure and "not ended: b, c" in ended.failure.cause


@pytest.mark.parametrize(
    "options", [{"policy": 4}, {"policy": 0}, {"policy": True}, {"policy": "most"}, {"max_concurrent": 0}]
)
def test_what_no_vote_can_meet_is_refused(options: Any) -> None:
    ended = staged({"a": says(1), "b": says(1), "c": says(1)}, **options).play()
    assert ended.failure and (ended.failure.type, ended.failure.path) == (InputInvalid.__name__, "/v")


@pytest.mark.covers("limit")
def test_so_many_as_allowed_run_at_once() -> None:
    stage = staged({"a": says(1), "b": says(1), "c": waits, "d": waits}, max_concurrent=1, policy=2)
    assert stage.play().output == 1
    assert "/v/d/wait" not in stage.paths("step.started")


def test_a_resume_of_a_vote_without_agreement_asks_again_who_failed() -> None:
    calls: list[int] = []

    def work() -> Any:
        calls.append(1)
        return 1 // 0 if len(calls) == 1 else "x"

    async def later(ctx: Context) -> Any:
        return await ctx.step("s", work)

    stage = staged({"a": says("x"), "b": later, "c": says("y")})
    assert stage.play().status == "failed"
    assert stage.resume().output == "x"


def test_people_may_vote() -> None:
    def asks(name: str) -> Body[Any]:
        return OneStep(lambda ctx: ctx.ask(name, "Go?", ["yes", "no"]))

    stage = staged({name: asks(name) for name in "abc"})
    assert stage.play().status == "waiting"
    stage.post("answer", path="/v/a", value="yes")
    assert stage.resume().status == "waiting"
    stage.post("answer", path="/v/c", value="yes")
    assert stage.resume().output == "yes"


def test_it_is_cancelled_with_all_its_branches() -> None:
    async def stops(ctx: Context) -> Any:
        await ctx.step("stop", lambda: stage.execution.cancel("/v"))
        return await waits(ctx)

    stage = staged({"a": stops, "b": waits})
    ended = stage.play()
    assert ended.failure and ended.failure.type == "StepCancelled"


@pytest.mark.parametrize("options", [{}, {"max_concurrent": 2}, {"policy": 2, "deadline": 60}])
def test_it_resumes_at_every_event(options: Any) -> None:
    branches = {"a": says("x", 1), "b": says("y", 2), "c": breaks, "d": says("x", 3), "e": says("x", 4)}
    stage = staged(branches, **options)
    assert stage.play().output == "x"
    check_resume(stage)


def test_a_vote_without_agreement_fails_alike_at_every_resume() -> None:
    stage = staged({"a": says("x"), "b": says("y")})
    stage.play()
    check_resume(stage)

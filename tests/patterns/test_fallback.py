"""`fallback`: one way after the other, until one gives an answer that is good enough."""

from typing import Any

import pytest

from maestri.errors import InputInvalid, RunError
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.patterns import fallback
from maestri.testing.play import Stage, check_resume
from maestri.testing.scripted import ScriptedAgent, fails_first


def says(answer: Any) -> Body[Any]:
    return OneStep(lambda ctx: ctx.step("s", lambda: answer))


def breaks(times: list[int] | None = None) -> Body[Any]:
    def work() -> None:
        if times is not None:
            times.append(1)
        message = "broken"
        raise ValueError(message)

    return OneStep(lambda ctx: ctx.step("s", work))


def staged(branches: dict[str, Body[Any]], **options: Any) -> Stage:
    return Stage(lambda ctx: fallback(ctx, "f", branches, **options))


def winner(stage: Stage) -> Any:
    return [event.body["value"] for event in stage.events if event.path == "/f/winner"][-1]


def test_the_first_that_succeeds_is_the_answer_and_the_rest_is_not_tried() -> None:
    stage = staged({"a": says("A"), "b": says("B")})
    assert stage.play().output == "A"
    assert stage.paths("step.succeeded") == ["/f/a"]
    assert winner(stage) == {"winner": "a", "failed": {}}


def test_the_next_is_tried_after_a_failure_which_is_handled() -> None:
    stage = staged({"a": breaks(), "b": says("B")})
    ended = stage.play()
    assert (ended.output, ended.handled) == ("B", 1)
    assert winner(stage)["failed"]["a"]["path"] == "/f/a"


def test_an_answer_that_is_not_accepted_is_passed_over() -> None:
    stage = staged({"a": says(1), "b": says(2)}, accept=lambda _scope, output: output > 1)
    assert stage.play().output == 2
    assert winner(stage)["failed"] == {"a": {"message": "its answer was not accepted"}}


def test_when_all_fail_the_error_names_each_and_a_resume_tries_them_again() -> None:
    times: list[int] = []
    stage = staged({"a": breaks(times), "b": breaks(times)})
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P210", "/f")
    assert "a: " in ended.failure.cause and "b: " in ended.failure.cause
    stage.resume()
    assert len(times) == 4


def test_only_the_kinds_of_failure_that_are_named_lead_on() -> None:
    ended = staged({"a": breaks(), "b": says("B")}, on=["timeout"]).play()
    assert ended.failure and ended.failure.code == "S100"
    assert staged({"a": breaks(), "b": says("B")}, on=["S100"]).play().output == "B"


@pytest.mark.parametrize("options", [{"on": 3}, {"on": [1]}])
def test_kinds_that_are_no_texts_are_refused(options: Any) -> None:
    ended = staged({"a": says(1)}, **options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/f")


@pytest.mark.parametrize("branches", [{}, {"winner": says(1)}])
def test_no_branch_and_a_name_that_is_taken_are_refused(branches: Any) -> None:
    ended = staged(branches).play()
    assert ended.failure and (ended.failure.type, ended.failure.path) == (InputInvalid.__name__, "/f")


def test_each_has_its_own_retries() -> None:
    twice = Policy(Retry(max_attempts=2))
    branches: dict[str, Body[Any]] = {
        "a": OneStep(lambda ctx: ctx.run("a", "a", policy=twice)),
        "b": OneStep(lambda ctx: ctx.run("b", "b", policy=twice)),
    }
    agent = ScriptedAgent({"/f/a": fails_first(9, ""), "/f/b": fails_first(1, "B")})
    stage = Stage(lambda ctx: fallback(ctx, "f", branches), agent=agent)
    assert stage.play().output == "B"
    assert agent.paths == ["/f/a", "/f/a", "/f/b", "/f/b"]


def test_a_branch_that_is_cancelled_by_hand_leads_to_the_next() -> None:
    async def stopped(ctx: Context) -> Any:
        await ctx.step("stop", lambda: stage.execution.cancel("/f/a"))
        return await ctx.sleep(10)

    stage = staged({"a": stopped, "b": says("B")})
    assert stage.play().output == "B"


def test_a_later_branch_that_was_accepted_by_hand_is_not_needed_when_an_earlier_one_succeeds() -> None:
    agent = ScriptedAgent({"/f/a": fails_first(1, "A"), "/f/b": ValueError("no")})
    branches = {name: OneStep(lambda ctx: ctx.run("x", "x")) for name in ("a", "b")}
    stage = Stage(lambda ctx: fallback(ctx, "f", branches), agent=agent)
    assert stage.play().status == "failed"
    stage.direct("accept", "/f/b", "by hand")
    ended = stage.resume()
    assert (ended.status, ended.output) == ("succeeded", "A")


def test_the_last_one_may_be_a_person_and_the_wait_survives_a_restart() -> None:
    stage = staged({"a": breaks(), "person": OneStep(lambda ctx: ctx.ask("person", "And now?"))})
    assert stage.play().status == "waiting"
    stage.post("answer", path="/f/person", value="do it")
    assert stage.resume().output == "do it"


def test_an_error_of_the_condition_fails_the_fallback() -> None:
    ended = staged({"a": says(1), "b": says(2)}, accept=lambda *_: 1 // 0).play()
    assert ended.failure and ended.failure.path == "/f"


def test_it_resumes_at_every_event() -> None:
    async def two(ctx: Context) -> Any:
        await ctx.step("one", lambda: 1)
        return await ctx.step("two", lambda: 1 // 0)

    stage = staged(
        {"a": breaks(), "b": two, "c": says(0), "d": says(4)}, accept=lambda _s, output: output > 0
    )
    assert stage.play().output == 4
    check_resume(stage)


def test_it_nests_in_itself() -> None:
    async def inner(ctx: Context) -> Any:
        return await fallback(ctx, "in", {"x": breaks(), "y": breaks()})

    stage = staged({"a": inner, "b": says("B")})
    assert stage.play().output == "B"
    check_resume(stage)


def test_a_failure_can_be_caught_by_who_calls_it() -> None:
    async def flow(ctx: Context) -> str:
        try:
            return str(await fallback(ctx, "f", {"a": breaks()}))
        except RunError as error:
            return error.code

    assert Stage(flow).play().output == "P210"

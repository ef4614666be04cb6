"""`phases`: each passes its gate before the next begins; one that does not stops, repeats or asks."""

from typing import Any

import pytest

from maestri.errors import AgentUnavailable
from maestri.kernel.context import Context
from maestri.patterns import parallel, phases
from maestri.patterns._registry import Phase
from maestri.testing.play import Stage, check_resume


def does(*values: Any, seen: list[Any] | None = None) -> Any:
    """Return a body of one step that gives one value after the other, and the last one for ever."""
    given: dict[str, int] = {}

    async def body(scope: Context, *bound: Any) -> Any:
        if seen is not None:
            seen.append(bound)
        number = given.setdefault(scope.path, len(given))

        def work() -> Any:
            value = values[min(number, len(values) - 1)]
            if isinstance(value, Exception):
                raise value
            return value

        return await scope.step("do", work)

    return body


def of(**bodies: Phase) -> Stage:
    return Stage(lambda ctx: phases(ctx, "m", bodies))


def one(*verdicts: Any, **options: Any) -> Stage:
    return of(users=Phase(does("v1", "v2", "v3"), does(*verdicts), **options), tasks=Phase(does("t")))


BROKEN = ValueError("2 tests failed")


def test_the_outputs_are_by_name_in_the_order_of_the_phases() -> None:
    stage = one(True)
    assert stage.play().output == {"users": "v1", "tasks": "t"}
    assert stage.paths("scope.succeeded") == [
        "/m/users/steps",
        "/m/users/validate",
        "/m/users",
        "/m/tasks/steps",
        "/m/tasks",
        "/m",
    ]


def test_a_phase_sees_the_outputs_of_those_before_it_and_a_validator_that_of_its_own() -> None:
    seen: list[Any] = []
    of(users=Phase(does("u"), does(True, seen=seen)), tasks=Phase(does("t", seen=seen))).play()
    assert seen == [("u", {}), (None, {"users": "u"})]


@pytest.mark.parametrize("passing", [True, None, 0, "fine", {}, {"passed": True}, {"other": 1}])
def test_a_validator_that_succeeds_lets_pass_unless_it_says_no(passing: Any) -> None:
    assert one(passing).play().status == "succeeded"


@pytest.mark.parametrize(
    ("verdict", "problem"),
    [
        (False, "its validator gave false"),
        ("false", "its validator gave false"),
        ({"passed": False}, "its validator gave false"),
        ({"passed": False, "notes": "no index"}, "no index"),
        ({"passed": False, "missing": ["a"]}, '{"missing":["a"]}'),
        ('{"passed": false, "problem": "no key"}', "no key"),
        (BROKEN, "ValueError: 2 tests failed"),
    ],
)
def test_what_it_says_is_the_problem(verdict: Any, problem: str) -> None:
    failure = one(verdict).play().failure
    assert failure and (failure.code, failure.path) == ("P221", "/m/users")
    assert failure.message == f"the phase `users` does not pass its gate: {problem}"


def test_a_condition_judges_without_a_body() -> None:
    assert of(a=Phase(does(2), holds=lambda output, _done: output == 2)).play().output == {"a": 2}
    failure = of(a=Phase(does(1), holds=lambda output, _done: output == 2)).play().failure
    assert failure and failure.message.endswith("its condition does not hold")


def test_after_a_gate_that_stops_nothing_further_begins() -> None:
    stage = one(False)
    stage.play()
    assert not [path for path in stage.paths("step.succeeded") if path.startswith("/m/tasks")]


def test_a_phase_is_done_again_with_the_problem_until_it_passes() -> None:
    seen: list[Any] = []
    body, judge = does("v1", "v2", seen=seen), does({"passed": False, "problem": "no key"}, True)
    stage = of(users=Phase(body, judge, on_invalid="retry"))
    assert stage.play().output == {"users": "v2"}
    assert [problem for problem, _ in seen] == [None, "no key"]
    check_resume(stage)


@pytest.mark.covers("limit")
def test_there_are_no_more_tries_than_allowed_and_as_many_again_after_a_resume() -> None:
    stage = one(False, False, False, True, on_invalid="retry", max_tries=2)
    failure = stage.play().failure
    assert failure and failure.code == "P221"
    assert stage.paths("scope.succeeded").count("/m/users/steps#2") == 1
    assert stage.resume().output["users"] == "v3"


def test_what_was_mended_by_hand_is_only_validated_again() -> None:
    stage = one(False, True)
    assert stage.play().status == "failed"
    assert stage.resume().output == {"users": "v1", "tasks": "t"}
    assert "/m/users/validate#2" in stage.paths("scope.succeeded")


def test_each_resume_validates_once_more() -> None:
    stage = one(False, False, False, True)
    stage.play()
    for status in ("failed", "failed", "succeeded"):
        assert stage.resume().status == status


def test_a_validator_that_could_not_judge_fails_itself_and_is_asked_again() -> None:
    stage = one(AgentUnavailable("no such program"), True)
    failure = stage.play().failure
    assert failure and (failure.code, failure.path) == ("S105", "/m/users/validate/do")


def test_a_verdict_that_is_neither_yes_nor_no_is_refused_and_asked_for_again() -> None:
    stage = one({"passed": "perhaps"}, True)
    failure = stage.play().failure
    assert failure and (failure.code, failure.path) == ("P223", "/m/users")
    assert stage.resume().status == "succeeded"


def test_a_phase_that_fails_itself_is_not_validated() -> None:
    stage = of(users=Phase(does(BROKEN), does(True)))
    failure = stage.play().failure
    assert failure and failure.path == "/m/users/steps/do"


# --- a person decides ---------------------------------------------------------------------------------

GATE = "/m/users/decide"


@pytest.mark.parametrize(
    ("answer", "output"),
    [("go on", {"users": "v1", "tasks": "t"}), ("again", {"users": "v2", "tasks": "t"}), ("stop", None)],
)
def test_a_person_decides_about_a_phase_that_does_not_pass(answer: str, output: Any) -> None:
    stage = one(False, True, on_invalid="ask")
    assert stage.play().waiting == (GATE,)
    stage.post("answer", path=GATE, value=answer)
    assert stage.resume().output == output


def test_a_person_who_has_stopped_it_may_resume_it() -> None:
    stage = one(False, True, on_invalid="ask")
    stage.play()
    stage.post("answer", path=GATE, value="stop")
    stage.resume()
    assert stage.resume().output["users"] == "v1"


def test_an_answer_that_is_none_of_the_options_does_not_count() -> None:
    stage = one(False, on_invalid="ask")
    stage.play()
    stage.post("answer", path=GATE, value="hm")
    assert stage.resume().waiting[0].startswith(GATE)


# --- the rest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"on_invalid": "cry"}, {"max_tries": 0}])
def test_options_that_mean_nothing_are_refused_at_the_path_of_the_pattern(options: Any) -> None:
    failure = one(True, **options).play().failure
    assert failure and (failure.code, failure.path) == ("S108", "/m")


@pytest.mark.parametrize("path", ["/m", "/m/users", "/m/users/validate"])
def test_it_is_cancelled_at_each_part(path: str) -> None:
    async def validate(scope: Context, *_given: Any) -> Any:
        async def stop(ctx: Context) -> None:
            await ctx.step("stop", lambda: stage.execution.cancel(path))

        return await parallel(scope, "p", {"slow": lambda c: c.sleep(99), "stop": stop})

    stage = of(users=Phase(does("u"), validate, on_invalid="retry"))
    failure = stage.play().failure
    assert failure and (failure.type, failure.path) == ("StepCancelled", path)


@pytest.mark.parametrize(
    ("verdicts", "options"),
    [
        ((True,), {}),
        ((False,), {}),
        ((BROKEN, False, True), {"on_invalid": "retry"}),
        ((False,), {"on_invalid": "retry"}),
    ],
)
def test_it_resumes_at_every_event(verdicts: Any, options: Any) -> None:
    stage = one(*verdicts, **options)
    stage.play()
    check_resume(stage)


def test_it_resumes_at_every_event_after_it_was_taken_up_again() -> None:
    stage = one(False, False, False, True, on_invalid="retry", max_tries=2)
    stage.play()
    output = stage.resume().output
    first = max(event.seq for event in stage.events if event.kind_name == "run.reopened")
    for events in range(first, len(stage.events)):
        assert stage.cut(events).resume().output == output


def test_it_nests_in_itself() -> None:
    async def inner(scope: Context, *_given: Any) -> Any:
        return await phases(scope, "in", {"x": Phase(does("x"), does(False, True), on_invalid="retry")})

    stage = of(outer=Phase(inner, does(True)))
    assert stage.play().output == {"outer": {"x": "x"}}
    check_resume(stage)

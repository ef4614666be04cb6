"""`ask`, `wait` and `emit` in YAML: what they ask the kernel for."""

from typing import Any

import pytest
from tests.same.playing import compiled

from maestri.lang.answers import refusal
from maestri.testing.play import Stage


def staged(steps: str, output: str = "${a}") -> Stage:
    body = compiled(f'workflow: w\nsteps:\n  {steps}\noutput: "{output}"\n')
    return Stage(lambda ctx: body(ctx, {}))


@pytest.mark.parametrize(
    ("steps", "output"),
    [
        ("a: {ask: q?, timeout: 5s, on_timeout: skip}", None),
        ("a: {ask: q?, timeout: 5s, on_timeout: {default: '${1 + 1}'}}", 2),
        ("a: {ask: q?, options: [x, y], timeout: 5s, on_timeout: {default: y}}", "y"),
        ("a: {wait: {signal: go, timeout: 5s, on_timeout: skip}}", None),
        ("a: {wait: {signal: go}, timeout: 5s, on_timeout: {default: {n: 1}}}", {"n": 1}),
        ("a: {emit: go, data: '${[1, 2]}'}", {"name": "go", "data": [1, 2]}),
        ("t: {emit: go, data: 7}\n  a: {wait: {signal: go, timeout: 5s}}", 7),
    ],
)
def test_a_wait_gives_what_came_or_what_is_said_for_its_time_limit(steps: str, output: Any) -> None:
    assert staged(steps).play().output == output


@pytest.mark.parametrize(
    "steps", ["a: {ask: q?, timeout: 5s}", "a: {wait: {signal: go, timeout: 5s, on_timeout: fail}}"]
)
def test_without_a_word_in_time_the_step_fails(steps: str) -> None:
    ended = staged(steps).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S103", "/a")


def test_an_answer_that_is_no_option_is_refused_and_the_question_stays_open() -> None:
    stage = staged("a: {ask: q?, options: [red, blue]}")
    stage.play()
    stage.post("answer", path="/a", value="green")
    assert stage.resume().status == "waiting"
    stage.post("answer", path="/a", value="red")
    assert stage.resume().output == "red"


def test_a_question_shows_its_options_or_its_schema() -> None:
    stage = staged("a: {ask: q?, schema: {type: integer}}")
    stage.play()
    assert next(event.body for event in stage.events if event.path == "/a") == {
        "reason": "an answer: q?",
        "question": "q?",
        "schema": {"type": "integer"},
    }


@pytest.mark.parametrize(
    ("options", "schema", "answer", "is_fine"),
    [
        (["a"], None, "a", True),
        (["a"], None, "b", False),
        ([], {"type": "integer"}, 5, True),
        ([], {"type": "integer"}, "5", False),  # a text that only holds the answer
        ([], {"type": "string"}, "5", True),
        ([], {"type": "integer"}, "five", False),
    ],
)
def test_an_answer_is_one_of_the_options_or_fits_the_schema(
    options: list[str], schema: Any, answer: Any, is_fine: bool
) -> None:
    assert (refusal(options, schema, answer) == "") == is_fine


@pytest.mark.parametrize(
    "ahead", ["2099-01-01T00:00:00Z", "2099-01-01T00:00:00+02:00", "2099-01-01", "${4070908800}"]
)
def test_a_wait_until_a_time_ends_then(ahead: str) -> None:
    stage = staged(f'a: {{wait: {{until: "{ahead}"}}}}')
    assert stage.play().output is None
    assert abs(stage.clock.now() - 4070908800) < 2 * 86400


def test_a_time_that_is_over_is_not_waited_for_and_one_that_is_none_fails_the_step() -> None:
    stage = staged('a: {wait: {until: "2000-01-01T00:00:00Z"}}')
    before = stage.clock.now()
    stage.play()
    assert stage.clock.now() == before
    ended = staged(
        "t: {ask: when?, timeout: 1s, on_timeout: {default: soon}}\n  a: {wait: {until: '${t}'}}"
    ).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/a")

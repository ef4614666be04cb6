"""The functions that expressions can call."""

from __future__ import annotations

import pytest

from maestri.lang.expressions.evaluate import evaluate
from maestri.lang.expressions.functions import ANYTHING, FUNCTIONS
from maestri.lang.expressions.parse import parse
from maestri.lang.expressions.tokens import BadExpression
from maestri.values import Json

VALUES: dict[str, Json] = {
    "n": None,
    "m": {"a": 1, "b": None},
    "lint": {"failed": {"code": "S101", "message": "exit code 1", "path": "/lint"}},
    "almost": {"failed": True},
}


def value(text: str) -> Json:
    """Evaluate an expression over `VALUES`."""
    return evaluate(parse(text), VALUES.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("len('abc')", 3), ("len([1])", 1), ("len(m)", 2),
        ("any([false, true])", True), ("any([])", False), ("all([true, false])", False), ("all([])", True),
        ("contains([1, 2], 2)", True), ("contains('abc', 'bc')", True), ("contains(m, 'z')", False),
        ("min([3, 1])", 1), ("min(3, 1, 2)", 1), ("max('a', 'b')", "b"), ("max([1, 2.5])", 2.5),
        ("min(5)", 5),
        ("sum([1, 2.5])", 3.5), ("sum([])", 0), ("keys(m)", ["a", "b"]),
        ("join(['a', 1, true], ', ')", "a, 1, true"), ("join([], 'x')", ""),
        ("lower('ÄB')", "äb"), ("upper('ß')", "SS"), ("trim(' a\\n')", "a"),
        ("split('a, b', ', ')", ["a", "b"]), ("split(' a  b ')", ["a", "b"]),
        ("starts_with('abc', 'ab')", True), ("ends_with('abc', 'ab')", False),
        ("number('12')", 12), ("number(' 1.5e1 ')", 15.0), ("number('-007')", -7), ("number(3)", 3),
        ("text(12)", "12"), ("text('a')", "a"), ("text([1, 'é'])", '[1, "é"]'), ("json('a')", '"a"'),
        ("json(null)", "null"), ("round(2.567, 1)", 2.6), ("round(2.6)", 3), ("round(2.5)", 2),
        ("round(7)", 7),
    ],
)  # fmt: skip
def test_a_function_gives(text: str, expected: Json) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("default(m.a, 7)", 1), ("default(m.b, 7)", 7), ("default(m.c, 7)", 7), ("default(m.c.d, 7)", 7),
        ("default(nope, 7)", 7), ("default(n, 7)", 7), ("default(n.x, 7)", 7), ("default([][0], 7)", 7),
        ("default(m.c + 1, 7)", 7), ("default(lint, 7)", 7), ("default(lint.x, 7)", 7),
        ("default(false, true)", False),
        ("default(default(nope, n), 7)", 7), ("default(nope, null)", None),
        ("default(almost, 7)", {"failed": True}),
        ("exists(m.a)", True), ("exists(m.b)", False), ("exists(m.c)", False), ("exists(nope)", False),
        ("exists(lint)", False), ("exists(lint.x)", False), ("exists(false)", True),
        ("failed(lint)", True), ("failed(lint.x)", True), ("failed(m)", False), ("failed(nope)", False),
        ("failed(almost)", False), ("failed(n)", False),
    ],
)  # fmt: skip
def test_the_three_that_may_look_at_what_is_missing(text: str, expected: Json) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    ["default(1 / 0, 7)", "default('a' < 1, 7)", "exists(m.a.x)", "default(nope, nope)", "failed(1 + 'a')"],
)
def test_default_does_not_hide_other_mistakes(text: str) -> None:
    with pytest.raises(BadExpression):
        value(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("len(3)", "3"), ("len(null)", "null"), ("any([1])", "any([1])"),
        ("all([true, 'x'])", "all([true, 'x'])"),
        ("any([true, 1])", "any([true, 1])"), ("any(m)", "m"), ("contains(3, 1)", "3"),
        ("contains('a', 1)", "1"), ("min([])", "min([])"), ("min([true])", "min([true])"),
        ("max(1, 'a')", "max(1, 'a')"), ("min(n, 1)", "min(n, 1)"), ("sum(['a'])", "sum(['a'])"),
        ("sum([9223372036854775807, 1])", "sum([9223372036854775807, 1])"), ("keys([1])", "[1]"),
        ("join([null], '')", "join([null], '')"), ("join([[1]], '')", "join([[1]], '')"),
        ("join('abc', ',')", "'abc'"), ("join([1], 2)", "2"), ("upper(1)", "1"), ("split('a', '')", "''"),
        ("number('x')", "number('x')"), ("number('nan')", "number('nan')"), ("number('')", "number('')"),
        ("number(true)", "true"), ("number('9223372036854775808')", "number('9223372036854775808')"),
        ("text(null)", "text(null)"), ("round('a')", "'a'"), ("round(1.5, 99)", "99"),
        ("round(1.5, 0.5)", "0.5"),
        ("starts_with('a', null)", "null"),
    ],
)  # fmt: skip
def test_a_function_refuses_what_it_does_not_take(text: str, part: str) -> None:
    with pytest.raises(BadExpression) as caught:
        value(text)
    assert text[caught.value.start : caught.value.end] == part


def test_the_table_is_complete_and_consistent() -> None:
    for name, function in FUNCTIONS.items():
        assert function.usage.startswith(f"{name}("), name
        assert function.about, name
        assert function.least <= function.most, name
        assert (function.apply is None) == (name in {"default", "exists", "failed"}), name


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("argument", ["null", "true", "1", "-1.5", "'x'", "''", "[]", "[null]", "m", "lint"])
def test_every_function_is_total(name: str, argument: str) -> None:
    function = FUNCTIONS[name]
    for count in range(function.least, min(function.most, 3) + 1):
        try:
            found = value(f"{name}({', '.join([argument] * count)})")
        except BadExpression:
            continue
        assert function.gives == ANYTHING or type(found) in {bool, int, float, str, list}

"""Expressions: what they mean, and what they say when they mean nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestri.lang.expressions.evaluate import evaluate
from maestri.lang.expressions.parse import parse
from maestri.lang.expressions.tokens import BadExpression
from maestri.values import Json

FAILURE: Json = {"failed": {"code": "S101", "message": "exit code 1", "path": "/lint"}}
VALUES: dict[str, Json] = {
    "a": 1,
    "b": 2,
    "yes": True,
    "s": "text",
    "none": None,
    "xs": [1, 2, 3],
    "empty": [],
    "parallel-checks": {"lint": {"n": 3}, "unit": {"n": 4}},
    "m": {"k": "v", "two words": 2, "in": 3, "x-y": 4},
    "lint": FAILURE,
}


def value(text: str) -> Json:
    """Evaluate an expression over `VALUES`."""
    return evaluate(parse(text), VALUES.__getitem__)


def refusal(text: str) -> BadExpression:
    """Return why an expression has no value."""
    with pytest.raises(BadExpression) as caught:
        value(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1), ("1.5", 1.5), ("1e3", 1000.0), ("-1", -1), ("true", True), ("false", False), ("null", None),
        ("'it\\'s'", "it's"), ('"a\\n\\u00e9"', "a\né"), ("[1, 'x', null]", [1, "x", None]), ("[1,]", [1]),
        ("[]", []), ("parallel-checks.lint.n", 3), ("m.k", "v"), ("m['two words']", 2), ("m.in", 3),
        ("m.x-y", 4), ("xs[0]", 1), ("xs[-1]", 3), ("xs[a]", 2), ("m[s + '' if false else 'k']", "v"),
        ("parallel-checks.*", [{"n": 3}, {"n": 4}]), ("xs.*", [1, 2, 3]),
        ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("7 - 2 - 1", 4), ("-a + 3", 2), ("- -1", 1), ("6 / 3", 2),
        ("7 / 2", 3.5), ("7 % 4", 3), ("a - b", -1), ("len(xs)-1", 2), ("'a' + 'b'", "ab"),
        ("xs + [4]", [1, 2, 3, 4]),
        ("1 == 1.0", True), ("true == 1", False), ("[true] == [1]", False), ("'1' == 1", False),
        ("none == null", True), ("s != 'x'", True), ("{}".format("m == m"), True),
        ("a < b", True), ("a >= b", False), ("'a' < 'b'", True), ("2 in xs", True), ("9 not in xs", True),
        ("'k' in m", True), ("'ex' in s", True), ("true in [1]", False),
        ("a == 1 and b == 2", True), ("a == 2 OR b == 2", True), ("NOT yes", False), ("not a == 2", True),
        ("yes or nope", True), ("false and nope", False), ("true or false and false", True),
        ("1 if yes else 2", 1), ("1 if not yes else 2 if yes else 3", 2), ("nope if false else 1", 1),
    ],
)  # fmt: skip
def test_an_expression_has_its_value(text: str, expected: Json) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "part", "words"),
    [
        ("nope + 1", "nope", "nothing is called `nope`"),
        ("m.nope", "nope", "no field `nope`"),
        ("m['nope']", "'nope']", "no field `nope`"),
        ("xs[3]", "3]", "no item [3] in a list of 3"),
        ("none.x", "none", "null and has no parts"),
        ("s.length", "length", "a text has no field"),
        ("xs.first", "first", "a list has no field"),
        ("m[0]", "0]", "a mapping has no item"),
        ("xs[true]", "true", "a boolean"),
        ("none < 3", "none", "null"),
        ("3 >= none", "none", "null"),
        ("none + 1", "none", "null"),
        ("xs < 3", "xs", "a list"),
        ("yes > false", "yes", "a boolean"),
        ("s < 3", "s < 3", "no order"),
        ("s + 1", "s + 1", "cannot be added"),
        ("xs + 1", "1", "a number, where a list"),
        ("1 + m", "m", "a mapping"),
        ("s * 2", "s", "a text, where a number"),
        ("-s", "s", "a text, where a number"),
        ("1 / 0", "0", "division by zero"),
        ("1 % 0", "0", "division by zero"),
        ("9223372036854775807 + 1", "9223372036854775807 + 1", "out of range"),
        ("1e308 * 10", "1e308 * 10", "out of range"),
        ("a and yes", "a", "a boolean is needed"),
        ("yes and s", "s", "a boolean is needed"),
        ("not none", "none", "null"),
        ("1 if xs else 2", "xs", "a boolean is needed"),
        ("1 in s", "1", "a number, where a text"),
        ("1 in 2", "2", "a number, where a list"),
        ("s.*", "s", "a text, where a mapping"),
    ],
)
def test_what_has_no_value_is_refused_with_its_place(text: str, part: str, words: str) -> None:
    found = refusal(text)
    assert text[found.start : found.end] == part
    assert words in found.message


@pytest.mark.parametrize(
    "text", ["lint.output", "lint.*", "lint == 'ok'", "lint in xs", "len(lint)", "lint and yes"]
)
def test_reading_what_a_failed_step_left_behind_says_so(text: str) -> None:
    found = refusal(text)
    assert "failed" in found.message
    assert "failed(x)" in found.fix


def test_the_failure_itself_can_be_read() -> None:
    assert value("lint.failed.code") == "S101"
    assert value("lint") == FAILURE


@pytest.mark.parametrize(
    ("text", "part", "hint"),
    [
        ("a = 1", "=", "`==`"),
        ("yes && yes", "&&", "`and`"),
        ("yes || yes", "||", "`or`"),
        ("!yes", "!", "`not`"),
        ("a ? 1 : 2", "?", "if condition else"),
        ("xs | length", "|", "no filters"),
        ("a < b < 3", "<", "a < b and b < c"),
        ("a == b == 1", "==", "a < b and b < c"),
        ("${a}", "$", "without a `$`"),
        ("True", "True", "`true`"),
        ("s.upper()", "upper", "`upper(text)`"),
        ("lenn(xs)", "lenn", "`len`"),
        ("len(xs, 1)", "len(xs, 1)", "`len(x)`"),
        ("len(xs", "", "add `)`"),
        ("xs[0", "", "add `]`"),
        ("[1, 2", "", "add `]`"),
        ("a b", "b", "operator or a comma"),
        ("a not b", "b", "`a not in b`"),
        ("a if yes", "", "`else`"),
        ("'abc", "'", "add '"),
        ("'\\q'", "\\q", "backslash"),
        ("'\\ud800'", "\\ud800", "four digits"),
        ("xs.0", "0", "`[0]`"),
        ("größe", "ö", "quotes"),
        ("007", "007", "decimal"),
        ("1_000", "1_000", "decimal"),
        ("0x1F", "0x1F", "decimal"),
        ("{}", "{", "mappings cannot be written"),
        ("a; b", ";", "remove"),
        ("xs[0:1]", ":", "cut out"),
        ("xs(1)", "xs", "use one of"),
        ("xs[0](1)", "(", "only functions"),
        ("(", "", "a value"),
        ("", "", "a value"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_hint(text: str, part: str, hint: str) -> None:
    found = refusal(text)
    assert text[found.start : found.end] == part
    assert hint in found.fix


@pytest.mark.parametrize("text", ["a-b", "b-1", "m.k-1", "a- 1"])
def test_a_subtraction_without_spaces_is_explained(text: str) -> None:
    assert "a subtraction needs spaces" in refusal(text).fix


def test_an_unknown_name_with_a_hyphen_is_not_always_a_subtraction() -> None:
    assert "subtraction" not in refusal("no-such").fix


@pytest.mark.parametrize(
    "text",
    [
        "a" * 4097,
        "1," * 2000,
        "[" + "1," * 600 + "]",
        "(" * 41 + "1" + ")" * 41,
        "not " * 41 + "yes",
        "-" * 41 + "1",
        "1" + " + 1" * 120,
        "m" + ".k" * 120,
        "len(" * 41,
        "1 if yes else " * 60 + "1",
        "9223372036854775808",
        "1e999",
        "9" * 4000,
    ],
)
def test_what_is_too_large_is_refused(text: str) -> None:
    assert refusal(text).message


def test_what_is_large_but_allowed_is_read() -> None:
    assert value("(" * 39 + "1" + ")" * 39) == 1
    assert value(" or ".join(["a == 2"] * 240)) is False
    assert value("1" + " + 1" * 90) == 91


def test_results_are_bounded() -> None:
    big: dict[str, Json] = {"t": "x" * 40_000, "l": [0] * 60_000}
    for text in ("t + t", "l + l", "join([t, t], '')", "json([t, t])"):
        with pytest.raises(BadExpression, match="more than"):
            evaluate(parse(text), big.__getitem__)


def test_a_value_nested_too_deep_is_refused() -> None:
    deep: Json = []
    for _ in range(5000):
        deep = [deep]
    other: Json = [deep[0]] if isinstance(deep, list) else []
    with pytest.raises(BadExpression, match="JSON"):
        evaluate(parse("json(x)"), {"x": deep}.__getitem__)
    with pytest.raises(BadExpression, match="nested too deep"):
        evaluate(parse("x == y"), {"x": deep, "y": [other]}.__getitem__)


def test_offsets_count_from_where_the_expression_stands() -> None:
    with pytest.raises(BadExpression) as caught:
        parse("a = b", 100)
    assert (caught.value.start, caught.value.end) == (102, 103)
    assert parse("a.b", 10)[2:] == (10, 13, 12)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(st.sampled_from("ab-1.()[]'\" <>=!&|+*/%,\\$inotdelsf"), max_size=60))
def test_any_text_is_an_expression_or_refused_at_a_place_in_it(text: str) -> None:
    try:
        term = parse(text)
    except BadExpression as error:
        assert 0 <= error.start <= error.end <= len(text) + 1
    else:
        assert 0 <= term.start <= term.end <= len(text)

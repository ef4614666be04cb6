"""The type check: what is certain to fail is found, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestri.lang.expressions.evaluate import evaluate
from maestri.lang.expressions.parse import parse
from maestri.lang.expressions.tokens import BadExpression
from maestri.lang.expressions.types import (
    ANY,
    BOOLEAN,
    LIST,
    MAPPING,
    NUMBER,
    TEXT,
    Problem,
    Type,
    either,
    infer,
    may_be,
)
from maestri.values import Json

VALUES: dict[str, Json] = {}
KNOWN = {
    "n": NUMBER,
    "t": TEXT,
    "b": BOOLEAN,
    "xs": Type("list", item=NUMBER),
    "l": LIST,
    "m": MAPPING,
    "closed": Type("mapping", fields={"count": NUMBER, "name": TEXT}, closed=True),
    "open": Type("mapping", fields={"count": NUMBER}),
    "unknown": ANY,
}


def kind(text: str) -> str:
    """Return the kind of an expression without problems."""
    found, problems = infer(parse(text), KNOWN.get)
    assert problems == []
    return found.kind


def problems(text: str) -> list[Problem]:
    """Return the problems of an expression."""
    return infer(parse(text), KNOWN.get)[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "number"), ("'a'", "text"), ("null", "null"), ("[1]", "list"), ("nope", "any"), ("n", "number"),
        ("closed.count", "number"), ("closed.failed", "any"), ("open.other", "any"), ("m.x.y", "any"),
        ("xs[0]", "number"), ("[1, 'a'][0]", "any"), ("closed.*", "list"), ("m.*", "list"),
        ("xs[n]", "number"),
        ("n + 1", "number"), ("t + 'a'", "text"), ("unknown + 'a'", "text"), ("l + xs", "list"),
        ("n / 2", "number"),
        ("n < 3", "boolean"), ("unknown < 3", "boolean"), ("n == 3", "boolean"), ("t == null", "boolean"),
        ("t in l", "boolean"), ("not b", "boolean"), ("b and unknown", "boolean"), ("-n", "number"),
        ("1 if b else 2", "number"), ("1 if b else 'a'", "any"), ("len(t)", "number"), ("keys(m)[0]", "text"),
        ("default(unknown, 1)", "any"), ("default(n, 1)", "number"), ("default(null, 'a')", "text"),
        ("default(closed.typo, 1)", "any"), ("exists(closed.typo)", "boolean"), ("failed(m)", "boolean"),
        ("max(xs)", "any"), ("any(l)", "boolean"), ("sum(xs)", "number"), ("join(xs, ',')", "text"),
        ("contains(m, 'x')", "boolean"), ("text(n)", "text"), ("xs.*", "list"),
        ("default(null.x, 1)", "number"), ("default(null.*, [])", "list"),
    ],
)  # fmt: skip
def test_the_type_of_what_can_work(text: str, expected: str) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("'a' < 3", "'a' < 3"), ("null < 3", "null"), ("b < 3", "b"), ("m > n", "m"), ("not 5", "5"),
        ("n and b", "n"), ("b or t", "t"), ("1 if n else 2", "n"), ("len(3)", "3"), ("n.x", "x"),
        ("t.x.y", "x"),
        ("l.x", "x"), ("m[0]", "0]"), ("null.x", "x"), ("closed.typo", "typo"), ("t - 1", "t"),
        ("n * 'a'", "'a'"),
        ("t + 1", "t + 1"), ("m + 1", "m"), ("l + t", "l + t"), ("-t", "t"), ("n == 'a'", "n == 'a'"),
        ("1 in n", "n"), ("1 in t", "1"), ("n in m", "n"), ("n.*", "n"), ("n[0]", "0]"), ("n[t]", "n"),
        ("l[b]", "b"),
        ("upper(n)", "n"), ("any(xs)", "xs"), ("sum(['a'])", "['a']"), ("join([[1]], '')", "[[1]]"),
        ("contains(t, 1)", "1"), ("text(null)", "null"), ("default(t - 1, 2)", "t"), ("round(n, 'a')", "'a'"),
    ],
)  # fmt: skip
def test_what_is_certain_to_fail_is_found_at_its_place(text: str, part: str) -> None:
    found = problems(text)
    assert [text[one.start : one.end] for one in found] == [part]
    assert found[0].message


def test_an_unknown_field_has_a_suggestion() -> None:
    assert problems("closed.cuont")[0].fix == "did you mean `count`?"


def test_all_problems_come_at_once_from_left_to_right() -> None:
    found = problems("len(1) < 2 and not 5 and t - 1 > 0")
    assert [one.start for one in found] == [4, 19, 25]


def test_a_type_fits_what_it_may_be() -> None:
    assert may_be(ANY, "boolean")
    assert may_be(TEXT, "list|text")
    assert not may_be(TEXT, "boolean")


def test_one_of_several_types_is_what_they_share() -> None:
    assert either([NUMBER, NUMBER]) == NUMBER
    assert either([Type("list", item=TEXT), Type("list", item=NUMBER)]) == LIST
    assert either([NUMBER, TEXT]) == ANY
    assert either([]) == ANY


LITERAL = st.sampled_from(["1", "'a'", "true", "null", "[1]", "['a']", "[]", "[true]"])
COMBINED = st.recursive(
    LITERAL,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "<", "and", "or", "in", "*"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        st.tuples(st.sampled_from(["len", "not ", "any", "sum", "text", "-", "upper", "max"]), inner).map(
            lambda parts: f"({parts[0]}({parts[1]}))"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(COMBINED)
def test_a_single_step_that_is_refused_before_the_run_fails_in_it(text: str) -> None:
    term = parse(text)
    if not infer(term, KNOWN.get)[1] or " or " in text or " and " in text:
        return  # what `and` and `or` do not look at does not fail
    with pytest.raises(BadExpression):
        evaluate(term, VALUES.__getitem__)

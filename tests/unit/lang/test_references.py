"""What an expression names."""

from __future__ import annotations

import pytest

from maestri.lang.expressions.parse import parse
from maestri.lang.expressions.references import names, subtraction_hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", []),
        ("a", [("a", (), False)]),
        ("a.b['c d'][-1]", [("a", ("b", "c d", -1), False)]),
        ("a.*", [("a", (), False)]),
        ("a[b].c", [("a", (), False), ("b", (), False)]),
        ("len(a.b) + c if d else not e", [
            ("a", ("b",), False), ("c", (), False), ("d", (), False), ("e", (), False),
        ]),
        ("[a, -b] + (c or d and e)", [(name, (), False) for name in "abcde"]),
        ("default(a.b, c)", [("a", ("b",), True), ("c", (), False)]),
        ("exists(a) and failed(b.c)", [("a", (), True), ("b", ("c",), True)]),
        ("default(len(a), 1)", [("a", (), True)]),
        ("a == a", [("a", (), False), ("a", (), False)]),
        ("[1, 2][a]", [("a", (), False)]),
        ("[a].x", [("a", (), False)]),
    ],
)  # fmt: skip
def test_the_names_of_an_expression(
    text: str, expected: list[tuple[str, tuple[str | int, ...], bool]]
) -> None:
    assert [(one.name, one.path, one.guarded) for one in names(parse(text))] == expected


def test_a_reference_spans_its_literal_parts() -> None:
    (found,) = names(parse("1 + a.b[0].*", 10))
    assert (found.start, found.end) == (14, 20)


@pytest.mark.parametrize(
    ("name", "hint"), [("a-b", "`a - b`"), ("a-1", "`a - 1`"), ("a-c", ""), ("c-a", ""), ("ab", "")]
)
def test_a_hint_is_given_where_the_parts_are_known(name: str, hint: str) -> None:
    found = subtraction_hint(name, {"a", "b"}.__contains__)
    assert hint in found
    assert bool(found) == bool(hint)

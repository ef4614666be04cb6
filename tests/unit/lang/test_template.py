"""Texts with `${...}` in them."""

from __future__ import annotations

import pytest

from maestri.lang.expressions.template import parse_template, render
from maestri.lang.expressions.tokens import BadExpression
from maestri.values import Json

VALUES: dict[str, Json] = {"a": 1, "t": "text", "l": [1, {"k": "é"}], "yes": True, "none": None, "half": 0.5}


def rendered(text: str) -> Json:
    """Render a template over `VALUES`."""
    return render(parse_template(text), VALUES.__getitem__)


def refusal(text: str) -> BadExpression:
    """Return why a template cannot be read or rendered."""
    with pytest.raises(BadExpression) as caught:
        rendered(text)
    return caught.value


@pytest.mark.parametrize("name", VALUES)
def test_a_single_expression_keeps_its_type(name: str) -> None:
    assert rendered(f"${{ {name} }}") == VALUES[name]
    assert parse_template(f"${{{name}}}").is_single


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("no expression", "no expression"),
        ("a is ${a}, ${yes}, ${half}!", "a is 1, true, 0.5!"),
        ("${t}\n", "text\n"),
        (" ${a}", " 1"),
        ("${a}${a}", "11"),
        ("${l} it is", '[1, {"k": "é"}] it is'),
        ("$${a} is ${a}", "${a} is 1"),
        ("$${a}", "${a}"),
        ("$$${a}", "$${a}"),
        ("cost $5 {a} $a $", "cost $5 {a} $a $"),
        ("x ${'}'} ${\"{\"} y", "x } { y"),
        ("x ${'${a}'}", "x ${a}"),
        ("x ${'it\\'s'}", "x it's"),
        ("x ${\n  a\n} y", "x 1 y"),
    ],
)
def test_a_text_is_put_together(text: str, expected: str) -> None:
    assert rendered(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x ${a", "${"),
        ("x ${a} ${", "${"),
        ("x ${'a}", "'"),
        ("x ${}", ""),
        ("x ${a b}", "b"),
        ("x ${ {a} }", "{"),
        ("x ${nope} y", "nope"),
        ("x ${none} y", "${none}"),
    ],
)
def test_what_is_wrong_has_its_place_in_the_whole_text(text: str, part: str) -> None:
    found = refusal(text)
    assert text[found.start : found.end] == part
    assert found.fix


def test_a_long_text_without_its_brace_is_refused_soon() -> None:
    assert "not closed" in refusal("${" + "a " * 100_000).message


def test_a_rendered_text_is_bounded() -> None:
    with pytest.raises(BadExpression, match="more than"):
        render(parse_template("x" + "${t}" * 20), {"t": "x" * 65_000}.__getitem__)


def test_the_pieces_and_references_of_a_text() -> None:
    template = parse_template("x ${a.b[0]} y ${default(c, 1)}")
    assert [(part.start, part.end) for part in template.parts] == [(2, 11), (14, 30)]
    assert [(one.name, one.path, one.guarded, one.start) for one in template.references()] == [
        ("a", ("b", 0), False, 4),
        ("c", (), True, 24),
    ]
    assert not template.is_literal
    assert parse_template("$${a}").is_literal

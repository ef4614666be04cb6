"""Where the characters of a scalar stand in the file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maestri.lang.load import load
from maestri.lang.positions import origins
from maestri.lang.source import Source
from maestri.lang.tree import Scalar, position_in, span_in


def scalar_of(text: str) -> tuple[Scalar, Source]:
    """Load a file and return the scalar under `k`."""
    loaded = load(text, "f.yaml")
    assert loaded.tree is not None
    scalar = loaded.tree.get("k")
    assert isinstance(scalar, Scalar)
    return scalar, loaded.source


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("k: say ${x}\n", (1, 8)),
        ("k: 'it''s ${x}'\n", (1, 11)),
        ('k: "a\\t\\u00e9\\"${x}"\n', (1, 16)),
        ("k: |\n  one\n  two ${x}\n", (3, 7)),
        ("k: |2-\n   one\n\n  ${x}\n", (4, 3)),
        ("k: >\n  one\n  two\n\n  ${x}\n", (5, 3)),
        ("k: >-\n  one\n    more\n  ${x}\n", (4, 3)),
        ("k: one\n  two\n\n  ${x}\n", (4, 3)),
        ("k: 'one\n\n  ${x}'\n", (3, 3)),
        ('k: "one \\\n  \\ two ${x}"\n', (2, 9)),
        ("k: |\r\n  one\r\n  ${x}\r\n", (3, 3)),
        ("k: &a !!str |\n  ${x}\n", (2, 3)),
        ("k:\n  # why\n  ${x}\n", (3, 3)),
    ],
)
def test_an_expression_is_found_where_it_stands(text: str, place: tuple[int, int]) -> None:
    scalar, source = scalar_of(text)
    assert position_in(scalar, source, scalar.text.index("${")) == place


def test_the_span_of_a_part_ends_behind_its_last_character() -> None:
    scalar, source = scalar_of("k: >\n  a ${x}\n  b\n")
    assert tuple(span_in(scalar, source, 2, 6)) == (2, 5, 2, 9)


def test_offsets_beyond_the_text_give_its_end() -> None:
    scalar, source = scalar_of("k: abc\n")
    assert position_in(scalar, source, 99) == (1, 7)


def test_an_empty_text_is_placed_inside_its_quotes() -> None:
    scalar, source = scalar_of("k: ''\n")
    assert position_in(scalar, source, 0) == (1, 5)


def test_a_text_that_does_not_stand_there_has_the_place_of_its_scalar() -> None:
    scalar, source = scalar_of("k: abc\n")
    assert position_in(scalar._replace(text="xyz"), source, 2) == (1, 4)


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.sampled_from("ab \n'\"\\é\t${}:#\x07😀\u2028\x85"), min_size=1, max_size=40),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.booleans(),
)
def test_every_character_is_found_in_every_style(text: str, style: str | None, wide: bool) -> None:
    file = yaml.dump({"k": text}, default_style=style, allow_unicode=wide, width=10)
    loaded = load(file.replace("\n", "\r\n") if wide else file, "f.yaml")
    assert loaded.tree is not None
    scalar = loaded.tree.entries[0].value
    assert isinstance(scalar, Scalar)
    start = loaded.source.offset(scalar.span.line, scalar.span.col)
    end = loaded.source.offset(scalar.span.end_line, scalar.span.end_col)
    found = origins(loaded.source.text, start, end, scalar.text)
    assert found is not None
    assert len(found) == len(scalar.text) + 1
    same = [
        loaded.source.text[at] in {char, *"\\\r\n\x85\u2028"}
        for at, char in zip(found, scalar.text, strict=False)
    ]
    assert all(same)

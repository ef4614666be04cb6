"""Places in a text, and suggestions."""

from __future__ import annotations

from maestri.errors import Span
from maestri.lang.source import Source, suggest


def test_lines_end_where_yaml_ends_them() -> None:
    source = Source("f", "a\r\nb\rc\nd\u2028e")
    assert [source.line(n) for n in range(7)] == ["", "a", "b", "c", "d", "e", ""]


def test_place_and_offset_are_inverse() -> None:
    source = Source("f", "ab\ncd\n\ne")
    assert [source.offset(*source.place(offset)) for offset in range(9)] == list(range(9))


def test_a_diagnostic_has_file_place_and_source_line() -> None:
    source = Source("f.yaml", "a: 1\nb: two\n")
    found = source.diagnostic("L200", "wrong", Span(2, 4, 2, 7), cause="it is so", fix="mend it")
    text = "f.yaml:2:4: error[L200]: wrong\n    b: two\n       ^^^\n  cause: it is so\n  fix: mend it"
    assert found.text() == text


def test_a_close_word_is_suggested_whatever_its_case() -> None:
    assert suggest("Paralel", ["parallel", "graph"]) == "did you mean `parallel`?"


def test_without_a_close_word_the_known_ones_are_listed() -> None:
    assert suggest("zzz", ["b", "a"]) == "use one of: `a`, `b`"
    assert suggest("zzz", [f"name{n:02}" for n in range(40)]).endswith("`name11`, ...")
    assert suggest("zzz", []) == ""

"""The gate on docstrings, on small files that break it."""

import ast
from pathlib import Path

import docstrings
from sources import SRC, Source, python_sources


def source(text: str, file: Path = Path("some.py")) -> Source:
    return Source(file, text, ast.parse(text))


def test_every_pattern_says_shape_journal_cost_when_to_use_it_and_source() -> None:
    patterns = [one for one in python_sources(SRC) if docstrings.is_pattern(one.file)]
    found = [finding.text() for one in patterns for finding in docstrings.pattern_parts(one)]
    assert found == []


def test_what_says_nothing_is_named_with_its_class() -> None:
    text = 'class A:\n    """A."""\n    def b(self): ...\n    def _c(self): ...\ndef d():\n    def e(): ...\n'
    total, silent = docstrings.missing(source(text))
    assert total == 3
    assert [finding.message for finding in silent] == ["`A.b` has no docstring", "`d` has no docstring"]


def test_overloads_and_setters_speak_through_another() -> None:
    text = "@overload\ndef a(): ...\nclass _B:\n    @x.setter\n    def x(self): ...\n"
    assert docstrings.missing(source(text)) == (0, [])


def test_an_empty_module_needs_no_docstring_and_a_full_one_does() -> None:
    assert docstrings.silent_modules(source("")) == []
    assert len(docstrings.silent_modules(source("x = 1"))) == 1


def test_a_pattern_without_its_cost_is_refused() -> None:
    text = '"""Do it.\n\nShape: a\nJournal: b\nWhen: c\nNot: d\nSource: e\n"""\n'
    found = docstrings.pattern_parts(source(text, SRC / "patterns" / "each.py"))
    assert [finding.message for finding in found] == ["the docstring of a pattern needs `Cost:`"]

"""Names in the code keep to the words of the glossary."""

import ast
import re
from collections.abc import Iterator

import pytest

from sources import ROOT, SRC, Source, python_sources

# `thread` is left out: a thread of the operating system is called so.
NOT_USED = {"activity", "node", "job", "manager", "orchestrator"}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


def words(name: str) -> set[str]:
    """Return the words of a name: `run_IdNode` has run, id and node; a plural counts as its singular."""
    parts = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)
    return {part.lower() for part in parts} | {part.lower().removesuffix("s") for part in parts}


def names(source: Source) -> Iterator[tuple[str, int]]:
    """Yield what a file defines: functions, classes, parameters and fields."""
    for part in ast.walk(source.tree):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield part.name, part.lineno
        elif isinstance(part, ast.arg):
            yield part.arg, part.lineno
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id, part.lineno


def test_no_name_uses_a_word_that_means_something_else_elsewhere() -> None:
    found = [
        f"{source.file.relative_to(ROOT)}:{line}: {name}"
        for source in python_sources(SRC)
        if not {"importers", "compat.py"} & {*source.file.parts}  # they speak the words of other systems
        for name, line in names(source)
        if words(name) & NOT_USED
    ]
    assert found == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    files = [*SRC.rglob("*.py"), *SRC.rglob("*/")]
    assert [str(file.relative_to(ROOT)) for file in files if file.stem in EMPTY_NAMES] == []


@pytest.mark.parametrize(
    ("name", "found"), [("run_node", True), ("JobTable", True), ("jobs", True), ("denoted", False)]
)
def test_words_of_a_name(name: str, found: bool) -> None:
    assert bool(words(name) & NOT_USED) == found


def test_the_glossary_lists_its_words_in_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| \*\*(.+?)\*\* \|", text, flags=re.MULTILINE)
    assert len(found) > 30
    assert found == sorted(found)


def test_every_decision_has_its_parts_and_its_line_in_the_list() -> None:
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        text = page.read_text(encoding="utf-8")
        assert f"]({page.name})" in listed
        assert [
            part
            for part in ("**Status:**", "## Context", "## Decision", "## Consequences")
            if part not in text
        ] == []

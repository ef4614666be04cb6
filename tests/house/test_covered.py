"""The table of tests by construct, on small sets of tests with holes in them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import covered
from maestri.project import Project


def item(file: str, name: str, *parts: str, construct: str = "") -> Any:
    """Return a test as pytest hands it over."""
    marks = [pytest.mark.covers(*parts).mark] if parts else []
    case = {"case": SimpleNamespace(keyword=construct)} if construct else {}
    return SimpleNamespace(
        path=Path(file),
        name=name,
        nodeid=f"{file}::{name}",
        callspec=SimpleNamespace(params=case),
        iter_markers=lambda _name: iter(marks),
    )


def kit(part: str, construct: str) -> Any:
    return item(covered.KIT.name, f"test_{part}[{construct}]", part, construct=construct)


def test_every_construct_is_covered_in_every_part() -> None:
    patterns = Project().patterns
    found = covered.missing(covered.cells(covered.collected(), patterns), patterns)
    assert [finding.text() for finding in found] == []


def test_a_part_without_a_test_is_named() -> None:
    patterns = {"steps": Project().patterns["steps"]}
    items = [kit(part, "steps") for part in covered.PARTS if part != "cancel"]
    found = covered.missing(covered.cells(items, patterns), patterns)
    assert [finding.message for finding in found] == ["nothing covers `cancel` of `steps`"]


def test_a_cap_needs_a_test_of_its_own() -> None:
    patterns = {"loop": Project().patterns["loop"]}
    items = [kit(part, "loop") for part in covered.PARTS]
    found = covered.missing(covered.cells(items, patterns), patterns)
    assert [finding.message.partition(":")[0] for finding in found] == [
        "`max_rounds` of `loop` has no test of its own"
    ]
    items.append(item("test_loop.py", "test_the_cap", "limit"))
    assert covered.missing(covered.cells(items, patterns), patterns) == []


def test_a_phrase_in_the_name_says_what_a_test_covers() -> None:
    found = covered.cells([item("test_sequence.py", "test_it_nests_in_itself")], ["steps"])
    assert found["steps", "nesting"] == (covered.Test("test_sequence.py", "test_it_nests_in_itself"),)


def test_a_part_that_there_is_not_is_refused() -> None:
    with pytest.raises(RuntimeError, match="covers speed; there are: result, order"):
        covered.cells([item("test_loop.py", "test_it_is_quick", "speed")], ["loop"])


def test_the_table_has_the_numbers_of_the_tests_and_those_that_all_have_first() -> None:
    items = [item("test_loop.py", "test_the_cap", "limit"), kit("limit", "loop")]
    rows = covered.table(covered.cells(items, ["loop"]))
    assert rows[2] == "| [`loop`](patterns/loop.md) |  |  |  |  | 1 2 |  |  |  |  |"
    assert rows[-2:] == ["1. `test_constructs.py`: limit", "2. `test_loop.py`: the cap"]

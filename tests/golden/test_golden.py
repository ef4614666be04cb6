"""What is said to a definition, compared in full: `NAME.yaml` and `NAME.out` beside it.

With `UPDATE_GOLDEN=1` in the environment the outputs are written anew; look at the difference then.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from maestri.lang.definitions import Library
from maestri.project import Project

HERE = Path(__file__).parent
AGENTS = ("builder", "reviewer")
PATTERNS = Project().patterns
WRONG = sorted(file for file in HERE.glob("*.yaml"))
VALID = sorted((HERE / "valid").glob("*.yaml"))


def said(file: Path) -> str:
    """Return everything that is said to a definition."""
    library = Library(PATTERNS, AGENTS)
    definition, findings = library.open(str(file), file.name)
    if definition is not None:
        findings = library.check(definition)
    return "\n\n".join(found.text() for found in findings) + "\n" if findings else ""


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_each_finding_has_a_place_a_caret_a_cause_and_a_fix(file: Path) -> None:
    for finding in said(file).split("\n\n"):
        where, *lines = finding.splitlines()
        assert re.match(r"[\w.-]+:\d+:\d+: (error|warning)\[L\d{3}\]: .", where), finding
        words = [line.strip().split(" ")[0].strip("^") for line in lines]
        assert words[1:] == ["", "cause:", "fix:"], finding


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_what_is_said_to(file: Path) -> None:
    expected = file.with_suffix(".out")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(said(file), encoding="utf-8")
    assert said(file) == expected.read_text(encoding="utf-8")
    assert said(file)


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_nothing_is_said_to(file: Path) -> None:
    assert said(file) == ""


def test_every_output_has_its_definition() -> None:
    outputs = {file.stem for file in HERE.glob("*.out")}
    assert outputs == {file.stem for file in WRONG}

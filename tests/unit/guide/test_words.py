"""What patterns say of themselves, and the shortest use of each."""

from pathlib import Path

import pytest

from maestri.guide.skeleton import skeleton
from maestri.guide.words import words
from maestri.project import Project

PATTERNS = list(Project().patterns)


@pytest.mark.parametrize("keyword", PATTERNS)
def test_every_pattern_has_all_its_words(keyword: str) -> None:
    said = words(Project().patterns[keyword])
    assert all(said), said


@pytest.mark.parametrize("keyword", PATTERNS)
def test_when_not_to_use_one_names_what_to_use_instead(keyword: str) -> None:
    assert "`" in words(Project().patterns[keyword]).avoid or keyword == "workflow"


def test_a_shape_keeps_its_lines_and_loses_what_is_empty_around_it() -> None:
    assert words(Project().patterns["parallel"]).shape.splitlines() == [
        "     ┌─ a ─┐",
        "─────┼─ b ─┼── join ──",
        "     └─ c ─┘",
    ]


@pytest.mark.parametrize("keyword", PATTERNS)
def test_the_shortest_use_of_each_is_a_definition_without_errors(keyword: str, tmp_path: Path) -> None:
    project = Project()
    steps = "".join(f"  {line}\n" for line in skeleton(project.patterns[keyword]).splitlines())
    other = "workflows:\n  other: {steps: {x: {run: echo done}}}\n"
    file = tmp_path / "flow.yaml"
    file.write_text(f"workflow: w\ninputs: {{size: integer}}\nsteps:\n{steps}{other}", encoding="utf-8")
    assert [one.text() for one in project.check([str(file)]) if one.severity == "error"] == []

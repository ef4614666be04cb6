"""Diagrams of sagas, phases, reviews, scouts and streams."""

from collections.abc import Callable
from pathlib import Path

import pytest

from maestri.project import Project
from maestri.report.diagrams.dot import dot
from maestri.report.diagrams.mermaid import mermaid
from maestri.report.diagrams.shapes import Shape, edges, of_definition
from maestri.report.diagrams.svg import svg

FILE = Path(__file__).resolve().parents[2] / "golden" / "valid" / "groups.yaml"
EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "patterns"


@pytest.fixture(scope="module")
def shapes() -> dict[str, Shape]:
    model = Project().load(str(FILE)).model
    assert model is not None
    return {shape.name: shape for shape in of_definition(model).children}


def parts(shape: Shape) -> list[tuple[str, str, str]]:
    return [(one.name, one.kind, one.layout) for one in shape.children]


def test_a_saga_is_a_column_whose_steps_say_how_they_are_undone(shapes: dict[str, Shape]) -> None:
    assert shapes["pay"].layout == "column"
    assert [one.detail for one in shapes["pay"].children] == [
        "book · undo workflow",
        "ship · undo run",
        "undo run, run",
    ]


def test_a_phase_has_its_steps_and_its_validator(shapes: dict[str, Shape]) -> None:
    users, tasks, rest = shapes["move"].children
    assert (users.kind, users.repeats) == ("phase", "ask until it passes")
    assert [one.name for one in tasks.children] == ["steps", "validate"]
    assert [one.name for one in rest.children] == ["steps"]


def test_reviewers_and_scouts_stand_side_by_side(shapes: dict[str, Shape]) -> None:
    assert parts(shapes["text"]) == [("primary", "steps", "column"), ("reviewers", "", "row")]
    assert parts(shapes["look"]) == [("scouts", "", "row"), ("decide", "ask", "column"), ("build", "", "row")]


def test_streams_lead_to_what_integrates_them(shapes: dict[str, Shape]) -> None:
    arrows = [(edge.begin, edge.end) for edge in edges(shapes["both"])]
    assert arrows == [(0, 4), (1, 4), (2, 4), (3, 4)]


@pytest.mark.parametrize("draw", [mermaid, dot, svg])
def test_each_form_draws_them(draw: Callable[[Shape], str], shapes: dict[str, Shape]) -> None:
    for shape in shapes.values():
        assert shape.name in draw(shape)


def test_ways_that_are_tried_one_after_the_other_say_when() -> None:
    model = Project().load(str(EXAMPLES / "fallback.yaml")).model
    assert model is not None
    ways = of_definition(model).children[1].children
    assert [one.label for one in ways] == ["", *["if that fails"] * (len(ways) - 1)]


@pytest.mark.parametrize(
    ("example", "step", "detail"),
    [
        ("vote", "lines", "policy majority, by ${output.lines}"),
        ("race", "last", "accept ${output > 0}"),
        ("land", "ship", "branches polite loud broken, into release"),
        ("route", "notes", "event ${commit}"),
    ],
)
def test_what_decides_stands_in_the_box(example: str, step: str, detail: str) -> None:
    model = Project().load(str(EXAMPLES / f"{example}.yaml")).model
    assert model is not None
    assert {one.name: one.detail for one in of_definition(model).children}[step] == detail

"""Diagrams of definitions and runs: arrows, waves, escapes, and an SVG in which nothing overlaps."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from maestri.kernel.events import Stored
from maestri.kernel.path import numbered
from maestri.project import Project
from maestri.report.diagrams.dot import dot
from maestri.report.diagrams.mermaid import mermaid
from maestri.report.diagrams.runs import SHOWN_REPEATS, of_run
from maestri.report.diagrams.shapes import Edge, Shape, edges, of_definition, waves
from maestri.report.diagrams.svg import Placed, place, svg
from maestri.report.tree import Tree, grown

FLOW = """
workflow: shapes
steps:
  checks:
    parallel:
      branches:
        lint: {run: "echo <b> & \\"quotes\\""}
        tests: {steps: {unit: {run: echo u}, slow: {run: echo s}}}
  build:
    graph:
      steps:
        a: {run: echo a}
        b: {run: echo b, needs: [a]}
        c: {run: echo c, needs: [a]}
        d: {run: echo d, needs: [b, c]}
  again: {loop: {until: "${round >= 2}", steps: {try: {run: echo try}}}}
  route:
    branch:
      tidy: {when: "${len(checks.lint) < 5}", steps: {style: {run: echo tidy}}}
      mend: {steps: {fix: {run: echo mend}}}
"""


@pytest.fixture
def flow(tmp_path: Path) -> Shape:
    file = tmp_path / "flow.yaml"
    file.write_text(FLOW, encoding="utf-8")
    model = Project(state=str(tmp_path / "state")).load(str(file)).model
    assert model is not None
    return of_definition(model)


def test_a_definition_becomes_boxes_in_boxes(flow: Shape) -> None:
    assert [(one.name, one.kind, one.layout) for one in flow.children] == [
        ("checks", "parallel", "row"),
        ("build", "graph", "waves"),
        ("again", "loop", "column"),
        ("route", "branch", "row"),
    ]
    assert flow.children[2].repeats == "until ${round >= 2}"
    assert [arm.label for arm in flow.children[3].children] == ["when ${len(checks.lint) < 5}", "otherwise"]


def test_a_graph_has_its_needs_as_arrows_and_waves_as_rows(flow: Shape) -> None:
    build = flow.children[1]
    assert edges(build) == [Edge(0, 1), Edge(0, 2), Edge(1, 3), Edge(2, 3)]
    assert waves(build.children) == [[0], [1, 2], [3]]


def test_a_run_has_states_in_words(checks: list[Stored]) -> None:
    text = mermaid(of_run(grown(checks), "bold-otter-3", "running", 43210.0))
    assert '["lint<br/>run · succeeded · 3.0s"]' in text
    assert '["tests<br/>run · failed · 4.0s"]' in text
    assert "class s2 succeeded" in text


def test_texts_cannot_become_syntax(flow: Shape) -> None:
    assert "echo #lt;b#gt; #amp; #quot;quotes#quot;" in mermaid(flow)
    assert 'echo <b> & \\"quotes\\"' in dot(flow)
    assert "echo &lt;b&gt; &amp;" in svg(flow)


def test_arrows_of_a_loop_go_back(flow: Shape) -> None:
    assert '-. "until ${round #gt;= 2}" .->' in mermaid(flow)
    assert 'label="until ${round >= 2}", style=dashed' in dot(flow)
    assert 'class="back"' in svg(flow)


def test_the_braces_of_a_graphviz_file_match(flow: Shape) -> None:
    text = "".join(part for n, part in enumerate(dot(flow).replace('\\"', "").split('"')) if n % 2 == 0)
    assert text.count("{") == text.count("}") == 8


def test_an_svg_is_one_file_with_a_title_for_every_box(flow: Shape) -> None:
    root = ET.fromstring(svg(flow))
    names = {element.tag.partition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "style", "defs", "marker", "path", "g", "rect", "text"}
    boxes = [element for element in root.iter() if element.tag.endswith("}g")]
    assert boxes
    assert all(box[0].tag.endswith("}title") for box in boxes)


def rectangles(placed: Placed) -> list[tuple[float, float, float, float]]:
    return [
        (x, y, x + child.width, y + child.height)
        for child, (x, y) in zip(placed.children, placed.places, strict=True)
    ]


def check(placed: Placed) -> None:
    found = rectangles(placed)
    assert all(x >= 0 and y >= 0 and r <= placed.width and b <= placed.height for x, y, r, b in found)
    for one, other in pairwise(found):
        assert one[2] <= other[0] or one[3] <= other[1] or other[2] <= one[0]
    for child in placed.children:
        check(child)


def test_in_an_svg_nothing_overlaps_and_children_lie_inside(flow: Shape) -> None:
    check(place(flow))


def test_a_python_workflow_that_did_nothing_is_an_empty_box() -> None:
    shape = of_run(grown([]), "x", "failed", 0.0)
    assert ET.fromstring(svg(shape)).tag.endswith("svg")
    assert dot(shape).endswith("}\n")


def begun(history: Callable[..., list[Stored]], *paths: str) -> Tree:
    notes = [("step.started", path, {"agent": "run"}) for path in paths]
    return grown(history(("run.started", "", {"workflow": "shapes", "inputs": {}}), *notes))


def test_a_run_is_drawn_on_the_structure_of_its_definition(
    flow: Shape, history: Callable[..., list[Stored]]
) -> None:
    run = of_run(begun(history, "/checks/lint", "/build/a"), "x", "running", 43210.0, flow)
    build = run.children[1]
    assert [one.name for one in run.children] == [one.name for one in flow.children]
    assert edges(build) == [Edge(0, 1), Edge(0, 2), Edge(1, 3), Edge(2, 3)]
    assert [one.state for one in build.children] == ["running", "pending", "pending", "pending"]


def test_rounds_are_drawn_as_often_as_there_were_and_very_many_are_counted(
    flow: Shape, history: Callable[..., list[Stored]]
) -> None:
    paths = [f"/again/{numbered('round', n)}/try" for n in range(1, SHOWN_REPEATS + 4)]
    again = of_run(begun(history, *paths), "x", "running", 43210.0, flow).children[2]
    assert again.children[0].detail == "3 earlier ones are not drawn"
    assert again.children[-1].name == f"round#{SHOWN_REPEATS + 3}"
    assert [one.name for one in again.children[-1].children] == ["try"]
    assert again.repeats == "until ${round >= 2}"


def test_of_a_run_without_a_definition_every_step_is_drawn(history: Callable[..., list[Stored]]) -> None:
    run = of_run(begun(history, *(f"/step{n}" for n in range(100))), "x", "failed", 0.0)
    assert len(run.children) == 100


def test_what_the_definition_does_not_have_is_drawn_all_the_same(
    flow: Shape, history: Callable[..., list[Stored]]
) -> None:
    run = of_run(begun(history, "/build/other", "/extra"), "x", "failed", 0.0, flow)
    assert [one.name for one in run.children[1].children] == ["a", "b", "c", "d", "other"]
    assert run.children[-1].name == "extra"


def test_an_arrow_goes_past_the_higher_boxes_of_its_row_and_a_label_stands_beside_it() -> None:
    tall = Shape("tall", children=(Shape("a"), Shape("b")))
    shape = Shape(
        "all",
        layout="waves",
        children=(tall, Shape("low"), Shape("end", needs=("tall", "low"), label="then")),
    )
    drawn = svg(shape)
    placed = place(shape)
    assert f"V{12 + placed.places[0][1] + placed.children[0].height:.1f}C" in drawn
    (label,) = [line for line in drawn.splitlines() if ">then<" in line]
    (box,) = [line for line in drawn.splitlines() if line.startswith("<text") and ">end<" in line]
    assert float(label.split('x="')[1].split('"')[0]) > float(box.split('x="')[1].split('"')[0])

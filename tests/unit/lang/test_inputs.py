"""The inputs of a run: what is wrong with them is said where they are declared."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from maestri.errors import Diagnostic, InputInvalid, Span
from maestri.lang.inputs import Declared, InputDef, InputsWrong, checked, complete
from maestri.lang.source import Source
from maestri.project import CommandLine, Project

FLOW = """\
inputs:
  module: {type: path, description: package to work on}
  files: list
  count: {type: integer, default: 1}
steps: {a: {run: make}}
"""
PYTHON = """\
import maestri

@maestri.workflow
async def build(ctx: maestri.Context, größe: int,
                *, module: str = "src") -> str:
    return module
"""


def wrong(folder: Path, file: str, text: str, **given: str) -> list[Diagnostic]:
    """Return what is said to some inputs of a definition, given as on a command line."""
    (folder / file).write_text(text, encoding="utf-8")
    project = Project(state=str(folder / "state"))
    loaded = project.load(str(folder / file))
    with pytest.raises(InputsWrong) as caught:
        project.inputs_for(loaded, {name: CommandLine(value) for name, value in given.items()})
    return caught.value.diagnostics


def test_every_input_that_is_wrong_is_named_where_it_is_declared(tmp_path: Path) -> None:
    found = wrong(tmp_path, "flow.yaml", FLOW, modul="src", count="three")
    places = [(one.code, one.span and one.span[:2]) for one in found]
    assert places == [("C010", (1, 1)), ("C011", (2, 3)), ("C011", (3, 3)), ("C012", (4, 3))]
    assert all(one.cause and one.fix and one.snippet for one in found)


def test_the_message_says_type_and_value_in_words(tmp_path: Path) -> None:
    found = wrong(tmp_path, "flow.yaml", FLOW, module="src", files='["a"]', count="three")
    assert found[0].message == "the input `count` must be a whole number, and this is a text"
    assert found[0].cause == "it is declared as `integer`, and `three` was given"


def test_the_fix_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    found = wrong(tmp_path, "flow.yaml", FLOW, module="src")
    command = found[0].fix.partition("`")[2].rstrip("`")
    assert shlex.split(command) == ["-i", 'files=["a", "b"]']


def test_an_unknown_input_of_a_workflow_without_inputs_points_at_its_beginning(tmp_path: Path) -> None:
    found = wrong(tmp_path, "flow.yaml", "steps: {a: {run: make}}\n", n="1")
    assert [(one.span and one.span[:2], one.cause) for one in found] == [
        ((1, 1), "this workflow declares no inputs")
    ]


def test_a_function_in_python_is_pointed_into_as_well(tmp_path: Path) -> None:
    found = wrong(tmp_path, "places_flow.py", PYTHON, module="x", other="1")
    assert [(one.code, one.span) for one in found] == [
        ("C010", Span(4, 11, 4, 16)),
        ("C011", Span(4, 39, 4, 44)),
    ]


def test_inputs_of_a_call_that_do_not_fit_are_refused_with_cause_and_fix() -> None:
    with pytest.raises(InputInvalid) as caught:
        complete("tidy", {"n": InputDef("n", "integer")}, {})
    assert (caught.value.cause, caught.value.fix) == (
        "it is declared without a default, so that it must be given",
        "give it by `inputs: {n: 3}`",
    )


def test_the_place_of_the_declarations_is_looked_for_only_where_something_is_wrong() -> None:
    asked: list[bool] = []

    def declared() -> Declared:
        asked.append(True)
        return Declared(Source("f", ""), Span(1, 1, 1, 1), {})

    assert checked({"n": InputDef("n", "integer")}, {"n": CommandLine("3")}, CommandLine, declared) == {
        "n": 3
    }
    assert asked == []

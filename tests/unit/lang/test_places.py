"""What is named to `check` and `run`: the same mistake has the same code, whatever the file was to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestri.errors import DefinitionError, Diagnostic, WorkflowMissing
from maestri.project import Project

TWO = """\
import maestri

@maestri.workflow
async def build(ctx: maestri.Context) -> None: ...

@maestri.workflow
async def tidy(ctx: maestri.Context) -> None: ...
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in a folder of its own, with a folder in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    return Project(state=str(tmp_path / "state"))


def refused(project: Project, target: str) -> Diagnostic:
    """Return the one thing that is said to a target, by `check` and by `load` alike."""
    found = project.check([target])
    with pytest.raises((DefinitionError, WorkflowMissing)) as caught:
        project.load(target)
    assert found == [caught.value.diagnostic]
    return found[0]


@pytest.mark.parametrize("target", ["none.yaml", "none.yml", "none.py", "none.py:build", "no/none.yaml"])
def test_a_file_that_is_not_there_has_one_code(project: Project, target: str) -> None:
    found = refused(project, target)
    assert (found.code, found.file) == ("L101", target.partition(":")[0])
    assert found.cause
    assert found.fix


def test_a_folder_is_not_a_workflow(project: Project) -> None:
    assert refused(project, "flows").code == "L102"


def test_a_name_without_its_ending_is_completed(project: Project, tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text("steps: {a: {run: make}}\n", encoding="utf-8")
    assert (refused(project, "flow").code, refused(project, "flow").fix) == (
        "R404",
        "did you mean `flow.yaml`?",
    )
    assert refused(project, "flaw").fix == "give a `.yaml` or `.py` file, or `module:function`"


def test_several_workflows_in_a_file_are_named_by_its_short_name(project: Project, tmp_path: Path) -> None:
    (tmp_path / "two_flows.py").write_text(TWO, encoding="utf-8")
    found = refused(project, "two_flows.py")
    assert (found.code, found.file) == ("L131", "two_flows.py")
    assert found.fix == "name one of them: `two_flows.py:build`, `two_flows.py:tidy`"
    assert refused(project, "two_flows.py:buidl").cause == "it has nothing of that name"


def test_a_python_file_that_cannot_be_read_is_pointed_into(project: Project, tmp_path: Path) -> None:
    (tmp_path / "open_call.py").write_text('def f():\n    print("hello"\n', encoding="utf-8")
    found = refused(project, "open_call.py")
    assert (found.code, found.where(), found.cause) == (
        "L130",
        "open_call.py:2:10",
        "Python itself cannot read it",
    )

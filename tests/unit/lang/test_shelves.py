"""Workflows that are found by name in the folders of a library."""

from pathlib import Path
from typing import Any

import pytest

from maestri.lang.definitions import Library
from maestri.lang.shelves import Folder, Shelves
from maestri.project import Project
from maestri.project.folders import folders

GREET = "description: Greets.\ninputs: {who: text}\nsteps: {s: {run: [echo, '${inputs.who}']}}\n"
MAIN = "steps:\n  a: {workflow: greet, inputs: {who: Ada}}\n"


@pytest.fixture
def near(tmp_path: Path) -> Path:
    (tmp_path / "near").mkdir()
    (tmp_path / "far").mkdir()
    (tmp_path / "far/greet.yml").write_text(GREET, encoding="utf-8")
    (tmp_path / "main.yaml").write_text(MAIN, encoding="utf-8")
    return tmp_path / "near"


def library(near: Path) -> Library:
    listed = [Folder(str(near), "near"), Folder(str(near.parent / "far"), "far")]
    return Library(Project().patterns, shelves=Shelves(lambda: listed))


def findings(near: Path, text: str = MAIN) -> list[str]:
    (near.parent / "main.yaml").write_text(text, encoding="utf-8")
    found = library(near)
    definition, _ = found.open(str(near.parent / "main.yaml"), "main.yaml")
    assert definition is not None
    return [one.text() for one in found.check(definition)]


def test_a_name_is_found_in_any_folder_and_the_first_one_wins(near: Path) -> None:
    assert findings(near) == []
    (near / "greet.yaml").write_text("steps: {s: {run: true}}\n", encoding="utf-8")
    assert "L225" in findings(near)[0]  # the nearer one has no input


def test_a_workflow_of_the_file_itself_goes_before_all_folders(near: Path) -> None:
    own = MAIN.replace(", inputs: {who: Ada}", "") + "workflows: {greet: {steps: {s: {run: make}}}}\n"
    assert findings(near, own) == []


def test_inputs_and_outputs_of_a_found_workflow_are_checked(near: Path) -> None:
    wrong = "steps:\n  a: {workflow: greet}\n  b: {run: 'echo', stdin: '${a.name}'}\n"
    said = "\n".join(findings(near, wrong))
    assert "`greet` needs the input `who`" in said
    assert "L218" in said


def test_a_name_that_one_folder_has_twice_is_a_finding(near: Path) -> None:
    for ending in ("yaml", "yml"):
        (near / f"greet.{ending}").write_text(GREET, encoding="utf-8")
    (said,) = findings(near)
    assert "L266" in said
    assert "`near/greet.yaml` and `greet.yml`" in said


def test_a_name_that_no_folder_has_says_where_it_was_looked_for(near: Path) -> None:
    (said,) = findings(near, "steps:\n  a: {workflow: great}\n")
    assert "L224" in said
    assert "$MAESTRI_LIBRARY" in said
    assert "did you mean `greet`?" in said


def test_what_is_wrong_with_a_found_file_is_said_of_that_file(near: Path) -> None:
    (near / "greet.yaml").write_text(GREET.replace("run:", "rum:"), encoding="utf-8")
    assert [text.split(":")[0] for text in findings(near)] == ["near/greet.yaml"]


def test_a_run_goes_on_with_what_was_found_wherever_it_is_resumed(near: Path) -> None:
    found = library(near)
    path = str(near.parent / "main.yaml")
    definition, _ = found.open(path, "main.yaml")
    assert definition is not None
    found.check(definition)
    texts, named = found.texts(), found.shelves.paths()
    (near.parent / "far/greet.yml").unlink()
    again = Library(Project().patterns).of_texts(texts, named)
    reopened, _ = again.open(path, "main.yaml")
    assert reopened is not None
    assert again.check(reopened) == []
    assert named == {"greet": str(near.parent / "far/greet.yml")}


@pytest.mark.parametrize("name", ["../main", "", "a b", "x" * 80, "\0"])
def test_only_names_are_looked_for(near: Path, name: str) -> None:
    assert Shelves(lambda: [Folder(str(near), "near")]).find(name) is None


def test_all_of_a_library_are_listed_in_the_order_in_which_they_are_looked_for(near: Path) -> None:
    (near / "greet.yaml").write_text(GREET, encoding="utf-8")
    (near / "not a name.yaml").write_text(GREET, encoding="utf-8")
    (near / "words.txt").write_text("", encoding="utf-8")
    found: Any = library(near).shelves.all()
    assert [one.shown_as for one in found] == ["near/greet.yaml", "far/greet.yml"]


def test_the_folders_are_those_of_the_project_the_user_and_the_environment() -> None:
    environ = {"HOME": "/users/ada", "MAESTRI_LIBRARY": "/one:two::"}
    assert [one.path for one in folders("/place", environ)] == [
        "/place/.maestri/workflows",
        "/place/workflows",
        "/users/ada/.config/maestri/workflows",
        "/one",
        "/place/two",
    ]
    assert folders("/place", {"XDG_CONFIG_HOME": "/config"})[2].path == "/config/maestri/workflows"

"""`maestri run`, `check`, `import` and `resume` with files of other systems."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.importers.crew import Crew, ran

from maestri.cli.main import main
from maestri.engines.memory import MemoryEngine
from maestri.errors import StepFailed, WorkflowChanged
from maestri.kernel.state import FAILED, SUCCEEDED
from maestri.project import Project

CASCADE = """name: tidy
stages:
  - lint:
      outputs: [found]
      colour: red
  - report:
      inputs: [${lint.found}]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "tidy.yaml"
    made.write_text(CASCADE, encoding="utf-8")
    return made


def test_check_names_what_means_nothing_at_the_users_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "tidy.yaml", "--default-agent", "echo"]) == 0
    said = capsys.readouterr().out
    assert "tidy.yaml:5:7: warning[L311]: `colour` of the stage `lint` means nothing here" in said
    assert "warning[L312]: `echo` answers for `lint`, `report`" in said


def test_check_needs_somebody_to_answer(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "tidy.yaml"]) == 2
    assert "error[L312]: nobody is configured for `lint`, `report`" in capsys.readouterr().out


def test_the_default_agent_may_come_from_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRI_DEFAULT_AGENT", "echo")
    assert main(["check", "tidy.yaml"]) == 0


def test_the_default_agent_may_come_from_the_project_or_the_user(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for place in (Path(".maestri"), tmp_path / "config" / "maestri"):
        place.mkdir(parents=True)
        (place / "config.yaml").write_text("default_agent: echo\n", encoding="utf-8")
        assert main(["check", "tidy.yaml"]) == 0
        (place / "config.yaml").unlink()
        assert main(["check", "tidy.yaml"]) == 2


def test_a_configuration_that_is_wrong_is_refused_with_all_that_is_wrong(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".maestri").mkdir()
    Path(".maestri/config.yaml").write_text("default_agnet: echo\ndefault_agent: [a]\n", encoding="utf-8")
    assert main(["check", "tidy.yaml"]) == 2
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert ".maestri/config.yaml:1:1: error[L323]: `default_agnet` is no key of a configuration" in said
    assert ".maestri/config.yaml:2:1: error[L323]: `default_agent` must be a name" in said


def test_what_is_imported_is_a_workflow_of_ours(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "tidy.yaml", "-o", "ours.yaml"]) == 0
    assert main(["check", "ours.yaml"]) == 0
    assert "ours.yaml: nothing found" in capsys.readouterr().out
    assert "# line 3\n  lint:" in Path("ours.yaml").read_text(encoding="utf-8")


def test_import_writes_to_standard_output(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "tidy.yaml"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("# From tidy.yaml, a file of cascades.\n")
    assert "L311" in said.err


@pytest.mark.parametrize(
    ("text", "code"),
    [("workflow: a\nsteps: {b: {run: 'true'}}", "L310"), ("a: [", "L110"), ("stages: []", "L317")],
)
def test_import_refuses_what_it_cannot_read(
    text: str, code: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text, encoding="utf-8")
    assert main(["import", "tidy.yaml"]) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_import_says_where_it_cannot_write(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "tidy.yaml", "-o", "nowhere/ours.yaml"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_system_that_is_said_decides(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "tidy.yaml", "--as", "czarina"]) == 2
    assert "error[L317]: there are no workers" in capsys.readouterr().out


def test_a_file_of_another_name_needs_its_system(file: Path) -> None:
    Path("tidy.conf").write_text(CASCADE, encoding="utf-8")
    assert main(["check", "tidy.conf", "--as", "cascade", "--default-agent", "echo"]) == 0


def test_json_is_read_as_well(file: Path) -> None:
    Path("tidy.json").write_text(json.dumps({"stages": ["a", {"b": {"skills": ["x", "y"]}}]}))
    crew = Crew()
    assert asyncio.run(ran(Path("tidy.json").absolute(), crew)).status == SUCCEEDED
    assert crew.asked == ["a", "x", "y"]


def test_a_workflow_of_ours_may_call_a_file_of_another_system(file: Path) -> None:
    Path("ours.yaml").write_text("steps: {inner: {workflow: tidy.yaml}}", encoding="utf-8")
    crew = Crew()
    assert asyncio.run(ran(Path("ours.yaml").absolute(), crew)).status == SUCCEEDED
    assert crew.asked == ["lint", "report"]


def started(engine: MemoryEngine, crew: Crew, **options: Any) -> Project:
    return Project(agents={"crew": crew}, engine=engine, **options)


def _edit(file: Path) -> None:
    file.write_text(CASCADE.replace("report", "summary"), encoding="utf-8")


async def _resumed(file: Path, *, edit: bool) -> tuple[str, list[str]]:
    engine, crew = MemoryEngine(), Crew({"report": [StepFailed("no"), "fine"]})
    first = started(engine, crew, default_agent="crew")
    execution = await first.start(first.load(str(file)), {})
    assert (await execution.wait()).status == FAILED
    if edit:
        _edit(file)
    second = started(engine, crew)  # without a default agent: the run knows what its file had become
    ended = await (await second.resume(execution.info)).wait()
    return ended.status, crew.asked


def test_a_run_is_resumed_with_what_its_file_had_become(file: Path) -> None:
    assert asyncio.run(_resumed(file, edit=False)) == (SUCCEEDED, ["lint", "report", "report"])


def test_a_run_is_not_resumed_with_another_file(file: Path) -> None:
    with pytest.raises(WorkflowChanged, match=r"tidy\.yaml"):
        asyncio.run(_resumed(file, edit=True))

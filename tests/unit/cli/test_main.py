"""What a command line comes to: exit codes and messages, without a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from maestri.cli import bug, main


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRI_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main.main(words)
    return (code, *capsys.readouterr())


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "--help")
    assert code == 0
    assert all(f"  {name} " in out for name in main.COMMANDS)


def test_a_misspelt_command_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "rnu") == (2, "", "error[C020]: `rnu` is not a command\n  fix: did you mean `run`?\n")


def test_no_runs_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "ps")
    assert (code, out.startswith("there are no runs in this folder")) == (0, True)
    assert said(capsys, "ps", "--json")[1] == "[]\n"


def test_with_json_an_error_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "show", "nobody", "--json")
    document = json.loads(out)
    assert (code, err) == (2, "")
    assert (document["status"], document["diagnostics"][0]["code"]) == ("error", "E501")


def test_a_bug_is_one_message_and_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(main.COMMANDS, "ps", ("maestri.cli.nowhere:command", "broken"))
    code, out, err = said(capsys, "ps")
    (file,) = (tmp_path / "state" / "bugs").iterdir()
    assert (code, out) == (70, "")
    assert "error[X000]: this is a bug in Maestri: ModuleNotFoundError" in err
    assert "Traceback" in file.read_text(encoding="utf-8")
    assert "Traceback" not in err


def test_a_bug_report_goes_to_the_state_directory_that_was_asked_for(tmp_path: Path) -> None:
    bug.report_bug(ValueError("x"), ["--state", str(tmp_path / "other"), "ps"])
    assert list((tmp_path / "other" / "bugs").iterdir())


@pytest.mark.parametrize("command", [["--help"], ["ps"], ["version"]])
def test_looking_imports_no_event_loop_no_yaml_and_no_rich(command: list[str]) -> None:
    code = f"import sys; from maestri.cli.main import main; main({command!r}); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1]
    assert [name for name in ("'asyncio'", "'yaml'", "'rich'") if name in loaded] == []

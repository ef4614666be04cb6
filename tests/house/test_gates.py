"""`make check`, `make` and the scripts behind them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gates
from sources import ROOT


def script(name: str, path: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(ROOT / "tools" / name)]
    return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)


def test_a_failed_gate_is_shown_with_its_command_and_all_it_said() -> None:
    gate = gates.Gate("sample", [sys.executable, "-c", "print('what is wrong'); raise SystemExit(3)"])
    outcome = gates.run(gate)
    assert not outcome.passed
    assert "FAILED sample" in gates.shown(outcome)
    assert "what is wrong" in gates.shown(outcome)


def test_a_gate_that_cannot_be_started_has_failed() -> None:
    outcome = gates.run(gates.Gate("sample", ["/nowhere/at-all"]))
    assert not outcome.passed
    assert "cannot be started" in outcome.output


def test_all_gates_run_and_the_failed_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = [
        gates.Gate(name, [sys.executable, "-c", code]) for name, code in (("bad", "1/0"), ("good", "0"))
    ]
    monkeypatch.setattr(gates, "GATES", sample)
    assert gates.main([]) == 1
    said = capsys.readouterr().out
    assert re.search(r"ok +good", said)
    assert said.endswith("1 of 2 gates failed: bad\n")


def test_an_unknown_gate_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert gates.main(["tpyes"]) == 2
    assert "no such gate: tpyes" in capsys.readouterr().err


def test_every_target_for_people_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^\.PHONY: (help .*)$", text, flags=re.MULTILINE)
    assert set(listed.split()) == set(re.findall(r"^([a-z-]+):.*## \w", text, flags=re.MULTILINE))


def test_the_python_that_is_found_is_new_enough() -> None:
    found = script("find_python.sh", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    code = "import sys; print(sys.version_info >= (3, 11))"
    assert (
        subprocess.run([found.stdout.strip(), "-c", code], capture_output=True, check=True).stdout
        == b"True\n"
    )


def test_a_missing_program_is_named_with_what_to_do(tmp_path: Path) -> None:
    found = script("system_packages.sh", str(tmp_path))
    assert found.returncode == 1
    assert "missing on this machine: git" in found.stderr
    assert "fix: install" in found.stderr


@pytest.mark.parametrize("name", ["find_python.sh", "system_packages.sh", "../.ci/run"])
def test_a_script_can_be_executed(name: str) -> None:
    assert os.access(ROOT / "tools" / name, os.X_OK)

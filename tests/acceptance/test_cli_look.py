"""`maestri` as a user starts it: check, graph, show, doctor, schema, completion."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FLOW = """workflow: flow
steps:
  both: {parallel: {branches: {a: {run: echo a}, b: {run: echo b}}}}
  last: {run: "echo '${not-templated}'"}
"""


def maestri(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "maestri", *words],
        cwd=desk,
        env={**kept, "MAESTRI_STATE": str(desk / "state"), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "flow.yaml").write_text(FLOW, encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text("workflow: w\nsteps:\n  a: {rnu: x}\n", encoding="utf-8")
    return tmp_path


def test_check_says_what_is_wrong_in_three_forms(desk: Path) -> None:
    assert maestri(desk, "check", "flow.yaml").returncode == 0
    text, document, sarif = (
        maestri(desk, "check", "wrong.yaml", "--format", form) for form in ("text", "json", "sarif")
    )
    assert (text.returncode, document.returncode, sarif.returncode) == (2, 2, 2)
    assert text.stdout.startswith("wrong.yaml:3:")
    code = json.loads(document.stdout)["diagnostics"][0]["code"]
    assert json.loads(sarif.stdout)["runs"][0]["results"][0]["ruleId"] == code


def test_a_run_can_be_looked_at_from_all_sides(desk: Path) -> None:
    assert maestri(desk, "run", "flow.yaml").returncode == 0
    tree = json.loads(maestri(desk, "show", "@last", "--json").stdout)
    assert [step["path"] for step in tree["steps"]] == ["/both", "/both/a", "/both/b", "/last"]
    assert "✓ b  succeeded" in maestri(desk, "show", "@last").stdout
    assert "/both/a  succeeded  run" in maestri(desk, "show", "@last", "both/a").stdout
    assert maestri(desk, "logs", "@last", "/both/a").stdout == "a\n"
    assert maestri(desk, "show", "@last", "/nope").returncode == 2


def test_a_definition_and_a_run_can_be_drawn(desk: Path) -> None:
    maestri(desk, "run", "flow.yaml")
    assert "flowchart TD" in maestri(desk, "graph", "flow.yaml").stdout
    assert "succeeded" in maestri(desk, "graph", "@last", "--format", "dot").stdout
    assert maestri(desk, "graph", "@last", "-o", "run.svg").returncode == 0
    assert (desk / "run.svg").read_text(encoding="utf-8").startswith("<svg")


def test_the_doctor_finds_this_machine_fit(desk: Path) -> None:
    done = maestri(desk, "doctor", "--json")
    found = {one["what"]: one["state"] for one in json.loads(done.stdout)}
    assert done.returncode == 0
    assert {"python", "sqlite", "yaml", "git", "containment", "state", "journals"} <= found.keys()
    assert not (desk / "state").exists()


def test_the_schema_of_definitions_is_a_json_schema(desk: Path) -> None:
    document = json.loads(maestri(desk, "schema").stdout)
    assert "parallel" in json.dumps(document)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_commands_options_and_runs(desk: Path, shell: str) -> None:
    text = maestri(desk, "completion", shell).stdout
    assert "resume" in text
    assert "durability" in text
    assert "maestri ps --all --names" in text


def test_the_completion_for_bash_is_bash(desk: Path) -> None:
    text = maestri(desk, "completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)

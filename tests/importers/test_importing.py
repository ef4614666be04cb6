"""Whole files of the systems, their import as a text of ours, and what is said to files that are wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.importers.crew import checked, made

from maestri.errors import Span
from maestri.importers.importing import imported
from maestri.importers.scribe import Settings, duration, step_name
from maestri.lang.source import Source
from maestri.lang.tree import Scalar
from maestri.project import Project

FILES = Path(__file__).parent / "files"
THEIRS = sorted(file for file in FILES.iterdir() if file.suffix in {".yaml", ".json"})


@pytest.mark.parametrize("file", THEIRS, ids=lambda file: file.name)
def test_a_whole_file_becomes(file: Path) -> None:
    found = made(file.read_text(encoding="utf-8"), name=file.name)
    said = "".join(f"{one.text()}\n\n" for one in found.findings)
    shown = f"{found.text}\n--- said ---\n{said}"
    expected = file.with_suffix(".out")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(shown, encoding="utf-8")
    assert shown == expected.read_text(encoding="utf-8")
    assert checked(found) == []


@pytest.mark.parametrize("file", THEIRS, ids=lambda file: file.name)
def test_every_key_of_a_whole_file_is_read_or_named(file: Path) -> None:
    found = made(file.read_text(encoding="utf-8"), name=file.name)
    named = {match[1] for one in found.findings if (match := re.match(r"`([\w$]+)`", one.message))}
    left_out = {
        "multi_model",
        "strategy",
        "quality_gates",
        "daemon",
        "wiggum",
        "rules",
        "thoroughness_levels",
    }
    keys = {key for key in left_out if re.search(rf"\b{key}\b\W", file.read_text(encoding="utf-8"))}
    assert keys - {"strategy"} <= named


WRONG = {
    "stages: [a, b]\nstage: x": "theirs.yaml:2:1: warning[L311]: `stage` of a cascade means nothing here",
    "stages:\n  - a: {type: paralel, skills: [x]}": "theirs.yaml:2:15: error[L315]: `paralel` is no type",
    "stages:\n  - a: {dependencies: [b]}\n  - c": "theirs.yaml:2:24: error[L316]: `a` depends on `b`",
    "stages:\n  - a\n  - a": "theirs.yaml:3:5: error[L321]: two stages are called `a`",
    "stages: []": "theirs.yaml:1:1: error[L317]: this cascade has no stages",
    "stages:\n  - a: {condition: '${x} ~ 3'}": "theirs.yaml:2:20: error[L314]: this condition cannot be read",
    "stages:\n  - a: {cascade: other}": "theirs.yaml:2:18: error[L319]: there is no cascade `other`",
    "workers:\n  - id: a\n    dependencies: [b]": "theirs.yaml:3:20: error[L316]: `a` depends on `b`",
    "workers:\n  - id: a\n  - id: a": "theirs.yaml:3:9: error[L321]: two workers are called `a`",
    "workers: []": "theirs.yaml:1:1: error[L317]: there are no workers",
    "workers:\n  - [a]": "theirs.yaml:2:5: error[L313]: this worker cannot be read",
    "sync_points: [meet]": "theirs.yaml:1:1: error[L318]: nothing here says who works",
    "conditional_logic: {analyzer: a}": "theirs.yaml:1:20: error[L313]: `branches` cannot be read",
    "phases: [{name: a, agent: crew, colour: red}]": "theirs.yaml:1:33: warning[L311]: `colour` of a phase",
    "```yaml\nstages: [a]\n```\n```yaml\nstages: [b]\n```": "theirs.yaml:4:1: error[L320]: this file holds 2",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_with_its_place(text: str) -> None:
    said = [one.text() for one in made(text, "a", "b", "c").findings]
    assert any(one.startswith(WRONG[text]) and "fix: " in one and "cause: " in one for one in said), said


def test_a_circle_is_found_at_the_users_line(tmp_path: Path) -> None:
    workers = "workers:\n  - {id: a}\n  - {id: b, dependencies: [c]}\n  - {id: c, dependencies: [b]}"
    file = tmp_path / "theirs.yaml"
    file.write_text(workers, encoding="utf-8")
    findings = Project(default_agent="echo").check([str(file)])
    (finding,) = [one for one in findings if one.severity == "error"]
    assert (finding.span and finding.span.line, finding.snippet) == (4, "  - {id: c, dependencies: [b]}")


@pytest.mark.parametrize(("text", "line"), [("stages:\n  - a\n b: {", 3), ("stages:\n  - [a, b\n  - c\n", 2)])
def test_what_is_not_yaml_is_said_with_its_place(text: str, line: int) -> None:
    found = made(text, dialect="cascade")
    assert found.text == ""
    assert [(one.code, one.span and one.span.line) for one in found.findings] == [("L110", line)]


@pytest.mark.parametrize(
    "text",
    ["workflow: ours\nsteps: {a: {run: 'true'}}", "a: 1", "- list", "", "key: [unclosed", "phases: {a: 1}"],
)
def test_what_is_of_no_other_system_is_left_alone(text: str) -> None:
    assert imported(Source("ours.yaml", text), Settings("crew", frozenset({"crew"}))) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("stages:\n  - a:\n      outputs: [x]\n  - b:\n      inputs: [${a.x}, plain]\n", "- a.x: ${a.x}"),
        ("stages:\n  - a:\n    outputs: [x]\n  - b\n", "outputs: [x]"),
        ("\\`\\`\\`yaml\nstages: [a -> b]\n\\`\\`\\`\n", "b:"),
        ("stages: {a: {outputs: [x]}, b: {condition: ${a.x} == high}}", "when: ${a.x == 'high'}"),
        (
            'stages:\n  - a: {outputs: [x]}\n  - b: {condition: "${a.x} > 1 && !(${a.x} >= 80%)"}',
            "not (a.x >= 0.8)",
        ),
        ("workers:\n  - id: a\n\n  reason: last\n", "a:"),
    ],
)
def test_what_a_person_meant_is_read(written: str, meant: str) -> None:
    found = made(written)
    assert [one.text() for one in found.findings if one.severity == "error"] == []
    assert meant in found.text
    assert checked(found) == []


def test_a_system_that_is_given_is_not_recognised() -> None:
    assert made("anything: {dependencies: []}", dialect="task-orchestrator").dialect == "task-orchestrator"


def test_agents_that_are_configured_answer_for_themselves() -> None:
    found = made("stages: [lint, review]", "lint")
    assert "agent: lint" in found.text
    assert [one.message for one in found.findings] == ["`crew` answers for `review`"]


def test_without_a_default_agent_it_is_said_who_is_missing() -> None:
    found = imported(Source("t.yaml", "stages: [lint, review]"), Settings("", frozenset({"run"})))
    assert found is not None
    assert [(one.code, one.severity, one.message) for one in found.findings] == [
        ("L312", "error", "nobody is configured for `lint`, `review`")
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2-3 days", "3d"),
        ("300", "5m"),
        ("10s", "10s"),
        ("1.5 hours", "90m"),
        ("1 week", "7d"),
        ("soon", None),
    ],
)
def test_durations_are_read(written: str, meant: str | None) -> None:
    assert duration(Scalar(written, written, Span(1, 1, 1, 2))) == meant


@pytest.mark.parametrize(
    ("text", "name"), [("API contract", "API-contract"), ("1st", "st"), ("in", "in-step"), ("äöü", "step")]
)
def test_any_text_becomes_a_name(text: str, name: str) -> None:
    assert step_name(text) == name
    assert step_name(text, {name}) == f"{name}-2"

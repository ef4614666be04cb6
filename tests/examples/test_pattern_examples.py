"""Every example under examples/ is free of findings, and those of the patterns give what they promise."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import maestri
from maestri.project import Project

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OUTPUTS: dict[str, Any] = {
    "steps": "HELLO, WORLD",
    "parallel": {"words": 3, "broken": True, "both": "second"},
    "graph": ["core of source", "docs of source"],
    "branch": "medium",
    "loop": 2,
    "each": 12,
    "workflow": ["hello, Ada", "good day, Grace"],
    "refine": "Make the tests of the parser pass again",
    "repair": {"rounds": 2, "changed": ["basket.py"], "now": "    return sum(prices)"},
    "fallback": "blue",
    "race": 1000,
    "vote": 3,
    "compete": {
        "winner": "small",
        "added": ["numbers.txt.xz"],
        "files": ["numbers.txt.xz"],
        "kept": ["numbers.txt.gz"],
    },
    "saga": {"was_undone": True, "left": []},
    "phases": {"people": 2, "report": 36},
    "review": {"rounds": 2, "notes": "the longest line has 16 characters", "said": "hello, Ada"},
    "scout": {"found": 2, "no_tests": True, "built": {"greeting": "hello"}},
    "streams": ["ada@example.org", "answers mail", "reads name,mail", "documented"],
    "route": "### Fixed\n- count the last line, too",
    "on": {"events": 3, "first": 2, "last": "no more files"},
    "supervise": {"said": "4 words in two files", "rounds": 3, "delegations": 3},
    "land": {"landed": ["polite"], "left_out": ["broken", "loud"], "greeting": "echo good day"},
}


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRI_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_every_pattern_has_an_example() -> None:
    files = {file.stem for file in (EXAMPLES / "patterns").glob("*.yaml")}
    assert files == set(Project().patterns) == set(OUTPUTS)


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda file: file.stem)
def test_there_is_nothing_to_find_in(file: Path) -> None:
    assert [found.text() for found in Project().check([str(file)])] == []


@pytest.mark.parametrize("pattern", OUTPUTS)
def test_the_example_gives_what_it_promises_for(pattern: str) -> None:
    file = EXAMPLES / "patterns" / f"{pattern}.yaml"
    assert asyncio.run(maestri.run(str(file))) == OUTPUTS[pattern]

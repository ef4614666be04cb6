"""The JSON Schema for editors agrees with the reader about the form of a definition."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from maestri import patterns
from maestri.lang.keys import COMMON, FILE, INPUT, VERBS
from maestri.lang.load import load, read_file
from maestri.lang.schema import schema
from maestri.lang.tree import to_json
from maestri.patterns._registry import spec

PATTERNS = {found.keyword: found for found in (spec(getattr(patterns, name)) for name in patterns.__all__)}
SCHEMA = schema(PATTERNS)
VALIDATOR = Draft202012Validator(SCHEMA)
GOLDEN = Path(__file__).parents[2] / "golden"
VALID = sorted((GOLDEN / "valid").rglob("*.y*ml"))


def problems(text: str) -> list[str]:
    tree = load(text, "f.yaml").tree
    assert tree is not None
    return [error.message for error in VALIDATOR.iter_errors(to_json(tree))]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_definition_without_findings_is_valid(file: Path) -> None:
    tree = read_file(file, file.name).tree
    assert tree is not None
    assert [error.message for error in VALIDATOR.iter_errors(to_json(tree))] == []


@pytest.mark.parametrize(
    "text",
    [
        "workflow: w",
        "steps: {a: {rum: make}}",
        "steps: {a: {run: make, timeout: 90}}",
        "steps: {a: {run: make, timout: 1m}}",
        "steps: {a: {run: make, call: 'a:b'}}",
        "steps: {1st: {run: make}}",
        "steps: {a: {agent: builder}}",
        "steps: {a: {run: make, when: yes}}",
        "steps: {a: {run: make, output: xml}}",
        "steps: {a: {run: make, ok: []}}",
        "steps: {a: {run: make, retry: {delay: 1s}}}",
        "steps: {a: {parallel: {branches: {}}}}",
        "steps: {a: {parallel: {branches: {x: {run: make}}, join: most}}}",
        "steps: {a: {branch: {x: {when: true, steps: {y: {run: make}}, timeout: 1m}}}}",
        "steps: {a: {loop: {until: true}}}",
        "steps: {a: {run: make}}\ninputs: {n: {type: colour}}",
        "steps: {a: {run: make}}\nworkflows: {b: {steps: {a: {run: make}}, workflows: {}}}",
    ],
)
def test_a_wrong_form_is_refused(text: str) -> None:
    assert problems(text)


def properties(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield every property that a schema describes."""
    if isinstance(part, dict):
        described = part.get("properties", {})
        yield from described.items()
        for inner in part.values():
            yield from properties(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from properties(inner)


def test_every_key_is_there_and_says_what_it_is_for() -> None:
    assert [name for name, one in properties(SCHEMA) if not one.get("description")] == []
    assert {*FILE, *INPUT, *VERBS, *(key.name for key in COMMON)} <= {name for name, _ in properties(SCHEMA)}


def test_nothing_else_is_taken_anywhere() -> None:
    closed = [part for _, part in properties({"properties": SCHEMA["$defs"]}) if "properties" in part]
    assert len(closed) > 10
    assert all(part["additionalProperties"] is False for part in closed)

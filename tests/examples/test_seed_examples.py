"""Each pattern of the five documents, done with our own means: the examples give what they promise."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

import maestri

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "examples" / "seeds"
DOCUMENT = (ROOT / "tests" / "seeds" / "1-agent-sdk.md").read_text(encoding="utf-8")
PAYMENTS = [
    {"action": "reserve", "compensate": "release"},
    {"action": "charge", "compensate": "refund"},
    {"action": "print", "compensate": "none"},
]
OUTPUTS: dict[str, Any] = {
    "0.01-sequential-pipeline.yaml": {"read": 3, "loaded": 2},
    "0.02-parallel-fan-out.yaml": {"functions": 2, "tests_pass": True, "security": "eval is used"},
    "0.03-conditional-branching.yaml": "next.py is Python",
    "0.04-iterative-refinement.yaml": {"rounds": 3, "failed": []},
    "0.05-sandbox-iteration.yaml": {"rounds": 2, "changed": ["greet.py"], "says": "hello, Grace"},
    "0.06-hybrid-sequential-parallel.yaml": {"tested": ["front", "back"], "deployed": 2},
    "0.07-multi-model.yaml": [
        "gemini-megacontext read 2 lines",
        "claude keeps: codex-auto answers: read: gemini-megacontext read 2 lines",
    ],
    "0.08-error-recovery.yaml": {"by": "blue-green", "files": ["release.txt"]},
    "0.09-progressive-streaming.yaml": {
        "first": "quick-lint",
        "all": 3,
        "result": {"deep-analysis": 14, "security-scan": 0, "quick-lint": 2},
    },
    "0.10-nested-cascades.yaml": {"stored": ["ADA", "GRACE"], "refused": True},
    "1.01-sequential-pipeline.py": ["def total", "add mean beside total", "shop.py", "3.0"],
    "1.02-parallel-fan-out.py": ["1", "1", "1", "- api-explorer: 1- auth-explorer: 1- db-explorer: 1"],
    "1.03-conditional-branching.py": ["1:token = eval(input())"],
    "1.04-iterative-refinement.py": ["solution.txt", "solution.txt", {"status": "complete", "iterations": 2}],
    "1.05-supervisor.py": ["accepted after 4 delegations"],
    "1.06-event-driven.py": ["mended"],
    "1.07-map-reduce.py": [{"item_result": 2}, {"item_result": 1}, "3 words"],
    "1.08-saga.py": ["reserved", "charged", "failed", "refunded", "released"],
    "2.01-parallel-independent.yaml": {
        "made": {"backend": "api.py", "frontend": "editor.html"},
        "fields_that_fit": 1,
    },
    "2.02-sequential-handoff.yaml": ["migration.sql", "contract.json", "fields.txt"],
    "2.03-parallel-with-sync-points.yaml": "message.created",
    "2.04-primary-with-reviewers.yaml": {"rounds": 2, "approved": True},
    "2.05-incremental-with-validation.yaml": {
        "users_module": "type Query { users: [ID] }",
        "tasks_module": "type Query { tasks: [ID] }",
    },
    "2.06-fan-out-fan-in.yaml": {
        "updated": ["api_gateway", "task_service", "user_service"],
        "tokens": ["token=new"],
    },
    "2.07-conditional-branching.yaml": {"label": "simple_cleanup", "lines_left": 3},
    "3.01-sequential.yaml": "1. use type hints",
    "3.02-parallel.yaml": {"delivered": True, "missing": True},
    "3.03-dependency-graph.yaml": {"templates": 4, "first": "flow:rules"},
    "3.04-hub-and-spoke.yaml": {"delegations": 3, "whole": ["part api", "part docs"]},
    "4.01-fan-out-fan-in.yaml": "main.py store.py; 2 functions; needs json",
    "4.02-pipeline.yaml": [
        "small: 1:def total(x):",
        "medium: add mean beside total",
        "medium: shop.py",
        "large: mean is 3.0",
    ],
    "4.03-parallel-pipelines.yaml": ["/audit", "/login", "/profile"],
    "4.04-scout-build.yaml": {
        "because": "speed up total",
        "built": {"fix": "    return sum(x)", "test": "test_shop.py"},
        "tests": "passed",
    },
    "4.05-competitive-evaluation.yaml": {"winner": "awk", "kept": "awk '!seen[$0]++' list.txt"},
    "4.06-incremental-refinement.yaml": "a small step",
}
INPUTS: dict[str, dict[str, Any]] = {
    "1.03-conditional-branching.py": {"context": None},
    "1.06-event-driven.py": {"event": {"type": "test_failed"}},
    "1.07-map-reduce.py": {"items": ["a.txt", "b.txt"]},
    "1.08-saga.py": {"transactions": PAYMENTS},
}


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRI_STATE", str(tmp_path.with_name(f"{tmp_path.name}-state")))
    monkeypatch.chdir(tmp_path)


def test_there_is_one_for_each_pattern_of_each_document() -> None:
    files = sorted(file.name for file in SEEDS.iterdir() if file.is_file())
    assert files == sorted(OUTPUTS)
    assert [sum(file.startswith(f"{number}.") for file in files) for number in range(5)] == [10, 8, 7, 4, 6]


@pytest.mark.parametrize("name", OUTPUTS)
def test_it_gives_what_it_promises(name: str) -> None:
    found = asyncio.run(maestri.run(str(SEEDS / name), **INPUTS.get(name, {})))
    if isinstance(found, list):
        found = ["failed" if isinstance(one, dict) and "error" in one else one for one in found]
    assert found == OUTPUTS[name]


@pytest.mark.parametrize("file", sorted(SEEDS.glob("*.py")), ids=lambda file: file.stem)
def test_its_function_stands_as_it_does_in_the_document(file: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    theirs = {ast.dump(part) for block in blocks for part in ast.parse(block).body}
    own = ast.parse(file.read_text(encoding="utf-8")).body
    functions = [part for part in own if isinstance(part, ast.AsyncFunctionDef)]
    assert [ast.dump(part) in theirs for part in functions] == [True]

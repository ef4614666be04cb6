"""What was meant happens: which branch is taken, how often is repeated, who stands in for whom."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.importers.crew import Crew, blocks, ran

from maestri.errors import StepFailed
from maestri.kernel.state import SUCCEEDED

CASCADES, BLOCKS, WORKERS = "0-cascade.md", "2-task-orchestrator.md", "3-czarina.md"


def played(folder: Path, name: str, line: int, answers: dict[str, Any], **inputs: Any) -> Crew:
    file = folder / "theirs.yaml"
    file.write_text(blocks(name)[line].text, encoding="utf-8")
    crew = Crew(answers)
    ended = asyncio.run(ran(file, crew, inputs))
    assert ended.status == SUCCEEDED, ended.failure
    return crew


def test_a_stage_is_given_what_the_one_before_has_made(tmp_path: Path) -> None:
    crew = played(tmp_path, CASCADES, 49, {"extract-data": {"raw_data": [1, 2]}})
    assert crew.asked == ["extract-data", "validate-data", "transform-data", "load-data"]
    assert crew.prompts[1].endswith("- extract-data.raw_data: [1, 2]")


@pytest.mark.parametrize(
    ("score", "stages"),
    [
        (12, ["quick-fix"]),
        (30, ["analysis", "implementation", "testing"]),
        (70, ["multi-model-analysis", "collaborative-fix", "comprehensive-testing"]),
    ],
)
def test_operators_outside_the_braces_decide(score: int, stages: list[str], tmp_path: Path) -> None:
    crew = played(tmp_path, CASCADES, 176, {"analyze-complexity": {"complexity_score": score}})
    assert crew.asked[1:] == stages


def test_rounds_go_on_until_the_score_is_above_the_threshold(tmp_path: Path) -> None:
    scores = [{"quality_score": score} for score in (3, 8, 9)]
    crew = played(tmp_path, CASCADES, 212, {"iterative-refinement": scores}, threshold=8)
    assert crew.asked == ["initial-attempt", *["iterative-refinement"] * 3, "finalization"]


def test_what_a_round_assigns_is_carried_into_the_next_one(tmp_path: Path) -> None:
    answers = {
        "initial-implementation": {"code": "v0", "tests": {"failed": 1}},
        "run-tests": [{"test_results": {"failed": n, "failures": f"{n} failed"}} for n in (2, 0, 0, 0, 0)],
        "update-code": [{"code": f"v{n}"} for n in (1, 2, 3, 4, 5)],
    }
    crew = played(tmp_path, CASCADES, 247, answers)
    given = [prompt for name, prompt in zip(crew.asked, crew.prompts, strict=True) if name == "run-tests"]
    assert [prompt.rpartition(" ")[2] for prompt in given] == ["v0", "v1", "v2", "v3", "v4"]
    assert crew.asked.count("codex-fix") == 1


def test_a_sandbox_is_mended_until_its_tests_pass(tmp_path: Path) -> None:
    results = [{"test_results": {"failed": failed}} for failed in (1, 0)]
    crew = played(tmp_path, CASCADES, 319, {"run-tests": results})
    fix = ["analyze-failure", "generate-fix", "apply-patch", "rerun-test"]
    assert crew.asked == ["run-tests", *fix, "run-tests"]
    assert '"failed":1' in crew.prompts[1].replace(" ", "")


def test_a_fallback_follows_what_has_failed(tmp_path: Path) -> None:
    failing = [StepFailed("no") for _ in range(4)]
    file = tmp_path / "theirs.yaml"
    file.write_text(blocks(CASCADES)[446].text.replace("max_retries: 3", "max_retries: 0"), encoding="utf-8")
    crew = Crew({"primary-deployment": failing})
    assert asyncio.run(ran(file, crew)).status == SUCCEEDED
    assert crew.asked == ["primary-deployment", "canary-deployment"]


def test_a_nested_cascade_runs_for_each_item(tmp_path: Path) -> None:
    crew = played(tmp_path, CASCADES, 529, {"prepare-data": {"items": ["a", "b", "c"]}})
    assert [crew.asked.count(name) for name in ("validate-item", "store-item", "aggregate-results")] == [
        3,
        3,
        1,
    ]


def test_reviewers_that_object_send_the_work_back(tmp_path: Path) -> None:
    verdicts = [{"approved": False, "notes": "no tests"}, {"approved": True}]
    crew = played(tmp_path, BLOCKS, 161, {"pytest-test-master": verdicts})
    assert crew.asked.count("fastapi-backend-expert") == 2
    assert any("no tests" in prompt for prompt in crew.prompts)


@pytest.mark.parametrize(
    ("label", "who"), [("high_complexity", "codebase-cleaner"), ("simple_cleanup", "comment-cleaner")]
)
def test_a_bare_label_chooses_the_agent(label: str, who: str, tmp_path: Path) -> None:
    crew = played(tmp_path, BLOCKS, 305, {"analyze": {"label": label}})
    assert crew.asked == ["analyze", who]


def test_a_worker_starts_when_those_it_depends_on_are_done(tmp_path: Path) -> None:
    crew = played(tmp_path, WORKERS, 130, {})
    assert (crew.asked[0], crew.asked[-2:]) == ("foundation", ["templates", "qa"])


def test_files_of_a_worker_beside_are_found_in_the_folder_of_the_run(tmp_path: Path) -> None:
    crew = played(tmp_path, WORKERS, 283, {})
    assert crew.asked == ["worker-a", "worker-b"]
    assert (tmp_path / "output" / "data.json").read_text() == "worker-a"

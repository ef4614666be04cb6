"""The nine functions of the document on an agent SDK, run as they stand there, on scripted agents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maestri import compat
from maestri.errors import StepFailed, UsageError
from maestri.testing import ScriptedAgent
from maestri.testing.play import Stage, check_resume
from maestri.testing.scripted import fails_first

SEED = (Path(__file__).resolve().parents[1] / "seeds" / "1-agent-sdk.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", SEED, re.MULTILINE | re.DOTALL)
AGENTS = (
    "analyzer", "designer", "builder", "tester", "auth-explorer", "db-explorer", "api-explorer", "bug-fixer",
    "security-auditor", "code-reviewer", "test-runner", "architect", "optimizer",
)  # fmt: skip


def functions(**more: Any) -> dict[str, Any]:
    """Return what the document's Python defines, executed as it stands."""
    names: dict[str, Any] = dict(more)
    exec("\n".join(BLOCKS), names)
    return names


def staged(name: str, answers: Mapping[str, Any], given: dict[str, Any] | None = None, **more: Any) -> Stage:
    flow = compat.workflow(functions(**more)[name], AGENTS)
    return Stage(flow, given, agent=ScriptedAgent({**answers, "*": "done"}))


def test_the_document_has_nine_functions() -> None:
    found = {name for name, value in functions().items() if callable(value)}
    assert len(found) == 9


def test_a_pipeline_hands_each_result_on() -> None:
    stage = staged("sequential_pipeline", {"/analyzer": "two modules", "/designer": "one interface"})
    assert stage.play().output == ["two modules", "one interface", "done", "done"]
    assert stage.paths("step.started") == ["/analyzer", "/designer", "/builder", "/tester"]
    check_resume(stage)


def test_agents_that_a_prompt_names_are_asked_at_once_and_brought_together() -> None:
    stage = staged("parallel_fanout", {"/agents/*": "found", "/lead": "all in all"})
    assert stage.play().output == ["found", "found", "found", "all in all"]
    assert stage.paths("step.succeeded")[-1] == "/lead"
    assert set(stage.paths("step.started")[:3]) == {
        f"/agents/{name}-explorer" for name in ("auth", "db", "api")
    }
    check_resume(stage)


@pytest.mark.parametrize(
    ("issue", "who"),
    [
        ({"severity": "critical", "type": "bug"}, "/bug-fixer"),
        ({"severity": "minor", "type": "security"}, "/security-auditor"),
        ({"severity": "minor", "type": "style"}, "/code-reviewer"),
    ],
)
def test_a_structured_result_decides_the_way(issue: dict[str, str], who: str) -> None:
    stage = staged("conditional_branch", {"/lead": {"issues": [issue]}}, {"context": None})
    assert stage.play().output == ["done"]
    assert stage.paths("step.started") == ["/lead", who]
    check_resume(stage)


def test_rounds_end_when_the_quality_is_good_enough() -> None:
    answers = {"/code-reviewer": {"quality_score": 5}, "/code-reviewer#2": '{"quality_score": 9}'}
    stage = staged("iterative_refinement", answers)
    assert stage.play().output[-1] == {"status": "complete", "iterations": 2}
    check_resume(stage)


def test_rounds_end_at_the_cap() -> None:
    stage = staged("iterative_refinement", {"/code-reviewer*": {"quality_score": 5}}, {"max_iterations": 2})
    assert stage.play().output == ["done", "done", {"status": "max_iterations_reached"}]


def test_a_supervisor_is_the_lead() -> None:
    stage = staged("supervisor_pattern", {"/lead": "all accepted"})
    assert stage.play().output == ["all accepted"]
    check_resume(stage)


def test_an_event_is_handled_by_its_agent() -> None:
    stage = staged("event_driven", {}, {"event": {"type": "test_failed", "details": "one of nine"}})
    assert stage.play().output == ["done"]
    assert stage.paths("step.started") == ["/bug-fixer"]
    check_resume(stage)


def test_an_event_without_a_handler_is_an_error_that_is_said() -> None:
    stage = staged("event_driven", {}, {"event": {"type": "full_moon"}})
    assert stage.play().output == [{"error": "No handler for event: full_moon"}]


def test_each_item_of_a_list_is_a_message() -> None:
    answers = {"/lead": [{"item_result": 1}, {"item_result": 2}], "/lead#2": "three in all"}
    stage = staged("map_reduce", answers, {"items": ["a", "b"]})
    assert stage.play().output == [{"item_result": 1}, {"item_result": 2}, "three in all"]
    check_resume(stage)


def test_a_saga_compensates_in_reverse_order() -> None:
    steps = [{"action": f"do {name}", "compensate": f"undo {name}"} for name in "abc"]
    failing = fails_first(99, None, StepFailed("no room"))
    answers = {"/lead#3": failing, "/lead#[45]": lambda task, _attempt: task.request["prompt"]}
    stage = staged("saga_pattern", answers, {"transactions": steps})
    compensated = ["Compensate: undo b", "Compensate: undo a"]
    assert stage.play().output[2:] == [{"error": "no room", "compensating": True}, *compensated]


@pytest.mark.parametrize(("needs_refactoring", "steps"), [(True, 4), (False, 6)])
def test_the_patterns_compose_as_functions(needs_refactoring: bool, steps: int) -> None:
    answers = {"/code-reviewer*": {"quality_score": 9}}
    stage = staged("complex_workflow", answers, needs_refactoring=needs_refactoring)
    stage.play()
    assert len(stage.paths("step.started")) == steps
    check_resume(stage)


def test_a_definition_of_an_agent_goes_before_the_prompt() -> None:
    async def ask(orchestrator: compat.Orchestrator, agents: Any) -> Any:
        async for message in orchestrator.run("Use critic to judge.", agents):
            yield message

    agent = ScriptedAgent(["fine"])
    stage = Stage(compat.workflow(ask, {"critic": {"prompt": "Be strict.", "model": "large"}}), agent=agent)
    assert stage.play().output == ["fine"]
    assert agent.tasks[0].request == {"prompt": "Be strict.\n\nUse critic to judge.", "model": "large"}


def test_one_agent_may_answer_for_all() -> None:
    agent = ScriptedAgent(["fine"])
    flow = compat.workflow(functions()["supervisor_pattern"], AGENTS, default_agent="echo")
    Stage(flow, agent=agent).play()
    assert agent.tasks[0].agent == "echo"


def test_a_function_that_does_not_yield_is_refused() -> None:
    async def plain(orchestrator: compat.Orchestrator, agents: Any) -> None: ...

    with pytest.raises(UsageError, match="does not yield"):
        compat.workflow(plain, ())  # type: ignore[arg-type]

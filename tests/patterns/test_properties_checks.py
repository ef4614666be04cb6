"""`returns`, `delivers`, `verify`, `handoff`, `requires`: what decides whether a step is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.patterns.checked import ACCEPT, GIVE_UP, RECHECK, Check, checked
from maestri.testing.play import Stage, check_resume
from maestri.testing.scripted import ScriptedAgent

VERDICT = {"type": "object", "required": ["approved"], "properties": {"approved": {"type": "boolean"}}}
FINE = {"exit_code": 0, "stdout": "", "stderr": ""}
BAD = {"exit_code": 1, "stdout": "2 passed", "stderr": "1 failed"}
THERE = {"found": {"out.md": ["out.md"]}, "unmet": []}
EMPTY = {"found": {"out.md": ["out.md"]}, "unmet": [{"check": "out.md", "said": "`out.md` is empty"}]}


def one_step(name: str = "ask", by: str = "writer") -> Callable[[Context, str], Any]:
    """Return a body that asks an agent, with the correction that a repair turn brings."""

    def body(ctx: Context, correction: str) -> Any:
        return ctx.agent(name, f"Write. {correction}".strip(), by=by)

    body.is_one_step = True  # type: ignore[attr-defined]
    return body


def staged(answers: Mapping[str, Any], body: Any = None, **options: Any) -> tuple[Stage, ScriptedAgent]:
    agent = ScriptedAgent(answers)
    return Stage(lambda ctx: checked(ctx, "s", body or one_step(), **options), agent=agent), agent


def in_turn(*answers: Any) -> Callable[[Any, Any], Any]:
    """Return an answer for each call at its path, the last of them for ever."""
    left = list(answers)
    return lambda _task, _attempt: left.pop(0) if len(left) > 1 else left[0]


# --- returns ------------------------------------------------------------------------------------------


def test_an_answer_of_the_right_form_is_the_output() -> None:
    stage, agent = staged({"/s/do": {"approved": True}}, returns=VERDICT)
    assert stage.play().output == {"approved": True}
    assert agent.paths == ["/s/do"]


def test_a_text_that_holds_json_is_read_also_between_fences() -> None:
    stage, _ = staged({"/s/do": '```json\n{"approved": false}\n```'}, returns=VERDICT)
    assert stage.play().output == {"approved": False}


def test_a_wrong_answer_gets_one_turn_with_what_was_wrong_with_it() -> None:
    stage, agent = staged({"/s/do": {"approved": "yes"}, "/s/do#2": {"approved": True}}, returns=VERDICT)
    assert stage.play().output == {"approved": True}
    assert "`approved`: 'yes' is not of type 'boolean'" in agent.tasks[1].request["prompt"]


def test_after_the_repair_turns_it_fails_and_says_why() -> None:
    stage, agent = staged({"*": "no"}, returns=VERDICT, repair_turns=2)
    failure = stage.play().failure
    assert failure and (failure.code, failure.path) == ("S104", "/s")
    assert agent.paths == ["/s/do", "/s/do#2", "/s/do#3"]


def test_a_type_of_python_may_be_promised_too() -> None:
    stage, _ = staged({"*": "7"}, returns=int)
    assert stage.play().output == 7


def test_a_few_references_that_stand_for_endless_work_end_it() -> None:
    names = [f"d{n}" for n in range(40)]
    bomb: dict[str, Any] = {
        one: {"allOf": [{"$ref": f"#/$defs/{other}"}] * 2} for one, other in pairwise(names)
    }
    bomb[names[-1]] = True
    stage, _ = staged({"*": 1}, returns={"$ref": "#/$defs/d0", "$defs": bomb}, repair_turns=0)
    failure = stage.play().failure
    assert failure and "10,000 references" in failure.message


# --- delivers and verify ------------------------------------------------------------------------------


def test_every_check_passes_and_the_answer_is_the_output() -> None:
    stage, agent = staged(
        {"*/do": "done", "*/delivers": THERE, "*/check*": FINE},
        delivers=["out.md"],
        verify=["make test", ["ruff", "check"], lambda answer: answer == "done"],
    )
    assert stage.play().output == "done"
    assert agent.paths == ["/s/do", "/s/verify/delivers", "/s/verify/check", "/s/verify/check#2"]


def test_a_claim_of_the_agent_does_not_make_a_step_done() -> None:
    stage, _ = staged({"*/do": "all tests pass!", "*/check": BAD}, verify=["make test"])
    failure = stage.play().failure
    assert failure and (failure.code, failure.type) == ("P240", "VerifyFailed")
    assert failure.message == "the step is not done by its check `make test`: exit code 1: 1 failed"


def test_a_condition_that_does_not_hold_is_named() -> None:
    stage, _ = staged({"*": 1}, verify=[Check("score > 3", holds=lambda answer: bool(answer > 3))])
    failure = stage.play().failure
    assert failure and "`score > 3`: it does not hold" in failure.message


def test_an_exit_code_that_is_fine_for_a_check_passes() -> None:
    stage, _ = staged({"*/do": 1, "*/check": BAD}, verify=[Check("c", lambda _: {"command": "c", "ok": [1]})])
    assert stage.play().status == "succeeded"


def test_a_file_that_is_not_delivered_fails_the_step() -> None:
    stage, _ = staged({"*/do": "done", "*/delivers": EMPTY}, delivers=["out.md"])
    failure = stage.play().failure
    assert failure and failure.code == "P241"
    assert "`out.md` is empty" in failure.message


def test_all_unmet_checks_are_listed() -> None:
    stage, _ = staged({"*/do": 1, "*/check*": BAD}, verify=["one", "two"])
    failure = stage.play().failure
    assert failure and [one["check"] for one in failure.detail["unmet"]] == ["one", "two"]


def test_a_failed_check_is_a_failed_attempt() -> None:
    answers = {"*/do": "a", "/s/try/verify/check": BAD, "/s/try#2/verify/check": FINE}
    stage, agent = staged(answers, verify=["make"], policy=Policy(Retry(max_attempts=2)))
    assert stage.play().output == "a"
    assert agent.paths == ["/s/try/do", "/s/try/verify/check", "/s/try#2/do", "/s/try#2/verify/check"]


def test_a_time_limit_counts_the_checks_too() -> None:
    async def slow(_task: Any, _attempt: Any) -> Any:
        await stage.clock.sleep(100.0)
        return FINE

    stage, _ = staged({"*/do": 1, "*/check": slow}, verify=["make"], policy=Policy(step_timeout_s=10.0))
    failure = stage.play().failure
    assert failure and failure.type == "Timeout"


# --- going on after a failed check ---------------------------------------------------------------------


def test_a_resume_checks_first_and_keeps_the_answer_where_it_passes_now() -> None:
    stage, agent = staged({"*/do": "paid", "/s/verify/*": BAD, "/s/verify#2/*": FINE}, verify=["make"])
    assert stage.play().status == "failed"
    assert stage.resume().output == "paid"
    assert agent.paths == ["/s/do", "/s/verify/check", "/s/verify#2/check"]


def test_a_resume_does_it_again_where_the_check_still_fails() -> None:
    answers = {"/s/do": "old", "/s/do#2": "new", "/s/verify#3/*": FINE, "*": BAD}
    stage, agent = staged(answers, verify=["make"])
    stage.play()
    assert stage.resume().output == "new"
    assert agent.paths[2:] == ["/s/verify#2/check", "/s/do#2", "/s/verify#3/check"]


def test_resuming_again_and_again_goes_on_each_time() -> None:
    stage, agent = staged({"/s/do*": "a", "/s/verify#5/*": FINE, "*": BAD}, verify=["make"])
    stage.play()
    assert [stage.resume().status, stage.resume().status] == ["failed", "succeeded"]
    assert agent.paths.count("/s/do") == 1


def test_a_resume_after_an_answer_of_the_wrong_form_asks_again() -> None:
    stage, _ = staged({"/s/do": 1, "/s/do#2": {"approved": True}}, returns=VERDICT, repair_turns=0)
    stage.play()
    assert stage.resume().output == {"approved": True}


# --- handoff ------------------------------------------------------------------------------------------

ITEMS: dict[str, Any] = {"README complete": "test -s README.md", "known issues": "test -f ISSUES.md"}


def test_items_that_are_met_let_the_step_go_on() -> None:
    stage, agent = staged({"*/do": "a", "*/check*": FINE}, handoff=ITEMS)
    assert stage.play().output == "a"
    assert agent.paths[1:] == ["/s/handoff/check", "/s/handoff/check#2"]


def test_an_unmet_item_blocks_the_step_and_is_named() -> None:
    stage, _ = staged({"*/do": "a", "*/check": FINE, "*/check#2": BAD}, handoff=ITEMS)
    ended = stage.play()
    assert ended.status == "waiting"
    asked = next(event for event in stage.events if event.path == "/s/unmet")
    assert "known issues" in asked.body["question"] and "README" not in asked.body["question"]


@pytest.mark.parametrize(
    ("word", "status"), [(RECHECK, "succeeded"), (ACCEPT, "succeeded"), (GIVE_UP, "failed")]
)
def test_a_person_decides_how_a_blocked_step_goes_on(word: str, status: str) -> None:
    stage, agent = staged({"*/do": "a", "/s/handoff/*": BAD, "/s/handoff#2/*": FINE}, handoff=ITEMS)
    stage.play()
    stage.post("answer", path="/s/unmet", value=word)
    assert stage.resume().status == status
    assert agent.paths.count("/s/do") == 1


def test_it_is_asked_again_while_it_is_not_met() -> None:
    stage, _ = staged({"*/do": "a", "*": BAD}, handoff=ITEMS)
    stage.play()
    stage.post("answer", path="/s/unmet", value=RECHECK)
    assert stage.resume().status == "waiting"
    assert stage.paths("step.blocked")[-1] == "/s/unmet#2"


def test_an_unmet_item_may_fail_the_step_and_is_checked_again_by_a_resume() -> None:
    answers = {"*/do": "a", "/s/handoff/*": BAD, "/s/handoff#2/*": FINE}
    stage, agent = staged(answers, handoff=ITEMS, on_unmet="fail")
    failure = stage.play().failure
    assert failure and failure.code == "P243"
    assert stage.resume().output == "a"
    assert agent.paths.count("/s/do") == 1


# --- the rest -----------------------------------------------------------------------------------------


def test_named_outputs_are_made_of_the_answer_which_may_be_a_text_of_json() -> None:
    stage, _ = staged({"*": '{"url": "x", "n": 1}'}, outputs=lambda answer: {"link": answer["url"]})
    assert stage.play().output == {"link": "x"}


def test_a_failure_of_what_is_done_passes_through_and_is_done_again_by_a_resume() -> None:
    stage, _ = staged({"/s/do": in_turn(ValueError("no"), "yes"), "*/check": FINE}, verify=["make"])
    failure = stage.play().failure
    assert failure and failure.path == "/s/do"
    assert stage.resume().output == "yes"


def test_a_body_of_several_steps_has_a_scope_of_its_own() -> None:
    async def body(ctx: Context, _correction: str) -> Any:
        return [await ctx.step("a", lambda: 1), await ctx.step("b", lambda: 2)]

    stage, _ = staged({"*/check": FINE}, body, verify=["make"])
    assert stage.play().output == [1, 2]
    assert "/s/do/a" in stage.paths("step.succeeded")


WHOLE: dict[str, dict[str, Any]] = {
    "returns": {"returns": VERDICT},
    "checks": {"delivers": ["out.md"], "verify": ["one", "two"]},
    "handoff": {"handoff": ITEMS},
    "requires": {"requires": ["in.md"]},
    "cache": {"cache": ["writer", "Write."], "reads": ["in.md"]},
    "memory": {"memory": lambda _scope, output: {"kept": output}},
    "retry": {"verify": ["one"], "policy": Policy(Retry(max_attempts=2))},
    "all": {"requires": ["in.md"], "returns": VERDICT, "verify": ["one"], "handoff": ITEMS, "cache": "x"},
}
ANSWERS = {
    "*/do": "no",
    "*/do#2": {"approved": True},
    "*/delivers": THERE,
    "/s/try/verify/*": BAD,
    "*/check*": FINE,
    "*/requires": {},
    "*/inputs": {"digest": "d", "files": 1},
    "*/cache": {"hit": False},
    "*/keep": None,
}


@pytest.mark.parametrize("options", WHOLE.values(), ids=WHOLE)
def test_it_resumes_at_every_event_without_doing_anything_again(options: dict[str, Any]) -> None:
    stage, _ = staged(ANSWERS, **options)
    assert stage.play().status == "succeeded"
    check_resume(stage)


@pytest.mark.parametrize("at", ["/s/do", "/s/verify/check", "/s/handoff/check", "/s/requires"])
def test_it_can_be_cancelled_at_each_part(at: str) -> None:
    async def hangs(_task: Any, _attempt: Any) -> Any:
        await stage.execution.cancel("/s")
        await stage.clock.sleep(1e6)

    answers = {at: hangs, "*/do": "a", "*/requires": {}, "*": FINE}
    stage, _ = staged(answers, requires=["in.md"], verify=["one"], handoff=ITEMS)
    failure = stage.play().failure
    assert failure and failure.type == "StepCancelled"

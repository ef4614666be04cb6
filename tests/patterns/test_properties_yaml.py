"""The properties of steps in YAML: the same calls as in Python, and what only the language has."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from tests.same.playing import Playing, facts
from tests.same.twins import Twin

from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.kernel.ports import Task
from maestri.patterns.checked import Check, checked
from maestri.testing.play import check_resume

FINE = {"exit_code": 0, "stdout": "", "stderr": ""}
THERE: dict[str, Any] = {"found": {}, "unmet": []}
HEAD = "workflow: twin\n"


async def _unused(_ctx: Context) -> None:
    raise NotImplementedError


def played(text: str, answers: Mapping[str, Any], *, head: str = HEAD) -> Playing:
    return Playing(Twin("t", head + text, _unused, answers), "yaml")


# --- the same in both forms -----------------------------------------------------------------------------

_YAML = """
workflow: twin
agents: {reviewer: {backend: scripted, answer: ""}}
schemas: {Verdict: {type: object, required: [approved], properties: {approved: {type: boolean}}}}
steps:
  build:
    run: make
    requires: [Makefile]
    delivers: ["out/*.o"]
    verify: [make test, {run: [lint, out], ok: [0, 1]}]
    retry: 2
  look: {agent: reviewer, prompt: Review., tier: large, returns: Verdict, verify: "${output.approved}"}
"""
_VERDICT = {
    "type": "object",
    "required": ["approved"],
    "properties": {"approved": {"type": "boolean"}},
}


def _build(ctx: Context, _correction: str) -> Any:
    return ctx.run("build", "make")


def _look(ctx: Context, correction: str) -> Any:
    prompt = f"Review.\n\n{correction}" if correction else "Review."
    backend = {"kind": "scripted", "answer": ""}
    request = {"prompt": prompt, "returns": _VERDICT, "backend": backend, "tier": "large"}
    return ctx.perform("look", Task("reviewer", request, costs=True))


_build.is_one_step = _look.is_one_step = True  # type: ignore[attr-defined]


async def _python(ctx: Context) -> Any:
    lint = Check("lint out", lambda _: {"command": ["lint", "out"], "ok": [0, 1]})
    await checked(
        ctx,
        "build",
        _build,
        requires=["Makefile"],
        delivers=["out/*.o"],
        verify=["make test", lint],
        policy=Policy(Retry(max_attempts=2)),
    )
    return await checked(ctx, "look", _look, returns=_VERDICT, verify=[lambda answer: answer["approved"]])


_ANSWERS = {
    "*/requires": {},
    "/build/*/do": "",
    "*/delivers": THERE,
    "/build/try/verify/check#2": {**FINE, "exit_code": 2},
    "*/check*": FINE,
    "/look/do": "no json",
    "/look/do#2": {"approved": True},
}
TWIN = Twin("properties", _YAML, _python, _ANSWERS)


def test_both_forms_write_the_same_journal() -> None:
    yaml, python = Playing(TWIN, "yaml"), Playing(TWIN, "python")
    assert yaml.play().output == python.play().output == {"approved": True}
    assert facts(yaml.events) == facts(python.events)


@pytest.mark.parametrize(("begun", "resumed"), [("yaml", "python"), ("python", "yaml")])
def test_a_run_of_one_form_goes_on_in_the_other_from_every_event(begun: Any, resumed: Any) -> None:
    whole = Playing(TWIN, begun)
    output = whole.play().output
    for events in range(1, len(whole.events)):
        assert whole.crashed(events, resumed).resume().output == output


# --- what is written --------------------------------------------------------------------------------------


def test_a_plain_step_is_what_it_was() -> None:
    stage = played("steps: {a: {run: make, estimate: 2h, priority: 3}}", {"*": ""})
    stage.play()
    assert stage.paths("step.succeeded", "scope.opened") == ["/a"]


def test_checks_see_the_answer_and_the_names_around() -> None:
    text = """
steps:
  least: {run: limit, output: json}
  a:
    run: make
    output: json
    verify: ["${output.score >= least}", {run: show, env: {S: "${output.score}"}}]
    outputs: [score]
"""
    stage = played(text, {"/least": 3, "*/do": {"score": 5, "x": 1}, "*/check": FINE})
    assert stage.play().output == {"score": 5}
    assert stage.asked.tasks[-1].request["env"] == {"S": "5"}


def test_schemas_of_a_file_may_refer_to_each_other_and_to_themselves() -> None:
    text = """
schemas:
  Part: {type: object, properties: {parts: {type: array, items: {$ref: "#/schemas/Part"}}}}
  Whole: {type: object, required: [root], properties: {root: {$ref: "#/schemas/Part"}}}
steps: {a: {run: make, output: json, returns: Whole}}
"""
    assert played(text, {"*": {"root": {"parts": [{"parts": []}]}}}).play().status == "succeeded"
    failure = played(text, {"*": {"root": {"parts": [{"parts": 7}]}}}).play().failure
    assert failure and "`root.parts[0].parts`: 7 is not of type 'array'" in failure.message


def test_an_agent_of_the_file_brings_its_back_end_along() -> None:
    head = "workflow: t\nagents: {r: {backend: run, command: cat, model: m1, instructions: You review.}}\n"
    stage = played("steps: {a: {agent: r, prompt: Look., reads: src/}}", {"*": "fine"}, head=head)
    stage.play()
    request = stage.asked.tasks[0].request
    assert (request["model"], request["reads"]) == ("m1", ["src/"])
    assert request["backend"]["kind"] == "run"


def test_a_pattern_may_be_checked_as_a_whole() -> None:
    text = """
steps:
  a:
    parallel: {branches: {x: {run: one, output: json}, y: {run: two, output: json}}}
    verify: "${output.x == 1 and output.y == 2}"
    outputs: {sum: "${output.x + output.y}"}
"""
    stage = played(text, {"*/x": 1, "*/y": 2})
    assert stage.play().output == {"sum": 3}
    assert "/a/do/x" in stage.paths("step.succeeded")
    check_resume(stage)


def test_a_path_that_a_value_makes_absolute_is_refused() -> None:
    text = "steps: {p: {run: pwd}, a: {run: make, requires: ['${p}']}}"
    failure = played(text, {"/p": "/etc/passwd"}).play().failure
    assert failure and (failure.code, failure.path) == ("S108", "/a")


# --- memory -----------------------------------------------------------------------------------------------

_MEMORY = """
steps:
  count: {run: count, output: json, memory: {write: {n: "${output}"}}}
  both:
    parallel:
      branches:
        x: {run: one, memory: {write: {x: "${output}"}}}
        y:
          steps:
            own: {run: two, memory: {write: {y: "${output}"}}}
            sees: {run: see, env: {Y: "${memory.y}"}}
  net:
    graph:
      steps:
        a: {run: make, memory: {write: {a: "${output}"}}}
        b: {run: show, needs: [a], env: {A: "${memory.a}", N: "${memory.n}"}}
  turns:
    loop:
      max_rounds: 3
      steps: {turn: {run: turn, env: {R: "${round}"}, memory: {write: {round: "${output}"}}}}
output: ${memory}
"""
_VALUES = {
    "/count/do": 4,
    "/both/x/do": "1",
    "/both/y/own/do": "2",
    "/net/a/do": "A",
    "*/round#3/turn/do": "r3",
}


def test_later_steps_see_what_those_before_them_have_written() -> None:
    stage = played(_MEMORY, {**_VALUES, "*": "r"})
    assert stage.play().output == {"n": 4, "x": "1", "y": "2", "a": "A", "round": "r3"}
    asked = {a.path: t.request for t, a in zip(stage.asked.tasks, stage.asked.attempts, strict=True)}
    assert asked["/net/b"]["env"] == {"A": "A", "N": "4"}
    check_resume(stage)


def test_what_is_written_is_in_the_journal_of_the_step_once() -> None:
    stage = played("steps: {a: {run: x, memory: {write: {v: '${output}'}}}}", {"*": "7"})
    stage.play()
    found = [event for event in stage.events if event.kind_name == "decided"]
    assert [(event.path, event.body["value"]["values"]) for event in found] == [("/a/remember", {"v": "7"})]


def test_a_workflow_that_is_called_has_a_memory_of_its_own() -> None:
    text = """
workflows: {inner: {steps: {w: {run: w, memory: {write: {v: "inner"}}}}}}
steps:
  a: {run: x, memory: {write: {v: "outer"}}}
  b: {workflow: inner}
output: ${memory.v}
"""
    stage = played(text, {"*": ""})
    assert stage.play().output == "outer"
    check_resume(stage)


# --- priority ---------------------------------------------------------------------------------------------


def started(stage: Playing) -> list[str]:
    stage.play()
    return stage.paths("step.started")


def test_of_branches_the_higher_priority_goes_first() -> None:
    text = """
steps:
  p:
    parallel:
      max_concurrent: 1
      branches: {a: {run: a}, b: {run: b, priority: 5}, c: {run: c, priority: "${2 + 7}"}}
"""
    stage = played(text, {"*": "x"})
    assert started(stage) == ["/p/c", "/p/b", "/p/a"]
    assert list(stage.state.output) == ["a", "b", "c"]
    check_resume(stage)


def test_of_items_the_higher_priority_goes_first_and_the_output_keeps_their_order() -> None:
    text = """
steps:
  e: {each: {items: [1, 3, 2], max_concurrent: 1, steps: {s: {run: s, priority: "${item}"}}}}
"""
    stage = played(text, {"*/item/s": "a", "*/item#2/s": "b", "*/item#3/s": "c"})
    assert started(stage) == ["/e/item#2/s", "/e/item#3/s", "/e/item/s"]
    assert stage.state.output == ["a", "b", "c"]
    check_resume(stage)


def test_a_step_of_a_graph_that_becomes_ready_overtakes_those_that_wait() -> None:
    text = """
steps:
  g:
    graph:
      max_concurrent: 1
      steps: {a: {run: a, priority: 1}, b: {run: b}, c: {run: c}, z: {run: z, needs: [a], priority: 9}}
"""
    stage = played(text, {"*": "x"})
    assert started(stage) == ["/g/a", "/g/z", "/g/b", "/g/c"]
    check_resume(stage)


def test_a_graph_without_priorities_keeps_the_order_in_which_steps_are_written() -> None:
    names = "abcdef"
    steps = ", ".join(f"{name}: {{run: x}}" for name in names)
    stage = played(f"steps: {{g: {{graph: {{max_concurrent: 2, steps: {{{steps}}}}}}}}}", {"*": "x"})
    order = started(stage)
    assert all(one < two for one, two in pairwise(order))


def test_a_priority_that_is_no_number_fails_where_it_is_ready() -> None:
    text = "steps: {t: {run: t, output: json}, p: {parallel: {branches: {a: {run: a, priority: '${t}'}}}}}"
    failure = played(text, {"*": "high"}).play().failure
    assert failure and (failure.code, failure.path) == ("S108", "/p")

"""Sagas, phases and streams in YAML: what their parts see, and what is found in them."""

from typing import Any

import pytest
from tests.same.playing import compiled

from maestri.kernel.clock import VirtualClock
from maestri.kernel.context import Context
from maestri.project import Project
from maestri.testing import ScriptedAgent
from maestri.testing.play import Stage


def played(text: str, **answers: Any) -> Stage:
    """Return a stage that has played the steps of a text; answers are by the name of the step."""
    body = compiled(f"steps:\n{text}")
    script = {f"*/{name}": answer for name, answer in answers.items()} | {"*": "x"}

    def flow(ctx: Context) -> Any:
        return body(ctx, {})

    stage = Stage(flow, agent=ScriptedAgent(script), clock=VirtualClock())
    stage.play()
    return stage


def said(text: str) -> list[str]:
    library = Project().library().of_texts({"/flow.yaml": text})
    definition, findings = library.open("/flow.yaml", "flow.yaml")
    assert definition is not None
    return [found.code for found in [*findings, *library.check(definition)]]


MEMORIES = {
    "saga": """
  it:
    saga:
      steps:
        a: {call: m:f, memory: {write: {seen: "${output}"}}, undo: {call: m:f}}
        b: {call: m:g, args: ["${memory.seen}"]}
""",
    "phases": """
  it:
    phases:
      a: {steps: {w: {call: m:f, memory: {write: {seen: "${output}"}}}}}
      b: {steps: {r: {call: m:g, args: ["${memory.seen}"]}}, validate: true}
""",
}


@pytest.mark.parametrize("keyword", MEMORIES)
def test_what_one_part_remembers_the_next_ones_see_also_after_a_resume(keyword: str) -> None:
    stage = played(MEMORIES[keyword])
    assert stage.state.status == "succeeded", stage.state.failure
    for events in range(1, len(stage.events)):
        assert stage.cut(events).resume().output == stage.state.output


def test_a_workflow_that_an_undo_or_a_validator_calls_is_looked_for() -> None:
    undo = "steps: {s: {saga: {steps: {a: {run: a, undo: {workflow: gone}}}}}}"
    validate = "steps: {p: {phases: {a: {steps: {b: {run: b}}, validate: {workflow: gone}}}}}"
    assert said(undo) == said(validate) == ["L224"]


def test_what_a_stream_brings_is_the_output_of_its_last_step_also_when_that_was_skipped() -> None:
    text = """
  it:
    streams:
      branches:
        a: {steps: {one: {run: one}, two: {when: "${one == 'x'}", run: two}, meet: {sync: p}}}
        b: {steps: {meet: {sync: p}}}
"""
    skipped, done = {"a": None, "b": None}, {"a": "x", "b": None}
    assert played(text, one="y").state.output == {"a": skipped, "b": skipped}
    assert played(text).state.output == {"a": done, "b": done}


def test_a_meeting_within_a_nested_group_is_that_of_the_nearest_streams() -> None:
    inner = "{streams: {branches: {p: {steps: {m: {sync: q}}}, r: {steps: {m: {sync: q}}}}}}"
    text = f"""
  it:
    streams:
      branches:
        a: {{steps: {{deep: {inner}, meet: {{sync: q}}}}}}
        b: {{steps: {{meet: {{sync: q}}}}}}
"""
    assert played(text).state.output["b"]["a"] == {"p": {"p": None, "r": None}, "r": {"p": None, "r": None}}


def test_a_condition_of_a_phase_that_has_no_value_fails_the_phase() -> None:
    stage = played("  it: {phases: {a: {steps: {b: {call: m:f}}, validate: '${output.x > 1}'}}}\n")
    failure = stage.state.failure
    assert failure and (failure["code"], failure["path"]) == ("S108", "/it/a")

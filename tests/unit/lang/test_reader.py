"""The reader: from a loaded file to the model, with all findings at once."""

from __future__ import annotations

from maestri import patterns
from maestri.errors import Diagnostic
from maestri.lang.load import load
from maestri.lang.model import (
    AgentDef,
    BodyDef,
    Fixed,
    PatternDef,
    RunDef,
    StepDef,
    Templated,
    WaitDef,
    WorkflowDef,
)
from maestri.lang.reader import read_workflow
from maestri.patterns._registry import spec

PATTERNS = {found.keyword: found for found in (spec(getattr(patterns, name)) for name in patterns.__all__)}


def read(text: str) -> tuple[WorkflowDef, list[Diagnostic]]:
    loaded = load(text, "f.yaml")
    assert loaded.tree is not None
    return read_workflow(loaded.tree, loaded.source, "dir/f.yaml", PATTERNS)


def good(text: str) -> WorkflowDef:
    definition, findings = read(text)
    assert [one.text() for one in findings] == []
    return definition


def step(text: str) -> StepDef:
    return good(f"steps:\n  a: {text}\n").steps.steps[0]


def messages(text: str) -> list[str]:
    return [f"{one.code} {one.message}" for one in read(text)[1]]


def test_a_file_without_a_name_has_that_of_the_file() -> None:
    assert good("steps: {a: {run: make}}").name == "f"
    assert good("workflow: w\nversion: 1.10\nsteps: {a: {run: make}}").version == "1.10"


def test_a_command_keeps_its_text_and_its_place() -> None:
    action = step('{run: "echo ${HOME}", env: {A: 1, B: "${x}"}, ok: 3, output: json}').action
    assert isinstance(action, RunDef)
    assert action.env is not None
    assert action.text is not None
    assert (action.command, action.ok, action.output) == ("echo ${HOME}", (3,), "json")
    assert action.text.span[:2] == (2, 12)
    assert isinstance(action.env.get("B"), Templated)


def test_durations_and_retries_become_a_policy() -> None:
    policy = step("{run: make, timeout: 1h30m, retry: {max: 3, delay: 500ms, on: exit}}").policy
    assert policy.step_timeout_s == 5400
    assert policy.retry is not None
    assert (policy.retry.max_attempts, policy.retry.delay_s, policy.retry.on) == (3, 0.5, ("exit",))


def test_a_wait_is_for_a_time_or_a_signal() -> None:
    assert step("{wait: 2s}").action == WaitDef(delay_s=2.0)
    assert step("{wait: {signal: go}}").action == WaitDef(signal="go")


def test_a_named_body_may_be_one_step() -> None:
    action = step("{parallel: {branches: {x: {run: make}, y: {steps: {z: {run: make}}}}}}").action
    assert isinstance(action, PatternDef)
    branches = action.options["branches"]
    assert isinstance(branches, dict)
    assert [(name, body.is_single, body.name_span[1]) for name, body in branches.items()] == [
        ("x", True, 29),
        ("y", False, 45),
    ]


def test_the_name_that_a_pattern_binds_can_be_another() -> None:
    action = step("{each: {items: [1], as: file, steps: {x: {run: make}}}}").action
    assert isinstance(action, PatternDef)
    body = action.options["steps"]
    assert isinstance(body, BodyDef)
    assert body.binds == ("file", "index")


def test_a_default_keeps_the_form_that_its_type_asks_for() -> None:
    inputs = good(
        "inputs: {v: {type: text, default: 1.10}, n: {default: 1.10}}\nsteps: {a: {run: make}}"
    ).inputs
    assert (inputs["v"].default, inputs["n"].default) == ("1.10", 1.1)
    assert not inputs["v"].required


def test_a_step_that_cannot_be_read_leaves_its_name() -> None:
    definition, findings = read("steps: {a: {rum: make}, b: {run: make}, c: 5}")
    assert len(findings) == 2
    assert definition.unread == {"a", "c"}
    assert [one.name for one in definition.steps.steps] == ["b"]


def test_a_text_with_a_wrong_expression_is_one_finding() -> None:
    assert messages("steps: {a: {run: [echo, '${x +}']}}") == ["L301 the expression ends too early"]
    assert messages("steps: {a: {run: make, when: '${x +}'}}") == ["L301 the expression ends too early"]


def test_environment_variables_have_names_that_a_shell_knows() -> None:
    assert messages('steps: {a: {run: make, env: {A-B: "1", _c2: "2"}}}') == [
        "L206 `A-B` is not a name for an environment variable"
    ]


def test_what_no_command_can_be_handed_is_refused() -> None:
    assert messages('steps: {a: {run: [echo, "a\\0"], env: {A: "\\0"}}}') == [
        "L203 a command cannot be handed the character U+0000",
        "L203 a command cannot be handed the character U+0000",
    ]


def test_an_argument_may_hold_the_two_characters_themselves() -> None:
    assert isinstance(step('{run: [echo, "$${x}"]}').action, RunDef)


def test_an_agent_without_a_prompt_is_still_an_agent() -> None:
    definition, findings = read("steps: {a: {agent: builder}}")
    action = definition.steps.steps[0].action
    assert isinstance(action, AgentDef)
    assert isinstance(action.prompt, Fixed)
    assert [one.code for one in findings] == ["L202"]


def test_words_of_a_later_version_are_named_as_such() -> None:
    assert messages("budget: {usd: 1}\nsteps: {a: {run: make, progress: true}}") == [
        "L208 `budget` is not available in this version",
        "L208 `progress` is not available in this version",
    ]

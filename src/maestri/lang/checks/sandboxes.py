"""A sandbox stands around what starts commands; what cannot be held in one is said before the run."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.inside import steps_in
from maestri.lang.model import AgentDef, CallDef, PatternDef, StepDef, WorkflowRef
from maestri.values import Json

UNHELD = "L351"
IDLE = "L352"
_STARTS_NOTHING = frozenset({"ask", "wait", "emit", "sync"})


def check_sandboxes(subject: Subject) -> None:
    """Add each step in a sandbox that could not be held by it, and each sandbox around nothing."""
    around: dict[int, Json] = {}
    for placed in subject.survey.steps:  # what stands around others comes before them
        step = placed.step
        own = None if step.properties is None else step.properties.sandbox
        if own is not None:
            around |= {id(inner): own for inner in (step, *steps_in(step))}
            if step.verb in _STARTS_NOTHING:
                _add_idle(subject, step)
        held = around.get(id(step))
        if held is not None and _profile(held) != "none":
            _check(subject, step)


def _profile(sandbox: Json) -> Json:
    return sandbox.get("profile", "code") if isinstance(sandbox, dict) else sandbox


def _check(subject: Subject, step: StepDef) -> None:
    action, cause = step.action, ""
    if isinstance(action, CallDef):
        cause = "its function runs in the process of Maestri, which is in no sandbox"
    elif isinstance(action, AgentDef) and _is_called(subject, action):
        cause = f"the agent `{action.agent}` is a function in the process of Maestri, which is in no sandbox"
    elif isinstance(action, PatternDef) and _is_python(subject, action):
        cause = "it is a workflow in Python, whose steps say themselves what holds them"
    if cause:
        message = f"the step `{step.name}` cannot be put into a sandbox"
        fix = "let a command do it (`run: [python, -m, …]`), or give this step `sandbox: none`"
        subject.findings.add(UNHELD, message, step.verb_span, cause=cause, fix=fix)


def _is_called(subject: Subject, action: AgentDef) -> bool:
    agent = subject.definition.agents.get(action.agent)
    return agent is not None and agent.backend == "call"


def _is_python(subject: Subject, action: PatternDef) -> bool:
    refs = [one for one in action.options.values() if isinstance(one, WorkflowRef)]
    unknown = {call.ref for call in subject.survey.calls if call.target is None}
    return any(ref in unknown and ref not in subject.absent for ref in refs)


def _add_idle(subject: Subject, step: StepDef) -> None:
    if step.properties is not None:
        message, cause = "`sandbox` does nothing here", f"`{step.verb}` starts no command"
        span = step.properties.keys["sandbox"]
        subject.findings.add(IDLE, message, span, cause=cause, fix="take it out", severity="warning")

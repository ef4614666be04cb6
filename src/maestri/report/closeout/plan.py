"""What the definition of a run says of it: what it is for, what each step is asked and expected to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestri.lang.model import (
    AgentDef,
    CallDef,
    Dynamic,
    Estimate,
    Fixed,
    PatternDef,
    RunDef,
    StepDef,
    Templated,
    WorkflowDef,
)
from maestri.records import NamedTuple
from maestri.report.stated import steps_of


class Asked(NamedTuple):
    """One step of the definition: its name, who does it, what it is asked, and what it may take.

    `source` is where it is written, as `file:line:col`.
    """

    name: str
    source: str
    who: str
    text: str
    estimate: Estimate | None = None

    def place(self, begun: Mapping[str, str]) -> str:
        """Return the path at which it was begun, of all by their sources or names; else an empty text."""
        return begun.get(self.source) or begun.get(self.name, "")


class Plan(NamedTuple):
    """What was planned; a definition in Python says nothing of its steps."""

    description: str = ""
    version: str = ""
    asked: tuple[Asked, ...] = ()
    timeout_s: float | None = None


def plan_of(model: WorkflowDef | None) -> Plan:
    """Return what a definition plans."""
    if model is None:
        return Plan()
    asked = tuple(
        _asked(step, model) for step in steps_of(model.steps) if not isinstance(step.action, PatternDef)
    )
    # An estimate may stand on a pattern, too, which is asked nothing by itself.
    groups = tuple(
        _asked(step, model)
        for step in steps_of(model.steps)
        if isinstance(step.action, PatternDef) and step.properties is not None and step.properties.estimate
    )
    return Plan(model.description, model.version, asked + groups, model.timeout_s)


def _asked(step: StepDef, model: WorkflowDef) -> Asked:
    action: Any = step.action
    who, text = step.verb, step.description
    if isinstance(action, AgentDef):
        who, text = action.agent, _text(action.prompt)
    elif isinstance(action, RunDef):
        text = (
            action.command if isinstance(action.command, str) else " ".join(map(_text, action.command.items))
        )
    elif isinstance(action, CallDef):
        text = action.function
    elif hasattr(action, "question"):
        text = _text(action.question)
    estimate = None if step.properties is None else step.properties.estimate
    return Asked(step.name, step.source(model.source), who, step.description or text, estimate)


def _text(value: Dynamic) -> str:
    if isinstance(value, Templated):
        return value.scalar.text
    return str(value.value) if isinstance(value, Fixed) else "…"

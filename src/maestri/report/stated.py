"""What a definition says of a step beside what it does: why it waits, and which files it needs and gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from maestri.lang.model import ArmDef, BodyDef, Dynamic, Fixed, PatternDef, StepDef, Templated, WorkflowDef
from maestri.report.wording import one_line


def stated(step: StepDef) -> list[tuple[str, str]]:
    """Return the properties of a step that are worth showing, each with its text."""
    own = step.properties
    needs = ", ".join(need.text for need in step.needs)
    found = [("needs", needs), ("reason", step.reason)]
    if own is not None:
        found += [
            (key, ", ".join(map(_text, getattr(own, key)))) for key in ("requires", "reads", "delivers")
        ]
        found += [
            (key, "; ".join(check.said for check in getattr(own, key))) for key in ("verify", "handoff")
        ]
        found.append(("estimate", own.estimate.said if own.estimate is not None else ""))
    return [(key, one_line(text)) for key, text in found if text]


def stated_at(model: WorkflowDef, source: str) -> list[tuple[str, str]]:
    """Return what a definition says of the step that is written at `file:line:col`."""
    for definition in (model, *model.workflows.values()):
        for step in steps_of(definition.steps):
            if step.source(definition.source) == source:
                return stated(step)
    return []


def steps_of(part: Any) -> Iterator[StepDef]:
    """Yield every step that a part of a definition holds, at any depth."""
    if isinstance(part, StepDef):
        yield part
        if isinstance(part.action, PatternDef):
            yield from steps_of(part.action.options)
    elif isinstance(part, BodyDef):
        yield from steps_of(part.steps)
    elif isinstance(part, ArmDef):
        yield from steps_of(part.body)
    elif isinstance(part, Mapping):
        for one in part.values():
            yield from steps_of(one)
    elif type(part) is tuple:
        for one in part:
            yield from steps_of(one)


def _text(value: Dynamic) -> str:
    if isinstance(value, Templated):
        return value.scalar.text
    return str(value.value) if isinstance(value, Fixed) else "…"

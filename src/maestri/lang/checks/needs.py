"""`needs` names other steps of the same graph, each once."""

from __future__ import annotations

from collections.abc import Collection

from maestri.lang.checks.subject import Subject
from maestri.lang.model import StepDef
from maestri.lang.source import suggest
from maestri.lang.survey import Placed

CODE = "L215"


def check_needs(subject: Subject) -> None:
    """Add each need that means nothing."""
    for placed in subject.survey.steps:
        if placed.in_graph:
            _check(subject, placed.step, placed.view.level.order)
        elif placed.step.needs:
            _add_misplaced(subject, placed)


def _add_misplaced(subject: Subject, placed: Placed) -> None:
    cause = "the steps of a body run in order, branches side by side"
    fix = "take it out, or put the steps into `graph: {steps: …}`"
    message = f"`needs` of `{placed.step.name}` means nothing outside of a `graph`"
    subject.findings.add(CODE, message, placed.step.needs[0].span, cause=cause, fix=fix)


def _check(subject: Subject, step: StepDef, known: Collection[str]) -> None:
    seen: set[str] = set()
    for need in step.needs:
        name = need.text
        if name == step.name:
            cause = "a step starts when what it needs is done, so that it could never start"
            subject.findings.add(CODE, f"`{name}` needs itself", need.span, cause=cause, fix="take it out")
        elif name in seen:
            message = f"`{step.name}` needs `{name}` twice"
            cause = "the second one changes nothing"
            subject.findings.add(CODE, message, need.span, cause=cause, fix="keep one", severity="warning")
        elif name not in known and name not in subject.definition.unread and not subject.findings.is_full():
            fix = suggest(name, [other for other in list(known)[:200] if other != step.name])
            message = f"`{step.name}` needs `{name[:80]}`, which is no step of this graph"
            cause = "`needs` names steps that stand beside it under the same `steps:`"
            fix = fix or "name a step of the same `steps:`"
            subject.findings.add(CODE, message, need.span, cause=cause, fix=fix)
        seen.add(name)

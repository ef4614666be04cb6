"""The needs of a graph do not go round in a circle."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.circles import circles
from maestri.lang.model import PatternDef, StepDef

CODE = "L216"
_SHOWN = 12  # steps of a circle


def check_rounds(subject: Subject) -> None:
    """Add each circle of needs once, at the need that closes it."""
    for placed in subject.survey.steps:
        if isinstance(placed.step.action, PatternDef):
            for value in placed.step.action.options.values():
                if type(value) is tuple:
                    _check(subject, {step.name: step for step in value})


def _check(subject: Subject, steps: dict[str, StepDef]) -> None:
    # A step that needs itself has a finding of its own.
    needs = {name: [need.text for need in step.needs if need.text != name] for name, step in steps.items()}
    for circle in circles(needs):
        shown = [*circle[:_SHOWN], "…"] if len(circle) > _SHOWN else circle
        way = " → ".join([*shown, circle[0]])
        last = steps[circle[-1]]
        span = next((need.span for need in last.needs if need.text == circle[0]), last.span)
        message = f"these steps need each other in a circle: {way}"
        cause = "none of them could ever start"
        subject.findings.add(CODE, message, span, cause=cause, fix="take one of these needs away")

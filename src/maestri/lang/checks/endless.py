"""A loop says when it ends."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import PatternDef
from maestri.patterns._registry import Option, PatternSpec

CODE = "L231"
_ENDS = ("until", "while", "max_rounds", "no_progress")


def check_endless(subject: Subject) -> None:
    """Add a warning for each loop that has neither a condition nor a number of rounds."""
    for placed in subject.survey.steps:
        action = placed.step.action
        cap = _cap(action.spec) if isinstance(action, PatternDef) else None
        if cap is None or not isinstance(action, PatternDef) or any(key in action.options for key in _ENDS):
            continue
        message = f"`{placed.step.name}` always runs {cap.default} rounds"
        cause = f"it has neither `until` nor `while`, and {cap.default} is the default of `max_rounds`"
        fix = "add `until: ${...}`; where the number is meant, say `max_rounds:`"
        subject.findings.add(CODE, message, placed.step.verb_span, cause=cause, fix=fix, severity="warning")


def _cap(spec: PatternSpec) -> Option | None:
    """Return the cap of a pattern that goes on until its own condition holds."""
    until = spec.option("until")
    if until is None or until.required or spec.keyword == "supervise":  # its supervisor says when it ends
        return None
    return spec.option("max_rounds")

"""Progress is seen on two outputs at least."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, PatternDef

CODE = "L243"


def check_progress(subject: Subject) -> None:
    """Add each `no_progress: 1`."""
    for placed in subject.survey.steps:
        action = placed.step.action
        given = action.options.get("no_progress") if isinstance(action, PatternDef) else None
        if isinstance(given, Fixed) and given.value == 1:
            cause = "it says how many rounds in a row gave the same output, and one is always like itself"
            message = "`no_progress: 1` would end it after the first round"
            subject.findings.add(CODE, message, given.span, cause=cause, fix="write `no_progress: 2` or more")

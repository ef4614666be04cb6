"""A contest has somebody to compete with."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import PatternDef

CODE = "L240"
_ALONE = {
    "race": ("is a race of one", "there is nobody to be faster than"),
    "vote": ("is a vote of one", "its own answer always has the majority"),
    "fallback": ("has nothing to fall back on", "when its one branch fails, it fails"),
    "compete": ("is a contest of one", "a judge has nothing to choose from"),
}


def check_contests(subject: Subject) -> None:
    """Add each contest of one branch: an error where it cannot run, else a warning."""
    for placed in subject.survey.steps:
        action = placed.step.action
        branches = action.options.get("branches") if isinstance(action, PatternDef) else None
        if not isinstance(branches, dict) or len(branches) != 1 or placed.step.verb not in _ALONE:
            continue
        words, cause = _ALONE[placed.step.verb]
        message = f"`{placed.step.name}` {words}"
        severity = "error" if placed.step.verb == "compete" else "warning"
        fix = "add a branch, or write the step itself"
        subject.findings.add(CODE, message, placed.step.verb_span, cause=cause, fix=fix, severity=severity)

"""Every arm of a branch can be taken."""

from __future__ import annotations

from maestri.lang.checks.steady import steady
from maestri.lang.checks.subject import Subject
from maestri.lang.model import ArmDef, PatternDef

CODE = "L222"


def check_arms(subject: Subject) -> None:
    """Add each arm that stands behind one that is always taken, and each that never is."""
    for placed in subject.survey.steps:
        if isinstance(placed.step.action, PatternDef):
            for value in placed.step.action.options.values():
                if isinstance(value, dict):
                    _check(subject, value)


def _check(subject: Subject, arms: dict[str, object]) -> None:
    always = ""
    for name, arm in arms.items():
        if not isinstance(arm, ArmDef):
            return
        span = arm.body.name_span or arm.body.span
        holds = True if arm.when is None else steady(arm.when)
        if always:
            cause = f"`{always}` before it has no `when`, or one that always holds"
            fix = f"move `{always}` to the end, or give it a `when`"
            subject.findings.add(CODE, f"the arm `{name}` can never be taken", span, cause=cause, fix=fix)
        elif holds is False:
            fix = "take it out, or mend its `when`"
            message = f"the arm `{name}` is never taken: its `when` is always false"
            cause = "it holds the same for every run, because no name stands in it"
            subject.findings.add(CODE, message, span, cause=cause, fix=fix, severity="warning")
        elif holds:
            always = name

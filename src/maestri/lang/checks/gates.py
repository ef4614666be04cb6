"""What a phase says of its gate has something to act on."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import PatternDef, PhaseDef

CODE = "L257"


def check_gates(subject: Subject) -> None:
    """Add each option of a phase that does nothing."""
    for placed in subject.survey.steps:
        action = placed.step.action
        given = action.options.get("bodies") if isinstance(action, PatternDef) else None
        for name, phase in given.items() if isinstance(given, dict) else ():
            if isinstance(phase, PhaseDef):
                _check(subject, name, phase)


def _check(subject: Subject, name: str, phase: PhaseDef) -> None:
    key, cause, fix = "", "", ""
    if "validate" not in phase.keys and phase.keys:
        key = next(iter(phase.keys))
        cause, fix = "the phase has no `validate`, and so always passes", "add `validate:`, or take it out"
    elif "max_tries" in phase.keys and phase.on_invalid != "retry":
        key = "max_tries"
        cause, fix = "only with `on_invalid: retry` is a phase done again", "add `on_invalid: retry`"
    if key:
        message = f"`{key}` of the phase `{name}` does nothing"
        subject.findings.add(CODE, message, phase.keys[key], cause=cause, fix=fix)

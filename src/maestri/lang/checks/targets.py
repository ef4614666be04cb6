"""Every workflow that is called is there."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject

CODE = "L224"


def check_targets(subject: Subject) -> None:
    """Add each call of a workflow that leads nowhere."""
    for call in subject.survey.calls:
        fix = subject.absent.get(call.ref, "")
        if fix:
            message = f"there is no workflow `{call.ref.target[:80]}`"
            subject.findings.add(CODE, message, call.ref.span, fix=fix)

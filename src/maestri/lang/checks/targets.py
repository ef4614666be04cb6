"""Every workflow that is called is there, and only once."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject

CODE = "L224"
DOUBLE = "L266"


def check_targets(subject: Subject) -> None:
    """Add each call of a workflow that leads nowhere, or that could mean either of two."""
    for call in subject.survey.calls:
        fix = subject.absent.get(call.ref, "")
        if fix:
            message = f"there is no workflow `{call.ref.target[:80]}`"
            cause = _looked_for(call.ref.target)
            subject.findings.add(CODE, message, call.ref.span, cause=cause, fix=fix)
        double = subject.doubles.get(call.ref, "")
        if double:
            message = f"there are two workflows `{call.ref.target[:80]}` in one folder: {double}"
            cause = "which of them is meant would be chance"
            subject.findings.add(DOUBLE, message, call.ref.span, cause=cause, fix="rename or remove one")


def _looked_for(target: str) -> str:
    if target.lower().endswith((".yaml", ".yml")):
        return "a name that ends in `.yaml` is a file, looked for beside this one"
    if ":" in target:
        return "a name with a `:` is a Python function, and this cannot be the address of one"
    places = "`.maestri/workflows/`, `workflows/`, the user's `maestri/workflows/` and `$MAESTRI_LIBRARY`"
    return f"a bare name is looked for under `workflows:` of this file, then in {places}"

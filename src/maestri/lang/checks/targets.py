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
            cause = _looked_for(call.ref.target)
            subject.findings.add(CODE, message, call.ref.span, cause=cause, fix=fix)


def _looked_for(target: str) -> str:
    if target.lower().endswith((".yaml", ".yml")):
        return "a name that ends in `.yaml` is a file, looked for beside this one"
    if ":" in target:
        return "a name with a `:` is a Python function, and this cannot be the address of one"
    return "a bare name is looked for under `workflows:` of this file"

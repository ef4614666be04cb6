"""Where a join may end early, the outputs of some branches may be missing."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.references import Reference
from maestri.lang.model import Templated
from maestri.lang.survey import Use

CODE = "L219"


def check_missing(subject: Subject) -> None:
    """Add a warning for each part of an early join that is used as if it were there."""
    for use in subject.survey.uses:
        if isinstance(use.value, Templated):
            for reference in use.value.template.references():
                if _may_be_missing(use, reference):
                    _add(subject, use.value, reference)


def _may_be_missing(use: Use, reference: Reference) -> bool:
    if reference.guarded or not reference.path or not isinstance(reference.path[0], str):
        return False
    seen = use.view.find(reference.name)
    return seen is not None and reference.name in seen.level.lacking and reference.path[0] != "failed"


def _add(subject: Subject, value: Templated, reference: Reference) -> None:
    part = f"{reference.name}.{reference.path[0]}"
    message = f"`{part}` may be missing"
    cause = f"the `join` of `{reference.name}` may end before that branch does"
    fix = f"write `default({part}, …)`, or ask `exists({part})` first"
    subject.findings.inside(
        value.scalar,
        reference.start,
        reference.end,
        CODE,
        message,
        cause=cause,
        fix=fix,
        severity="warning",
    )

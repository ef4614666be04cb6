"""A judge is told by what to judge."""

from __future__ import annotations

from typing import TypeGuard

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, Listing, PatternDef, Record

CODE = "L242"


def check_criteria(subject: Subject) -> None:
    """Add each `criteria` that is empty."""
    for placed in subject.survey.steps:
        action = placed.step.action
        given = action.options.get("criteria") if isinstance(action, PatternDef) else None
        if _is_empty(given):
            message = f"`criteria` of `{placed.step.name}` says nothing"
            cause = "without them nobody could say why one was better than the other"
            fix = "say by what the judge is to rank, in words or as a list"
            subject.findings.add(CODE, message, given.span, cause=cause, fix=fix)


def _is_empty(given: object) -> TypeGuard[Fixed | Listing | Record]:
    if isinstance(given, Fixed):
        return given.value in (None, "")
    return (isinstance(given, Listing) and not given.items) or (
        isinstance(given, Record) and not given.entries
    )

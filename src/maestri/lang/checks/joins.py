"""A join does not ask for more than there is."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, Listing, PatternDef

CODE = "L227"


def check_joins(subject: Subject) -> None:
    """Add each `join` whose number is larger than that of the branches or items."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if isinstance(action, PatternDef):
            join, total = action.options.get("join"), _total(action)
            if isinstance(join, Fixed) and type(join.value) is int and 0 < total < join.value:
                what = "branches" if "branches" in action.options else "items"
                message = f"`join: {join.value}` cannot be met by {total} {what}"
                fix = f"give a number from 1 to {total}, or `all`"
                cause = "a number says how many must succeed"
                subject.findings.add(CODE, message, join.span, cause=cause, fix=fix)


def _total(action: PatternDef) -> int:
    """Return how many branches or items there are, or 0 where that is not known."""
    crowd = action.options.get("branches", action.options.get("items"))
    if isinstance(crowd, Listing):
        return len(crowd.items)
    return len(crowd) if isinstance(crowd, dict) else 0

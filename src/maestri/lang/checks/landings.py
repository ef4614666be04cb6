"""A landing names branches that can be landed."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, Listing, PatternDef

CODE = "L262"


def check_landings(subject: Subject) -> None:
    """Add each branch that a landing names twice, or that is the one it lands on."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if isinstance(action, PatternDef) and placed.step.verb == "land":
            _check(subject, action)


def _check(subject: Subject, action: PatternDef) -> None:
    branches, into = action.options.get("branches"), action.options.get("into")
    target = into.value if isinstance(into, Fixed) else None
    seen: set[object] = set()
    for branch in branches.items if isinstance(branches, Listing) else ():
        if not isinstance(branch, Fixed) or not isinstance(branch.value, str):
            continue
        if branch.value in seen or branch.value == target:
            is_target = branch.value == target
            message = f"the branch `{branch.value[:80]}` is landed {'on itself' if is_target else 'twice'}"
            cause = "it is the branch of `into`" if is_target else "it stands in the list already"
            subject.findings.add(CODE, message, branch.span, cause=cause, fix="take it out of `branches`")
        seen.add(branch.value)

"""A vote does not ask for more votes than there are."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, PatternDef

CODE = "L241"


def check_quorums(subject: Subject) -> None:
    """Add each `policy` of a vote whose number is larger than that of the branches."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if not isinstance(action, PatternDef) or placed.step.verb != "vote":
            continue
        policy, branches = action.options.get("policy"), action.options.get("branches")
        total = len(branches) if isinstance(branches, dict) else 0
        if isinstance(policy, Fixed) and type(policy.value) is int and 0 < total < policy.value:
            message = f"`policy: {policy.value}` cannot be met by {total} branches"
            fix = f"give a number from 1 to {total}, or `majority`"
            cause = "a number says how many must give the same answer"
            subject.findings.add(CODE, message, policy.span, cause=cause, fix=fix)

"""A review does not ask for more reviewers than there are."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, PatternDef

CODE = "L256"


def check_policies(subject: Subject) -> None:
    """Add each `policy` of a review whose number is larger than that of the reviewers."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if not isinstance(action, PatternDef) or placed.step.verb != "review":
            continue
        policy, reviewers = action.options.get("policy"), action.options.get("reviewers")
        total = len(reviewers) if isinstance(reviewers, dict) else 0
        if isinstance(policy, Fixed) and type(policy.value) is int and 0 < total < policy.value:
            message = f"`policy: {policy.value}` cannot be met by {total} reviewers"
            fix = f"give a number from 1 to {total}, `majority` or `veto`"
            cause = "a number says how many must approve"
            subject.findings.add(CODE, message, policy.span, cause=cause, fix=fix)

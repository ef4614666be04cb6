"""A landing names branches that can be landed, or has work of steps to land; its options do something."""

from __future__ import annotations

from typing import Final

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, Listing, PatternDef, StepDef

CODE, NOTHING, IDLE = "L262", "L360", "L361"
_OF_VERIFY: Final = ("alone", "fresh", "max_concurrent", "verify_timeout")


def check_landings(subject: Subject) -> None:
    """Add each branch that cannot be landed, a landing of nothing, and each option that does nothing."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if isinstance(action, PatternDef) and placed.step.verb == "land":
            _check(subject, action)
            _check_work(subject, placed.step, action)
            _check_options(subject, placed.step, action)


def _check_work(subject: Subject, step: StepDef, action: PatternDef) -> None:
    if "branches" in action.options or subject.definition.isolates:
        return
    # A warning: a workflow that calls this one may have done the work.
    subject.findings.add(
        NOTHING,
        f"`{step.name}` names no branches, and no step of this workflow works in a workspace",
        step.verb_span,
        cause="without `branches` the work of the steps before it is landed",
        fix="name the branches, or give the steps that change files `workspace: worktree`",
        severity="warning",
    )


def _check_options(subject: Subject, step: StepDef, action: PatternDef) -> None:
    dry = action.options.get("dry_run")
    idle: dict[str, tuple[str, str]] = {}
    if "verify" not in action.options:
        idle = dict.fromkeys(_OF_VERIFY, ("nothing is verified without `verify`", "add it, or take this out"))
    if isinstance(dry, Fixed) and dry.value is True:
        said = ("with `dry_run` nothing is resolved, verified or moved", "take it out")
        idle = dict.fromkeys(("resolve", "mode", *_OF_VERIFY), said)
    for name, (cause, fix) in idle.items():
        given = action.options.get(name)
        if given is not None:
            span = getattr(given, "span", step.verb_span)
            message = f"`{name}` of the landing `{step.name}` does nothing"
            subject.findings.add(IDLE, message, span, cause=cause, fix=fix)


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

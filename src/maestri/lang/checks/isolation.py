"""A workspace stands where a step works in files, and claims where there is a workspace that holds them."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.inside import steps_in
from maestri.lang.model import AgentDef, CallDef, PatternDef, Properties, RunDef, StepDef

UNHELD = "L340"
FILELESS = "L341"
KEPT = "L342"
NESTED = "L343"


def check_isolation(subject: Subject) -> None:
    """Add each workspace that could not do what it is for, and claims that nobody would hold."""
    inner: set[int] = set()
    for placed in subject.survey.steps:
        own = placed.step.properties
        if own is None:
            continue
        if own.workspace != "none":
            inner |= {id(one) for one in steps_in(placed.step)}
            _check_place(subject, placed.step, own)
        elif own.claims or "on_stray" in own.keys:
            _unheld(subject, own)
    for placed in subject.survey.steps:
        own = placed.step.properties
        if own is not None and own.workspace != "none" and id(placed.step) in inner:
            message = "a workspace stands inside of another one"
            cause = "what it makes would not be part of the outer one, which is looked at when it ends"
            fix = "take one of them out"
            subject.findings.add(NESTED, message, own.keys["workspace"], cause=cause, fix=fix)


def _check_place(subject: Subject, step: StepDef, own: Properties) -> None:
    span = own.keys["workspace"]
    if not isinstance(step.action, RunDef | AgentDef | PatternDef):
        message = f"`{step.verb}` cannot work in a workspace"
        cause = "it works in no files"
        if isinstance(step.action, CallDef):
            cause = "its function runs in the process of Maestri, whose directory is another one"
        fix = "take `workspace` out, or make it a `run` step"
        subject.findings.add(FILELESS, message, span, cause=cause, fix=fix)
    elif own.cache and own.workspace != "shared":
        message = f"`cache` and `workspace: {own.workspace}` do not go together"
        cause = "with a kept output the step would not be done, and would change no files"
        subject.findings.add(KEPT, message, own.keys["cache"], cause=cause, fix="take one of them out")


def _unheld(subject: Subject, own: Properties) -> None:
    key = "claims" if "claims" in own.keys else "on_stray"
    message = f"nobody would hold the step to its `{key}`" if own.claims else "`on_stray` does nothing here"
    cause = "what a step changes is told from what others do in its workspace only, and it has none"
    fix = "add `workspace: worktree`; where there is no git, `workspace: copy`"
    subject.findings.add(UNHELD, message, own.keys[key], cause=cause, fix=fix)

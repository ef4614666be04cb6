"""An `undo` belongs to a step of a saga, and a saga has something to undo."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.references import Reference
from maestri.lang.model import PatternDef, StepDef, Templated
from maestri.lang.survey import ANYTHING, Use
from maestri.patterns.saga import RESERVED

OUTSIDE = "L250"
NOTHING = "L258"
TAKEN = "L213"
NULL = "L219"


def check_undos(subject: Subject) -> None:
    """Add each `undo` that nobody would run, each saga without any, and steps with names of its records."""
    sagas = [placed.step for placed in subject.survey.steps if placed.step.verb == "saga"]
    own = {id(step) for saga in sagas for step in _steps(saga)}
    for placed in subject.survey.steps:
        undo = placed.step.undo
        if undo is not None and id(placed.step) not in own:
            message = f"`undo` of `{placed.step.name}` would never run"
            cause = "only the steps that stand directly under `saga: {steps: …}` are undone"
            fix = "put the steps into a `saga`, or take it out"
            subject.findings.add(OUTSIDE, message, undo.span, cause=cause, fix=fix)
    for saga in sagas:
        _check(subject, saga)
    for use in subject.survey.uses:
        if isinstance(use.value, Templated):
            for reference in use.value.template.references():
                if _may_be_null(use, reference, is_whole=use.value.template.is_single):
                    _add_null(subject, use.value, reference)


def _may_be_null(use: Use, reference: Reference, *, is_whole: bool) -> bool:
    """Tell whether an undo uses the output of its step as if it were always there."""
    seen = use.view.find(reference.name)
    if reference.guarded or seen is None or seen.level.kind != "bound":
        return False
    takes_null = is_whole and (use.wanted == ANYTHING or "null" in use.wanted)
    return reference.name in seen.level.skippable and not (takes_null and not reference.path)


def _add_null(subject: Subject, value: Templated, reference: Reference) -> None:
    name = reference.name
    message = f"`{name}` may be null"
    cause = "a step that has itself failed is undone, too, and has no output then"
    part = ".".join(str(key) for key in (name, *reference.path))
    fix = f"write `default({part}, …)`, or ask `exists({name})` first"
    subject.findings.inside(
        value.scalar, reference.start, reference.end, NULL, message, cause=cause, fix=fix, severity="warning"
    )


def _steps(saga: StepDef) -> list[StepDef]:
    steps = saga.action.options.get("steps", ()) if isinstance(saga.action, PatternDef) else ()
    return [step for step in steps if isinstance(step, StepDef)]


def _check(subject: Subject, saga: StepDef) -> None:
    steps = _steps(saga)
    if steps and all(step.undo is None for step in steps):
        message = f"no step of the saga `{saga.name}` has an `undo`"
        cause = "then it is no more than its steps in order"
        fix = "give `undo:` to the steps that can be taken back, or write `steps:`"
        subject.findings.add(NOTHING, message, saga.verb_span, cause=cause, fix=fix, severity="warning")
    for step in steps:
        if step.name in RESERVED:
            message = f"a step of a saga cannot be called `{step.name}`"
            cause = "the saga keeps its own record under this name"
            subject.findings.add(TAKEN, message, step.span, cause=cause, fix="rename it")

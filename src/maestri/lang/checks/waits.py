"""What a wait says of its time limit, and a question of its answers, agrees with the rest of the step."""

from __future__ import annotations

from maestri.lang.answers import refusal
from maestri.lang.checks.subject import Subject
from maestri.lang.model import AskDef, Fixed, LateDef, StepDef, WaitDef

NO_LIMIT, BOTH, DEFAULT = "L263", "L264", "L265"


def check_waits(subject: Subject) -> None:
    """Add each `on_timeout` that never comes into play, and each answer that could not be given."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if isinstance(action, AskDef | WaitDef) and action.on_timeout is not None:
            _check_limit(subject, placed.step, action, action.on_timeout)
        if isinstance(action, AskDef):
            _check_answers(subject, action)


def _check_limit(subject: Subject, step: StepDef, action: AskDef | WaitDef, late: LateDef) -> None:
    is_for_time = isinstance(action, WaitDef) and action.signal is None
    timeout_s = step.policy.step_timeout_s or (action.timeout_s if isinstance(action, WaitDef) else None)
    if not is_for_time and timeout_s is not None:
        return
    cause, fix = "there is no `timeout` after which it would count", "add `timeout: 8h`, or take it out"
    if is_for_time:
        cause, fix = "a wait for a time ends by itself, and is never too late", "take it out"
    message = f"`on_timeout` of `{step.name}` does nothing"
    subject.findings.add(NO_LIMIT, message, late.span, cause=cause, fix=fix)


def _check_answers(subject: Subject, action: AskDef) -> None:
    late = action.on_timeout
    if action.options and action.schema is not None:
        cause = "the options are texts to choose from, and a schema describes answers of any form"
        fix = "keep one; a schema can list answers, too: `{enum: [a, b]}`"
        message = "`ask` has `options` and a `schema`"
        subject.findings.add(BOTH, message, action.schema.span, cause=cause, fix=fix)
    elif late is not None and isinstance(late.default, Fixed):
        schema = None if action.schema is None else action.schema.schema
        problem = refusal(action.options, schema, late.default.value)  # type: ignore[arg-type]
        if problem:
            message = "the `default` of this question could not be its answer"
            fix = "give one that a person could give, or `on_timeout: skip`"
            subject.findings.add(DEFAULT, message, late.default.span, cause=problem, fix=fix)

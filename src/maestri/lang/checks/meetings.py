"""Streams can meet where they say so: nobody waits alone, or for ever."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import BodyDef, PatternDef, StepDef, SyncDef
from maestri.patterns._meetings import RESERVED, circle_of, members_of

MISPLACED = "L251"
ALONE = "L252"
CIRCLE = "L253"
TWICE = "L254"
RETRIED = "L255"
TAKEN = "L213"


def check_meetings(subject: Subject) -> None:
    """Add each `sync` at which nobody could meet, and streams with names that are taken."""
    own: set[int] = set()
    for placed in subject.survey.steps:
        if placed.step.verb == "streams":
            streams = _streams(placed.step)
            own |= {id(step) for body in streams.values() for step in _syncs(body)}
            _check(subject, placed.step, streams)
    for placed in subject.survey.steps:
        if isinstance(placed.step.action, SyncDef):
            _check_place(subject, placed.step, is_in_stream=id(placed.step) in own)


def _streams(step: StepDef) -> dict[str, BodyDef]:
    given = step.action.options.get("branches") if isinstance(step.action, PatternDef) else None
    found = given if isinstance(given, dict) else {}
    return {name: body for name, body in found.items() if isinstance(body, BodyDef)}


def _syncs(body: BodyDef) -> list[StepDef]:
    return [step for step in body.steps if isinstance(step.action, SyncDef)]


def _point(step: StepDef) -> str:
    return step.action.point if isinstance(step.action, SyncDef) else ""


def _check_place(subject: Subject, step: StepDef, *, is_in_stream: bool) -> None:
    if not is_in_stream:
        message = f"`sync: {_point(step)}` does not stand directly in a stream"
        cause = "elsewhere it would not be certain whether a stream comes to it, and how often"
        fix = "make it a step of the stream itself, with a `when` if need be"
        subject.findings.add(MISPLACED, message, step.verb_span, cause=cause, fix=fix)
    if step.policy.retry is not None:
        message = f"`retry` of `{step.name}` does nothing"
        cause = "a meeting that was missed stays missed: the stream that did not come has failed"
        fix = "give the `retry` to the steps of the streams"
        subject.findings.add(RETRIED, message, step.span, cause=cause, fix=fix)


def _check(subject: Subject, step: StepDef, streams: dict[str, BodyDef]) -> None:
    points = {name: [_point(one) for one in _syncs(body)] for name, body in streams.items()}
    members = members_of(points)
    for name, body in streams.items():
        if name in RESERVED:
            span = body.name_span or body.span
            cause = "something else stands under this name beside the streams"
            message = f"a stream cannot be called `{name}`"
            subject.findings.add(TAKEN, message, span, cause=cause, fix="rename it")
        for place, one in enumerate(_syncs(body)):
            _check_point(subject, one, name, is_alone=len(members[_point(one)]) == 1)
            if _point(one) in points[name][:place]:
                message = f"the stream `{name}` comes to `{_point(one)}` twice"
                cause, fix = "the others come to it once", "give the second meeting another name"
                subject.findings.add(TWICE, message, one.verb_span, cause=cause, fix=fix)
    circle = circle_of(points)
    if circle:
        way = " → ".join([*circle, circle[0]])
        message = f"the sync points of `{step.name}` wait for each other: {way}"
        cause = "the streams come to them in different orders, so that each would wait for ever"
        fix = "let all streams come to them in the same order"
        syncs = [one for body in streams.values() for one in _syncs(body)]
        span = next(one.verb_span for one in syncs if _point(one) in circle)
        subject.findings.add(CIRCLE, message, span, cause=cause, fix=fix)


def _check_point(subject: Subject, step: StepDef, stream: str, *, is_alone: bool) -> None:
    if is_alone and isinstance(step.action, SyncDef):
        message = f"only the stream `{stream}` names the sync point `{step.action.point}`"
        cause = "nobody else comes to it, so that it would wait for nobody"
        fix = "let another stream name it, too, or take it out"
        subject.findings.add(ALONE, message, step.action.span, cause=cause, fix=fix)

"""Steps that may run at once claim different files; what two may both change is said before the run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from maestri.claims import can_meet
from maestri.lang.checks.subject import Subject
from maestri.lang.circles import needed
from maestri.lang.inside import steps_in
from maestri.lang.model import BodyDef, Fixed, PatternDef, StepDef
from maestri.records import NamedTuple

CODE = "L344"
_AT_ONCE = frozenset({"parallel", "streams", "scout"})  # what `race` and `compete` make is not all kept
_MOST = 20


class _Claim(NamedTuple):
    """What a step changes, or reads, as far as that is written."""

    name: str
    step: StepDef
    claims: tuple[str, ...]
    reads: tuple[str, ...]


def check_overlaps(subject: Subject) -> None:
    """Add each pair of steps that may run at once and may change the same files."""
    found = 0
    for placed in subject.survey.steps:
        for one, other in _pairs(placed.step):
            if found < _MOST:
                found += _check(subject, one, other)


def _pairs(step: StepDef) -> Iterator[tuple[_Claim, _Claim]]:
    """Yield the claims that two children of a step have at the same time."""
    action = step.action
    if not isinstance(action, PatternDef):
        return
    groups: list[list[_Claim]] = []
    apart: set[tuple[int, int]] = set()
    if action.spec.keyword in _AT_ONCE:
        for value in action.options.values():
            if isinstance(value, dict):
                bodies = {name: body for name, body in value.items() if isinstance(body, BodyDef)}
                groups += [_of(body.steps, name if body.is_single else "") for name, body in bodies.items()]
    elif action.spec.keyword == "graph":
        nodes = action.options.get("steps")
        steps = [one for one in nodes if isinstance(one, StepDef)] if isinstance(nodes, tuple) else []
        groups = [_of((one,)) for one in steps]
        needs = {one.name: [need.text for need in one.needs] for one in steps}
        for (a, one), (b, other) in combinations(enumerate(steps), 2):
            if other.name in needed(one.name, needs) or one.name in needed(other.name, needs):
                apart.add((a, b))
    for (a, some), (b, others) in combinations(enumerate(groups), 2):
        if (a, b) not in apart:
            yield from ((one, other) for one in some for other in others)


def _of(steps: tuple[StepDef, ...], name: str = "") -> list[_Claim]:
    found = []
    for step in (inner for one in steps for inner in (one, *steps_in(one))):
        own = step.properties
        if own is not None and (own.claims or own.reads):
            texts = [
                tuple(str(one.value) for one in part if isinstance(one, Fixed))
                for part in (own.claims, own.reads)
            ]
            found.append(_Claim(name or step.name, step, *texts))
    return found


def _check(subject: Subject, one: _Claim, other: _Claim) -> int:
    both = can_meet(one.claims, other.claims)
    if both is None:
        return _check_reads(subject, one, other) or _check_reads(subject, other, one)
    message = f"`{one.name}` and `{other.name}` may change the same files at once"
    cause = f"`{both[0]}` and `{both[1]}` can be the same file, and may not come together afterwards"
    fix = "claim less, or let one need the other"
    _add(subject, other.step, message, cause, fix)
    return 1


def _check_reads(subject: Subject, writer: _Claim, reader: _Claim) -> int:
    both = can_meet(writer.claims, reader.reads)
    if both is None:
        return 0
    message = f"`{reader.name}` reads what `{writer.name}` may change at the same time"
    cause = f"`{both[0]}` and `{both[1]}` can be the same file; it sees what was there before"
    fix = f"let `{reader.name}` need `{writer.name}`, if it is to see what is new"
    _add(subject, reader.step, message, cause, fix)
    return 1


def _add(subject: Subject, step: StepDef, message: str, cause: str, fix: str) -> None:
    own = step.properties
    keys = {} if own is None else own.keys
    span = keys.get("claims") or keys.get("reads") or step.span
    subject.findings.add(CODE, message, span, cause=cause, fix=fix, severity="warning")

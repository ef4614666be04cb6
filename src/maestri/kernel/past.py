"""What the journal already knows of a scope, and how a record is given back on replay.

Rule 1: a record counts unless a reopening took it back, or it only followed from something else: a
cancellation that came with an outer one, or a skip because of a failure, is decided anew.
Rule 2: a verb takes only what it, or a person deciding by hand, has written; `check` is the one place that
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from maestri.errors import (
    Failure,
    OutputInvalid,
    RunError,
    StepCancelled,
    StepChanged,
    StepVanished,
    from_failure,
)
from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.path import join, split_segment
from maestri.kernel.ports import Task
from maestri.kernel.run import REQUEST, RunCore
from maestri.kernel.typed import build, return_type
from maestri.records import NamedTuple

WITH_SCOPE: Final = "scope"  # the reason of a cancellation that came from outside the step
BY_HAND: Final = "by-hand"  # the reason of a skip that a person has decided
DEPENDENCY: Final = "dependency"  # the reason of a skip because of a failure
_COUNTED: Final = frozenset({ev.RETRIED, ev.FAILED, ev.CANCELLED})  # attempts that were begun
_SUCCESSES = frozenset({ev.SUCCEEDED, ev.SEALED})
_HOLDS = frozenset({ev.HELD, ev.RELEASED})
_CHILD_ENDS = ev.SCOPE_ENDS | {ev.SUCCEEDED, ev.SKIPPED}  # the last two: a scope decided by hand


class Known(NamedTuple):
    """What is on record of one step or scope.

    `end` is how it ended, if it did; `failures` are its failed attempts since it was last reopened, `before`
    those before that: they count for the idempotency key, not for the retries that are left. `taken_back` is
    how a scope failed before it was reopened. `held` are the blockers that the last attempt has reported,
    and their ends.
    """

    end: Stored | None = None
    failures: int = 0
    retry_at: float | None = None
    before: int = 0
    delay_s: float = 0.0
    taken_back: Stored | None = None
    held: tuple[Stored, ...] = ()


class Verb(NamedTuple):
    """What a verb of `Context` writes at its place, and what messages call that."""

    words: str
    kinds: frozenset[int]


STEP: Final = Verb("a step", frozenset({ev.SUCCEEDED, ev.FAILED, ev.CANCELLED}))
SCOPE: Final = Verb("a scope", ev.SCOPE_ENDS)
VALUE: Final = Verb("a decided value", frozenset({ev.DECIDED}))
WAIT: Final = Verb("a wait", frozenset({ev.SUCCEEDED, ev.CANCELLED}))
SLEEP: Final = Verb("a sleep", frozenset({ev.SUCCEEDED, ev.CANCELLED, ev.DECIDED}))
SKIP: Final = Verb("a step that is skipped", frozenset({ev.SKIPPED}))
REFUSAL: Final = Verb("a step that cannot be done", frozenset({ev.FAILED}))


class Past:
    """The records of one scope by segment; each is taken once, by the step that claims the segment."""

    def __init__(self, events: Sequence[Stored], is_current: Callable[[Stored], bool]) -> None:
        """Keep the last word on each segment; what is not current only counts as failures."""
        known: dict[str, Known] = {}
        for event in events:
            name, is_to_count = event.name, is_current(event)
            if is_to_count and event.kind in _SUCCESSES and name not in known:
                known[name] = Known(event)  # nearly all: a resume of a long scope is quick for it
            else:
                known[name] = _with(known.get(name, Known()), event, is_current=is_to_count)
        self._known = known

    def take(self, segment: str) -> Known | None:
        """Return and forget what is known of a segment."""
        return self._known.pop(segment, None)

    def look(self, segment: str) -> Stored | None:
        """Return how a segment ended, if it did, without taking it."""
        known = self._known.get(segment)
        return None if known is None else known.end

    def forget(self, keep: str) -> None:
        """Forget all that is known but of the name `keep`."""
        self._known = {s: known for s, known in self._known.items() if split_segment(s)[0] == keep}

    def unclaimed(self) -> str | None:
        """Return a finished step that nobody has asked for, if there is one."""
        for segment, known in self._known.items():
            if known.end is not None and known.end.kind in _SUCCESSES:
                return segment
        return None


def _with(known: Known, event: Stored, *, is_current: bool) -> Known:
    """Return what is known of a segment after one more event."""
    if not is_current:
        first = 0 if event.kind == ev.CANCELLED else 1  # what a cancelled step leaves out was never begun
        attempt = event.body.get("attempt", first) if event.kind in _COUNTED else known.before
        failed = event if event.kind == ev.SCOPE_FAILED else known.taken_back
        return Known(before=max(attempt, known.before), taken_back=failed)
    if event.kind == ev.RETRIED:
        delay_s = event.body.get("delay_s", 0.0)
        failures = event.body["attempt"] - known.before
        again = known._replace(end=None, failures=failures, retry_at=event.at + delay_s, delay_s=delay_s)
        return again._replace(held=())
    if event.kind in _HOLDS:
        return known._replace(held=(*known.held, event))
    return known._replace(end=event) if is_final(event) else known


def is_final(event: Stored) -> bool:
    """Tell whether a record stands, or is decided anew by a resume because it only followed from another."""
    if event.kind in {ev.CANCELLED, ev.SCOPE_CANCELLED}:
        return event.body.get("reason") != WITH_SCOPE
    if event.kind == ev.SKIPPED:
        return event.body.get("reason") != DEPENDENCY
    return True


NOTHING: Final = Past((), lambda _event: False)  # the past of a scope that has none


async def read_past(run: RunCore, scope: str) -> Past:
    """Return the records of a scope that still count: one indexed query."""
    found = await run.journal.settled(scope)
    return Past(found, run.is_current) if found else NOTHING


async def last_ended(run: RunCore, scope: str) -> Stored | None:
    """Return the last child of a scope that ended, without reading those before it."""
    count = 1
    while run.is_resumed:
        found = await run.journal.last(scope, count)
        current = [e for e in found if e.kind in _CHILD_ENDS and is_final(e) and run.is_current(e)]
        if current or len(found) < count:
            return current[-1] if current else None
        count *= 2
    return None


def check_past(run: RunCore, past: Past, scope: str) -> None:
    """Refuse when the journal has ended steps in a scope that its body did not ask for.

    Raises:
        StepVanished: Names the first of them.
    """
    missing = None if past is NOTHING else past.unclaimed()
    if missing is not None:
        message = "the journal has this step, but the workflow no longer asks for it"
        fix = "bring the step back, or start a new run"
        raise StepVanished(message, fix=fix, run=run.info.name, path=join(scope, missing))


def is_by_hand(end: Stored) -> bool:
    """Tell whether a person decided this, or it could not even be asked for: then it fits every verb."""
    if end.kind == ev.SKIPPED:
        return bool(end.body.get("reason") == BY_HAND)
    return end.kind in {ev.SUCCEEDED, ev.FAILED} and not end.digest


def check(run: RunCore, end: Stored, verb: Verb, digest: str, task: Task | None = None) -> None:
    """Refuse a record that is not of this verb and of this request.

    Waits of earlier versions have no digest, and read as decided by hand.

    Args:
        run: The run, for the message.
        end: What is on record.
        verb: Who asks.
        digest: What the verb asks for; empty where that does not count.
        task: What a step asks for, for the message.

    Raises:
        StepChanged: The record is of another verb, or of another request.
    """
    if is_by_hand(end) and verb is not VALUE:
        return
    if end.kind not in verb.kinds:
        message = f"the workflow asks for {verb.words}, and the journal has {_words(end)} here"
    elif end.digest and digest and end.digest != digest:
        whom = f"asks `{task.agent}`" if task is not None else "asks"
        message = f"this step {whom} for something else than the journal has for it"
    else:
        return
    cause = f"written at {task.source}" if task is not None and task.source else ""
    fix = "bring the step back to what it was, give the changed step a new name, or start a new run"
    raise StepChanged(message, fix=fix, cause=cause, run=run.info.name, path=end.path)


def _words(end: Stored) -> str:
    return next(verb.words for verb in (STEP, SCOPE, VALUE, SKIP) if end.kind in verb.kinds)


def replay_step(run: RunCore, end: Stored, digest: str, task: Task) -> Any:
    """Give a step's record back: its output, or the error it ended with.

    Raises:
        StepChanged: The record is of something else.
        RunError: The step failed or was cancelled.
    """
    if end.kind == ev.SUCCEEDED and end.digest == digest:
        return end.body.get("output")
    check(run, end, STEP, digest, task)
    return give_back(end, None)


def replay_scope(run: RunCore, end: Stored, body: Callable[..., Any]) -> Any:
    """Give a closed scope's record back: its output as its body's type, or its error.

    Raises:
        StepChanged: The record is of something else.
        RunError: The scope failed or was cancelled.
    """
    check(run, end, SCOPE, "")
    return give_back(end, return_type(body))


def give_back(end: Stored, wanted: Any) -> Any:
    """Return the output on record as a type, or in its JSON form where `wanted` is None.

    Raises:
        RunError: The record is a failure or a cancellation, or the output does not fit the type.
    """
    if end.kind == ev.SKIPPED:
        return None
    if end.kind not in {ev.SUCCEEDED, ev.SEALED}:
        raise recorded_error(end)
    value = end.body.get("output")
    if wanted is None:
        return value
    try:
        return build(wanted, value)
    except OutputInvalid as error:
        error.path, error.origins = end.path, (end.path,)
        raise


def recorded_error(end: Stored) -> RunError:
    """Return the error that an ending event stands for, with the paths it came from."""
    body = end.body
    if end.kind in {ev.CANCELLED, ev.SCOPE_CANCELLED}:
        words = body.get("by") or body.get("reason", "")
        error: RunError = cancelled_error(end.path, words, body.get("attempt"))
    else:
        error = from_failure(Failure.from_json(body["failure"]))
    error.origins = tuple(body.get("because", ())) or (end.path,)
    return error


def cancelled_error(path: str, words: str, attempt: int | None = None) -> StepCancelled:
    """Return the error of what was cancelled on request, live and on replay alike."""
    error = StepCancelled(f"`{path}` was cancelled: {words or REQUEST}", path=path, attempt=attempt)
    error.origins = (path,)
    return error


def cancelled_fields(words: str) -> dict[str, Any]:
    """Return the fields of the record of what was cancelled on request: the kind, and a person's words."""
    return {"reason": REQUEST, **({"by": words} if words else {})}

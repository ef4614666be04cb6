"""What the journal already knows of a scope, and how a record is given back on replay.

Rule: a record counts unless a reopening took it back, or it only followed from something else: a
cancellation that came with an outer one, or a skip because of a failure, is decided anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from maestri.errors import Failure, RunError, StepCancelled, StepChanged, StepVanished, from_failure
from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.path import join, split_segment
from maestri.kernel.ports import Task
from maestri.kernel.run import RunCore
from maestri.kernel.typed import build, return_type

WITH_SCOPE = "scope"  # the reason of a cancellation that came from outside the step
BY_HAND = "by-hand"
_CHILD_ENDS = ev.SCOPE_ENDS | {ev.SUCCEEDED, ev.SKIPPED}  # the last two: a scope decided by hand


class Known(NamedTuple):
    """What is on record of one step or scope.

    `end` is how it ended, if it did; `failures` are its failed attempts since it was last reopened, `before`
    those before that: they count for the idempotency key, not for the retries that are left. `taken_back` is
    how a scope failed before it was reopened.
    """

    end: Stored | None = None
    failures: int = 0
    retry_at: float | None = None
    before: int = 0
    delay_s: float = 0.0
    taken_back: Stored | None = None


class Past:
    """The records of one scope by segment; each is taken once, by the step that claims the segment."""

    def __init__(self, events: Sequence[Stored], is_current: Callable[[Stored], bool]) -> None:
        """Keep the last word on each segment; what is not current only counts as failures."""
        self._known: dict[str, Known] = {}
        for event in events:
            known = self._known.get(event.name, Known())
            self._known[event.name] = _with(known, event, is_current=is_current(event))

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
            if known.end is not None and known.end.kind in {ev.SUCCEEDED, ev.SEALED}:
                return segment
        return None


def _with(known: Known, event: Stored, *, is_current: bool) -> Known:
    """Return what is known of a segment after one more event."""
    if not is_current:
        attempt = event.body.get("attempt", 1) if event.kind in {ev.RETRIED, ev.FAILED} else known.before
        failed = event if event.kind == ev.SCOPE_FAILED else known.taken_back
        return Known(before=attempt, taken_back=failed)
    if event.kind == ev.RETRIED:
        delay_s = event.body.get("delay_s", 0.0)
        failures = event.body["attempt"] - known.before
        return known._replace(end=None, failures=failures, retry_at=event.at + delay_s, delay_s=delay_s)
    return known._replace(end=event) if is_final(event) else known


def is_final(event: Stored) -> bool:
    """Tell whether a record stands, or is decided anew by a resume because it only followed from another."""
    if event.kind in {ev.CANCELLED, ev.SCOPE_CANCELLED}:
        return event.body.get("reason") != WITH_SCOPE
    if event.kind == ev.SKIPPED:
        return event.body.get("reason") != "dependency"
    return True


async def read_past(run: RunCore, scope: str) -> Past | None:
    """Return the records of a scope that still count, or None if there is none: one indexed query."""
    found = await run.journal.settled(scope)
    return Past(found, run.is_current) if found else None


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


def check_past(run: RunCore, past: Past | None, scope: str) -> None:
    """Refuse when the journal has ended steps in a scope that its body did not ask for.

    Raises:
        StepVanished: Names the first of them.
    """
    missing = None if past is None else past.unclaimed()
    if missing is not None:
        message = "the journal has this step, but the workflow no longer asks for it"
        fix = "bring the step back, or start a new run"
        raise StepVanished(message, fix=fix, run=run.info.name, path=join(scope, missing))


def replay_step(run: RunCore, end: Stored, digest: str, task: Task) -> Any:
    """Give a step's record back: its output, or the error it ended with.

    Raises:
        StepChanged: The record is of another request.
        RunError: The step failed or was cancelled.
    """
    if end.digest and end.digest != digest:
        message = f"this step asks `{task.agent}` for something else than the journal has for it"
        fix = "bring the step back to what it was, give the changed step a new name, or start a new run"
        place = f"written at {task.source}" if task.source else ""
        raise StepChanged(message, fix=fix, cause=place, run=run.info.name, path=end.path)
    if end.kind in {ev.SUCCEEDED, ev.DECIDED}:
        return end.body.get("output")
    if end.kind == ev.SKIPPED:
        return None
    raise recorded_error(end)


def replay_scope(end: Stored, body: Callable[..., Any]) -> Any:
    """Give a closed scope's record back: its output as its body's type, or its error.

    Raises:
        RunError: The scope failed or was cancelled.
    """
    if end.kind in {ev.SEALED, ev.SUCCEEDED}:
        value = end.body.get("output")
        wanted = return_type(body)
        return value if wanted is None else build(wanted, value)
    if end.kind == ev.SKIPPED:
        return None
    raise recorded_error(end)


def recorded_error(end: Stored) -> RunError:
    """Return the error that an ending event stands for, with the paths it came from."""
    if end.kind in {ev.CANCELLED, ev.SCOPE_CANCELLED}:
        error: RunError = StepCancelled(
            f"`{end.path}` was cancelled: {end.body.get('reason', '')}", path=end.path
        )
    else:
        error = from_failure(Failure.from_json(end.body["failure"]))
    error.origins = tuple(end.body.get("because", ())) or (end.path,)
    return error

"""What the journal already knows of a scope, and how a record is given back on replay.

Rule: a record counts unless a reopening took it back, or it only followed from something else: a
cancellation that came with an outer one, or a skip because of a failure, is decided anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from maestri.errors import Failure, RunError, StepCancelled, StepChanged, from_failure
from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.ports import Task
from maestri.kernel.run import RunCore
from maestri.kernel.typed import build, return_type

WITH_SCOPE = "scope"  # the reason of a cancellation that came from outside the step
BY_HAND = "by-hand"


class Known(NamedTuple):
    """What is on record of one step or scope: its end if it has one, and its failed attempts."""

    end: Stored | None
    failures: int = 0
    retry_at: float | None = None


class Past:
    """The records of one scope by segment; each is taken once, by the step that claims the segment."""

    def __init__(self, events: Sequence[Stored]) -> None:
        """Keep the last word on each segment."""
        self._known: dict[str, Known] = {}
        for event in events:
            self._add(event)

    def _add(self, event: Stored) -> None:
        before = self._known.get(event.name) or Known(None)
        if event.kind == ev.RETRIED:
            body = event.body
            retry_at = event.at + body.get("delay_s", 0.0)
            self._known[event.name] = Known(None, body["attempt"], retry_at)
        elif _is_final(event):
            self._known[event.name] = before._replace(end=event)

    def take(self, segment: str) -> Known | None:
        """Return and forget what is known of a segment."""
        return self._known.pop(segment, None)

    def look(self, segment: str) -> Stored | None:
        """Return how a segment ended, if it did, without taking it."""
        known = self._known.get(segment)
        return None if known is None else known.end

    def unclaimed(self) -> str | None:
        """Return a finished step that nobody has asked for, if there is one."""
        for segment, known in self._known.items():
            if known.end is not None and known.end.kind in {ev.SUCCEEDED, ev.SEALED}:
                return segment
        return None


def _is_final(event: Stored) -> bool:
    if event.kind in {ev.CANCELLED, ev.SCOPE_CANCELLED}:
        return event.body.get("reason") != WITH_SCOPE
    if event.kind == ev.SKIPPED:
        return event.body.get("reason") != "dependency"
    return True


async def read_past(run: RunCore, scope: str) -> Past | None:
    """Return the records of a scope that still count, or None if there is none: one indexed query."""
    found = await run.journal.settled(scope)
    return Past([event for event in found if run.is_current(event)]) if found else None


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

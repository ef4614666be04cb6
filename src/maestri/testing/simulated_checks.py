"""The promises of the kernel, checked over what a simulated run has left in its journal.

Rule 1: a check reads the journal and the world outside; it asks nothing of the code that it checks, but for
the table of legal transitions, which is a promise itself.
Rule 2: each broken promise is one line of text; an empty list is a run without fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from maestri.errors import InternalError
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.path import RUN, numbered
from maestri.kernel.state import RunState
from maestri.testing.simulated_disk import Row, SimulatedDisk, is_above
from maestri.testing.simulated_flows import plain

_BEGINNINGS = frozenset({ev.RUN_STARTED, ev.RUN_RESUMED})
_OPENINGS = frozenset({ev.STARTED, ev.OPENED, ev.BLOCKED})
_ENDS = ev.STEP_ENDS | ev.SCOPE_ENDS
_EARLY_S = 0.002  # a recorded delay is rounded


def check_journal(
    disk: SimulatedDisk, acknowledged: Sequence[tuple[int, Event]], suspected: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """Return the promises that a journal breaks.

    Args:
        disk: What is stored.
        acknowledged: What somebody was told to be stored: epoch and event.
        suspected: Workers and what they have cancelled while the join around it was not stored. It was for
            the join if that has succeeded, and for something further out otherwise.
    """
    found: list[str] = []
    _Walk(disk.rows, found.append).all()
    _check_fold(disk.events(), found.append)
    ends = {
        (row.worker, row.event.kind, row.event.path)
        for row in disk.rows
        if row.event.kind != ev.CANCELLED or row.event.body.get("reason") == "scope"
    }
    for worker, path in suspected:
        scope = path.rpartition("/")[0]
        if {(worker, ev.CANCELLED, path), (worker, ev.SEALED, scope)} <= ends:
            found.append(f"{path} was cancelled before the join of {scope} was stored")
    stored = {(row.epoch, row.event.seq): row.event for row in disk.rows}
    for epoch, event in acknowledged:
        there = stored.get((epoch, event.seq))
        if there is None or there.path != event.path or there.kind != event.kind:
            found.append(f"acknowledged, but not stored: {ev.NAMES[event.kind]} {event.path} ({event.seq})")
    return found


def _check_fold(events: list[Stored], violated: Callable[[str], None]) -> None:
    state = RunState()
    for event in events:
        try:
            state.apply(event)
        except InternalError as error:
            violated(f"the journal cannot be folded at event {event.seq}, {event.path}: {error}")
            return


class _Walk:
    """One walk over the rows, in order: what is open, what has ended for good, who writes."""

    def __init__(self, rows: Sequence[Row], violated: Callable[[str], None]) -> None:
        self._rows = rows
        self._violated = violated
        self._open: set[str] = set()  # what was begun in this life and has not ended
        self._closed: dict[str, Stored] = {}
        self._retry_at: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._decisions: set[str] = set()
        self._stopped: set[str] = set()  # what was cancelled with its scope, in this life
        self._given_up: set[str] = set()  # the same, in any life, unless it has ended otherwise since
        self._chosen: dict[str, list[str]] = {}  # the children that a join was decided for
        self._writers: dict[int, str] = {}
        self._messages: Counter[str] = Counter()

    def all(self) -> None:
        """Look at every row."""
        epoch = 0
        for number, row in enumerate(self._rows, 1):
            event = row.event
            if event.seq != number:
                self._violated(f"the journal has a gap: event {event.seq} in place {number}")
            if row.epoch < epoch or self._writers.setdefault(row.epoch, row.worker) != row.worker:
                self._violated(f"a stale owner has written event {event.seq}, {event.path}")
            epoch = row.epoch
            if event.scope:
                self._step(event)
            else:
                self._run(event)

    def _run(self, event: Stored) -> None:
        kind, body = event.kind, event.body
        if kind in _BEGINNINGS:
            self._open.clear()
            self._stopped.clear()
        elif kind == ev.RUN_REOPENED:
            for path in body["paths"]:
                self._closed.pop(path, None)
                self._retry_at.pop(path, None)
        elif kind in ev.RUN_ENDS and self._open:
            self._violated(f"the run has ended, but not {', '.join(sorted(self._open))}")
        if kind == ev.RUN_SUCCEEDED:
            self._check_handled(body.get("handled", 0))
        if "id" in body:
            self._messages[body["id"]] += 1
            if self._messages[body["id"]] > 1:
                self._violated(f"the message {body['id']} was taken twice")

    def _step(self, event: Stored) -> None:
        kind, path = event.kind, event.path
        self._check_closed(event)
        if kind in _OPENINGS:
            self._open.add(path)
            if kind == ev.STARTED and event.at < self._retry_at.pop(path, 0.0) - _EARLY_S:
                self._violated(f"a retry came before its time: {path}")
        elif kind == ev.RETRIED:
            self._retry_at[path] = event.at + event.body["delay_s"]
        elif kind == ev.DECIDED:
            self._decided(event)
        elif kind in _ENDS:
            self._ended(event)

    def _check_closed(self, event: Stored) -> None:
        path = event.path
        for scope in _above(path):
            if scope in self._closed:
                self._violated(f"after the end of {scope} there is {ev.NAMES[event.kind]} {path}")
        if path in self._closed and event.kind != ev.DECIDED:
            self._violated(f"after its end there is {ev.NAMES[event.kind]} {path}")

    def _decided(self, event: Stored) -> None:
        self._decisions.add(event.path)
        if event.name == "join":
            self._chosen[event.scope] = [numbered(name, number) for name, number in event.body["value"]]
            early = sorted(p for p in self._stopped if p.rpartition("/")[0] == event.scope.rstrip("/"))
            if early:
                self._violated(f"{', '.join(early)} was cancelled before {event.scope} had decided")
        if event.name == "winner":
            self._chosen[event.scope] = [event.body["value"]["winner"]]
        if isinstance(event.body["value"], float):
            self._due[event.path] = event.body["value"]

    def _ended(self, event: Stored) -> None:
        kind, path = event.kind, event.path
        self._open.discard(path)
        if kind in ev.SCOPE_ENDS:
            running = sorted(other for other in self._open if is_above(path, other))
            if running:
                self._violated(f"{path} has ended before {', '.join(running)}")
        if kind == ev.SUCCEEDED and event.at < self._due.get(path, 0.0) - _EARLY_S:
            self._violated(f"{path} woke before its time")
        reason = event.body.get("reason")
        if kind in {ev.CANCELLED, ev.SCOPE_CANCELLED} and reason == "scope":
            self._stopped.add(path)
            self._given_up.add(path)
        elif not (kind == ev.SKIPPED and reason == "dependency"):
            self._closed[path] = event
            self._given_up.discard(path)
        if kind == ev.SEALED:
            self._check_sealed(path)

    def _check_sealed(self, scope: str) -> None:
        """A race that has cancelled some of its own must have said who won."""
        if not scope.rpartition("/")[2].startswith("race") or f"{scope}/join" in self._decisions:
            return
        losers = sorted(path for path in self._stopped if path.rpartition("/")[0] == scope)
        if losers:
            self._violated(f"{scope} has cancelled {', '.join(losers)} without a decision on record")

    def _check_handled(self, handled: int) -> None:
        """Compare the count with the records; those of what was given up for something else may lack."""
        failed = [path for path, event in self._closed.items() if _is_own_failure(event)]
        certain = [path for path in failed if not self._was_given_up(path)]
        if not len(certain) <= handled <= len(failed):
            self._violated(
                f"{handled} failures are said to be handled, {len(failed)} are on record: {failed}"
            )

    def _was_given_up(self, path: str) -> bool:
        for scope in _above(path):
            end = self._closed.get(scope)
            if scope in self._given_up or (end is not None and _is_without(end, path)):
                return True
            chosen = self._chosen.get(scope)
            if chosen is not None and path[len(scope) + 1 :].partition("/")[0] not in chosen:
                return True
        return False


def _is_without(end: Stored, path: str) -> bool:
    """Tell whether a scope has ended, or may have, before anybody heard of a failure below it."""
    return end.kind == ev.SCOPE_CANCELLED or (end.kind == ev.SCOPE_FAILED and end.body["because"] != [path])


def _is_own_failure(event: Stored) -> bool:
    """Tell whether a record is a failure of its own, not only that of something below it."""
    if event.kind in {ev.FAILED, ev.CANCELLED}:
        return True
    if event.kind == ev.SCOPE_FAILED:
        return event.path in event.body.get("because", ())
    return event.kind == ev.SCOPE_CANCELLED


def _above(path: str) -> list[str]:
    found = []
    at = path.rfind("/")
    while at > 0:
        found.append(path[:at])
        at = path.rfind("/", 0, at)
    return found


def differences(disk: SimulatedDisk, whole: SimulatedDisk) -> list[str]:
    """Return where a run has come out in another way than the same run without any crash.

    A failure that somebody would have handled is reopened instead if something else made the run fail first:
    at such a place one run may have the failure and the other what came of trying again.

    Args:
        disk: What the run has left.
        whole: What is left of the run that nothing has disturbed.
    """
    found = []
    there = _outputs(whole)
    reopened = _reopened(disk) | _reopened(whole)
    for path, output in _outputs(disk).items():
        if path in there and not _is_same(output, there[path], is_sure=path not in reopened):
            found.append(f"{path or 'the run'} gave {output!r}, and without crashes {there[path]!r}")
    return found


def _is_same(one: Any, other: Any, *, is_sure: bool) -> bool:
    if not is_sure and "failed" in {str(one), str(other)}:
        return True
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return all(_is_same(one[key], other[key], is_sure=is_sure) for key in one)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return all(_is_same(*pair, is_sure=is_sure) for pair in zip(one, other, strict=True))
    return bool(one == other)


def _reopened(disk: SimulatedDisk) -> set[str]:
    """Return what was reopened; the run as a whole is the empty path."""
    return {
        path
        for event in disk.by_scope.get(RUN, ())
        if event.kind == ev.RUN_REOPENED
        for path in ("", *event.body["paths"])
    }


def _outputs(disk: SimulatedDisk) -> dict[str, Any]:
    kinds = {ev.SUCCEEDED, ev.SEALED, ev.RUN_SUCCEEDED}
    return {
        event.path: _nameless(plain(event.body.get("output")))
        for event in disk.events()
        if event.kind in kinds
    }


def _nameless(output: Any) -> Any:
    """Return an output without the paths of its steps: which try of a retry succeeded is not decided."""
    if isinstance(output, dict):
        return "answer" if "path" in output else {key: _nameless(value) for key, value in output.items()}
    return [_nameless(item) for item in output] if isinstance(output, list) else output

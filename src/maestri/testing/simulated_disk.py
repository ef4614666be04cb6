"""What survives a crash in a simulation: one journal, its mailbox, and what they mean at this moment.

Rule 1: a transaction is stored whole or not at all; whether its writer may write is asked inside of it.
Rule 2: what the checks ask of the journal is kept up to date row by row, by rules of its own: the code that
is tested does not judge itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from maestri.engines.projection import projected
from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import LAST_PASSING, Event, Stored
from maestri.kernel.path import ROOT
from maestri.kernel.ports import Message, RunInfo
from maestri.records import NamedTuple

_ENDS = ev.STEP_ENDS | ev.SCOPE_ENDS


class Row(NamedTuple):
    """One stored event, and who stored it."""

    event: Stored
    epoch: int
    worker: str


class Entry(NamedTuple):
    """An event on its way to the disk, and the message that is taken with it."""

    event: Event
    message: str | None = None


class SimulatedDisk:
    """The stored part of one run; `info` is None before there is one."""

    def __init__(self) -> None:
        """Begin empty."""
        self.info: RunInfo | None = None
        self.rows: list[Row] = []
        self.by_scope: dict[str, list[Stored]] = {}
        self.mail: dict[str, Message] = {}
        self.taken: set[str] = set()
        self.on_write: Callable[[Row], None] = _nothing
        self.refused = 0  # transactions of stale owners
        # What the checks ask: the record by path that stands, and the attempts that have failed.
        self.final: dict[str, Row] = {}
        self.success: Row | None = None  # of the run
        self.attempts: dict[str, int] = {}
        self._cancelled: dict[str, int] = {}  # the attempt that was under way
        self.started: set[tuple[str, int, str]] = set()  # path, attempt, worker
        self.decided: dict[str, Any] = {}

    def create(self, info: RunInfo) -> None:
        """Make the run, held by whoever makes it."""
        self.info = info._replace(epoch=1, end=None, alive=True, waiting="")

    @property
    def held(self) -> RunInfo:
        """The run as it is listed.

        Raises:
            LookupError: There is none.
        """
        if self.info is None:
            raise LookupError
        return self.info

    def store(self, entries: Sequence[Entry], epoch: int, worker: str) -> bool:
        """Store a transaction of the owner of an epoch; tell whether it still was the owner."""
        if not self.may_write(epoch):
            self.refused += 1
            return False
        self.write(entries, epoch, worker)
        return True

    def may_write(self, epoch: int) -> bool:
        """Tell whether the run is held under this epoch."""
        return self.info is not None and self.info.epoch == epoch

    def write(self, entries: Sequence[Entry], epoch: int, worker: str) -> None:
        """Store entries, whoever writes them."""
        for event, message in entries:
            stored = Stored(*event[:5], codec.decode(event.body), event.seq)
            row = Row(stored, epoch, worker)
            self.rows.append(row)
            if event.kind >= ev.RUN_STARTED:
                self.info = projected(self.held, event)
            if event.kind > LAST_PASSING:
                self.by_scope.setdefault(event.scope, []).append(stored)
            if message is not None:
                self.taken.add(message)
            self._note(row)
            self.on_write(row)

    def _note(self, row: Row) -> None:
        event = row.event
        kind = event.kind
        if kind == ev.STARTED:
            self.started.add((event.path, event.body.get("attempt", 1), row.worker))
        elif kind == ev.RUN_SUCCEEDED:
            self.success = row
        elif kind == ev.DECIDED:
            self.decided[event.path] = event.body["value"]
        elif kind in {ev.RETRIED, ev.FAILED}:
            self._count(event.path, event.body.get("attempt", 1))
        elif kind == ev.CANCELLED:  # counts once it is reopened: until then it is the same attempt again
            self._cancelled[event.path] = event.body.get("attempt", 0)
        elif kind == ev.RUN_REOPENED:
            for path in event.body["paths"]:
                self.final.pop(path, None)
                self._count(path, self._cancelled.pop(path, 0))
        if kind in _ENDS and _stands(event):
            self.final[event.path] = row

    def _count(self, path: str, attempt: int) -> None:
        self.attempts[path] = max(attempt, self.attempts.get(path, 0))

    @property
    def size(self) -> int:
        """How many events are stored."""
        return len(self.rows)

    def closed_above(self, path: str) -> str | None:
        """Return a scope above a path that has ended for good, if there is one."""
        at = path.rfind("/")
        while at > 0:
            row = self.final.get(path[:at])
            if row is not None:
                return path[:at]
            at = path.rfind("/", 0, at)
        return None

    def events(self) -> list[Stored]:
        """Return all stored events in order."""
        return [row.event for row in self.rows]


def _stands(event: Stored) -> bool:
    """Tell whether an end is one for good, or only followed from the end of something else."""
    body: dict[str, Any] = event.body
    if event.kind in {ev.CANCELLED, ev.SCOPE_CANCELLED}:
        return bool(body.get("reason") != "scope")
    return not (event.kind == ev.SKIPPED and body.get("reason") == "dependency")


def is_above(scope: str, path: str) -> bool:
    """Tell whether a path lies below a scope."""
    return path != scope and (scope == ROOT or path.startswith(scope + "/"))


def _nothing(_row: Row) -> None:
    pass

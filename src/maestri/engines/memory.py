"""Runs in memory: the whole engine without a file, for tests and for runs that nobody will resume.

Rule 1: it keeps the promises that need no disk: order, one commit per turn of the loop, one owner per run.
Rule 2: `crash` is the moment of a kill: what was not committed is gone, and no old journal can write.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from maestri.engines.projection import projected
from maestri.errors import EngineError, RunInUse, RunNotFound, StaleOwner
from maestri.kernel import codec
from maestri.kernel.events import FAILURES, LAST_PASSING, RUN_STARTED, SCOPE_ENDS, STEP_ENDS, Event, Stored
from maestri.kernel.path import RUN
from maestri.kernel.ports import Message, RunInfo

Listener = Callable[[str, Sequence[Event]], None]


class _Kept:
    """One run: what is stored of it."""

    def __init__(self, info: RunInfo) -> None:
        self.info = info
        self.events: list[Event] = []
        self.mail: dict[str, Message] = {}
        self.posted: dict[str, int] = {}  # after how many events a message came in
        self.taken: dict[str, int] = {}  # which event is the record of a message


def _decoded(events: Sequence[Event]) -> list[Stored]:
    return [Stored(*event[:5], codec.decode(event.body), event.seq) for event in events]


class MemoryJournal:
    """The journal of one run under lease."""

    def __init__(self, engine: MemoryEngine, kept: _Kept) -> None:
        """Begin after the last stored event."""
        self._engine = engine
        self._kept = kept
        self._epoch = kept.info.epoch
        self._seq = len(kept.events)

    @property
    def info(self) -> RunInfo:
        """The run, with the epoch under which this journal may write."""
        return self._kept.info._replace(epoch=self._epoch)

    @property
    def is_current(self) -> bool:
        """Whether this journal still holds the run."""
        return self._kept.info.alive and self._kept.info.epoch == self._epoch

    def append(self, event: Event) -> None:
        """Add an event that rides with the next commit; order is kept, nothing is waited for."""
        self._seq += 1
        self._engine.ride(self, event._replace(seq=self._seq), None)

    def commit(self, event: Event) -> Future[None]:
        """Add an event and return something that completes when it, and all before it, is stored.

        Raises (when awaited):
            StaleOwner: The run was leased again, or the lease was given back.
        """
        self._seq += 1
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._engine.ride(self, event._replace(seq=self._seq), stored)
        return stored

    def store(self, event: Event) -> None:
        """Make an event part of the run; called by the engine at the end of a turn."""
        self._kept.events.append(event)
        self._kept.info = projected(self._kept.info, event)

    async def settled(self, scope: str) -> Sequence[Stored]:
        """Return the events of one scope that a resume needs, in order."""
        return _decoded(self._needed(scope))

    async def last(self, scope: str, count: int) -> Sequence[Stored]:
        """Return the last `count` of the events that `settled` would return, in order."""
        found = self._needed(scope)
        return _decoded(found[len(found) - min(count, len(found)) :])

    def _needed(self, scope: str) -> list[Event]:
        return [e for e in self._kept.events if e.scope == scope and e.kind > LAST_PASSING]

    async def messages(self, skip: Collection[str] = ()) -> Sequence[Message]:
        """Return what has come into the mailbox of the run and was not taken yet, in order."""
        mail, out = self._kept.mail, {*self._kept.taken, *skip}
        return [message for message in mail.values() if message.id not in out]

    def take(self, message: Message, event: Event) -> Awaitable[None]:
        """Record a message as an event, once only, and remove it from the mailbox.

        Raises (when awaited):
            StaleOwner: The run was leased again, or the lease was given back.
        """
        if message.id in self._kept.taken:
            return self._engine.flushed()
        self._kept.taken[message.id] = self._seq + 1
        return self.commit(event)

    async def close(self) -> None:
        """Wait until everything is stored and give the lease back."""
        await self._engine.flushed()
        if self.is_current:
            self._kept.info = self._kept.info._replace(alive=False)


class MemoryReader:
    """The events of one run, for those who only look."""

    def __init__(self, kept: _Kept) -> None:
        """Look at one run."""
        self._kept = kept

    def info(self) -> RunInfo:
        """Return the run as it stands now."""
        return self._kept.info

    def events(self, after: int = 0, limit: int = 1000) -> Sequence[Stored]:
        """Return stored events with a sequence number above `after`, oldest first."""
        return _decoded(self._kept.events[after : after + limit])

    def scope(self, scope: str, limit: int = 1000) -> Sequence[Stored]:
        """Return the last events of one scope of every kind, oldest first."""
        found = [event for event in self._kept.events if event.scope == scope]
        return _decoded(found[len(found) - min(limit, len(found)) :])

    def run_events(self) -> Sequence[Stored]:
        """Return the events of the run as a whole, oldest first."""
        return _decoded([e for e in self._kept.events if e.scope == RUN and e.kind >= RUN_STARTED])

    def last_seq(self) -> int:
        """Return the sequence number of the last event."""
        return len(self._kept.events)

    def step(self, path: str) -> Sequence[Stored]:
        """Return the events of one step or scope, oldest first."""
        return _decoded([e for e in self._kept.events if e.path == path])

    def ended(self, scope: str) -> int:
        """Return how many children of a scope have an end on record."""
        return len(
            {e.name for e in self._kept.events if e.scope == scope and e.kind in STEP_ENDS | SCOPE_ENDS}
        )

    def failures(self, limit: int = 1000) -> Sequence[Stored]:
        """Return the last ends of steps and scopes that failed or were cancelled, oldest first."""
        found = [event for event in self._kept.events if event.kind in FAILURES]
        return _decoded(found[len(found) - min(limit, len(found)) :])

    def close(self) -> None:
        """There is nothing to let go of."""


class MemoryEngine:
    """Keeps runs as long as the object lives; after `close` it may be used again, also on another loop."""

    def __init__(self) -> None:
        """Begin without runs."""
        self._runs: dict[str, _Kept] = {}
        self._pending: list[tuple[MemoryJournal, Event, asyncio.Future[None] | None]] = []
        self._listeners: dict[int, Listener] = {}
        self._on_mail: dict[int, tuple[str, Callable[[], None]]] = {}
        self._count = 0

    async def create(self, info: RunInfo, first: Event) -> MemoryJournal:
        """Store a new run with its first event and take its lease.

        Raises:
            EngineError: The run exists.
        """
        if info.id in self._runs:
            raise EngineError(f"there is a run with the id `{info.id}` already", fix="draw another id")
        born = info._replace(epoch=1, end=None, changed=first.at, alive=True, waiting="")
        self._runs[info.id] = _Kept(born)
        journal = MemoryJournal(self, self._runs[info.id])
        await journal.commit(first)
        return journal

    async def lease(self, run_id: str) -> MemoryJournal:
        """Take the lease of a run; its epoch grows by one.

        Raises:
            RunNotFound: No such run.
            RunInUse: Another journal holds it.
        """
        kept = self._found(run_id)
        if kept.info.alive:
            fix = "watch it, or end what executes it and try again"
            raise RunInUse(f"run {run_id} is being executed by this process", fix=fix, run=run_id)
        kept.info = kept.info._replace(epoch=kept.info.epoch + 1, alive=True)
        return MemoryJournal(self, kept)

    def runs(self) -> Sequence[RunInfo]:
        """Return all runs, oldest first."""
        return sorted((kept.info for kept in self._runs.values()), key=lambda info: (info.created, info.id))

    def read(self, run_id: str) -> MemoryReader:
        """Return a reader of one run.

        Raises:
            RunNotFound: No such run.
        """
        return MemoryReader(self._found(run_id))

    def post(self, run_id: str, message: Message) -> None:
        """Put a message into the mailbox of a run.

        Raises:
            RunNotFound: No such run.
        """
        kept = self._found(run_id)
        kept.mail.setdefault(message.id, message)
        kept.posted.setdefault(message.id, len(kept.events))
        for listened, listener in list(self._on_mail.values()):
            if listened == run_id:
                listener()

    def mail_after(self, run_id: str, events: int) -> list[Message]:
        """Return what lay in the mailbox of a run when so many events of it were stored.

        Raises:
            RunNotFound: No such run.
        """
        kept = self._found(run_id)
        known = [message for message in kept.mail.values() if kept.posted[message.id] <= events]
        return [message for message in known if kept.taken.get(message.id, events + 1) > events]

    def on_mail(self, run_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when the run has mail, also when it has some now; returns how to stop it."""
        self._count += 1
        number = self._count
        self._on_mail[number] = (run_id, listener)
        kept = self._runs.get(run_id)
        if kept is not None and kept.mail.keys() - kept.taken.keys():
            asyncio.get_running_loop().call_soon(listener)
        return lambda: self._forget(self._on_mail, number)

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(run id, events)` for what is stored from now on; returns how to stop it."""
        self._count += 1
        number = self._count
        self._listeners[number] = listener
        return lambda: self._forget(self._listeners, number)

    async def close(self) -> None:
        """Store what waits and give all leases back."""
        self._flush()
        self._on_mail.clear()
        self._let_go()

    def crash(self) -> None:
        """Lose what is not committed and all leases, as a killed process does; who waits is turned away."""
        pending, self._pending = self._pending, []
        self._on_mail.clear()
        self._let_go()
        for journal, _, waiter in pending:
            _turn_away(waiter, journal.info.id)

    def ride(self, journal: MemoryJournal, event: Event, waiter: asyncio.Future[None] | None) -> None:
        """Have an event stored at the end of this turn of the loop."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.append((journal, event, waiter))

    def flushed(self) -> Awaitable[None]:
        """Store what waits and return something that is complete."""
        self._flush()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        stored: list[tuple[str, Event]] = []
        for journal, event, waiter in pending:
            if not journal.is_current:
                _turn_away(waiter, journal.info.id)
                continue
            journal.store(event)
            stored.append((journal.info.id, event))
            if waiter is not None and not waiter.done():
                waiter.set_result(None)
        for run_id, event in stored if self._listeners else []:
            for listener in list(self._listeners.values()):
                listener(run_id, [event])

    def _found(self, run_id: str) -> _Kept:
        if run_id not in self._runs:
            raise RunNotFound(f"no run has the id `{run_id}`", fix="list the runs and take one of them")
        return self._runs[run_id]

    def _let_go(self) -> None:
        for kept in self._runs.values():
            kept.info = kept.info._replace(alive=False)

    @staticmethod
    def _forget(listeners: dict[int, Any], number: int) -> None:
        listeners.pop(number, None)


def _turn_away(waiter: asyncio.Future[None] | None, run_id: str) -> None:
    if waiter is not None and not waiter.done():
        message = f"run {run_id} is no longer held by this journal"
        waiter.set_exception(StaleOwner(message, fix="look at the run; resume it if it is not going on"))

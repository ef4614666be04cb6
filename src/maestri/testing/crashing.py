"""An engine that is killed at a chosen event, and journals cut off where one likes.

Rule 1: after the crash nothing more reaches the journal, whatever the dying run still tries to write.
Rule 2: only the ports are used, so that every engine can be crashed the same way.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Literal

from maestri.kernel import codec
from maestri.kernel.events import Event, Stored
from maestri.kernel.ports import Engine, Journal, Message, Reader, RunInfo


class Crash(BaseException):
    """The process is gone. Not an `Exception`, so that no workflow can go on after it."""


class CrashingJournal:
    """A journal that takes a number of events and then raises `Crash` for ever.

    With `after`, the crash comes when the last of them is in; with `before`, when the next one is to be
    written, which is after whatever was done in between.
    """

    def __init__(self, inner: Journal, events: int, when: Literal["before", "after"] = "after") -> None:
        """Pass the first `events` events on to `inner`."""
        self._inner = inner
        self._left = events
        self._when = when
        self.is_crashed = False

    @property
    def info(self) -> RunInfo:
        """The run of the journal below."""
        return self._inner.info

    def append(self, event: Event) -> None:
        """Add an event.

        Raises:
            Crash: It is time.
        """
        self._check()
        self._inner.append(event)
        self._count()

    def commit(self, event: Event) -> Future[None]:
        """Add an event and return what completes when it is stored.

        Raises:
            Crash: It is time.
        """
        self._check()
        stored = self._inner.commit(event)
        self._count()
        return stored

    def take(self, message: Message, event: Event) -> Awaitable[None]:
        """Record a message as an event.

        Raises:
            Crash: It is time.
        """
        self._check()
        stored = self._inner.take(message, event)
        self._count()
        return stored

    async def settled(self, scope: str) -> Sequence[Stored]:
        """Return what the journal below returns."""
        return await self._inner.settled(scope)

    async def last(self, scope: str, count: int) -> Sequence[Stored]:
        """Return what the journal below returns."""
        return await self._inner.last(scope, count)

    async def messages(self, skip: Collection[str] = ()) -> Sequence[Message]:
        """Return what the journal below returns."""
        return await self._inner.messages(skip)

    async def close(self) -> None:
        """Close the journal below, so that the run can be leased again; what it had taken is stored."""
        await self._inner.close()

    def _check(self) -> None:
        if self.is_crashed or self._left <= 0:
            self.is_crashed = True
            raise Crash

    def _count(self) -> None:
        self._left -= 1
        if self._left <= 0 and self._when == "after":
            self.is_crashed = True
            raise Crash


class CrashingEngine:
    """An engine whose next journals crash: see `CrashingJournal`. The first event of a run is not counted."""

    def __init__(self, inner: Engine, events: int, when: Literal["before", "after"] = "after") -> None:
        """Crash each run after `events` events."""
        self._inner = inner
        self._events = events
        self._when = when

    async def create(self, info: RunInfo, first: Event) -> Journal:
        """Store a new run with its first event and take its lease."""
        return CrashingJournal(await self._inner.create(info, first), self._events, self._when)

    async def lease(self, run_id: str) -> Journal:
        """Take the lease of a run."""
        return CrashingJournal(await self._inner.lease(run_id), self._events, self._when)

    def runs(self) -> Sequence[RunInfo]:
        """Return all runs, oldest first."""
        return self._inner.runs()

    def read(self, run_id: str) -> Reader:
        """Return a reader of one run."""
        return self._inner.read(run_id)

    def post(self, run_id: str, message: Message) -> None:
        """Put a message into the mailbox of a run."""
        self._inner.post(run_id, message)

    def watch(self, listener: Callable[[str, Sequence[Event]], None]) -> Callable[[], None]:
        """Call a listener for what is stored."""
        return self._inner.watch(listener)

    def on_mail(self, run_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a listener when mail comes in."""
        return self._inner.on_mail(run_id, listener)

    async def close(self) -> None:
        """Close the engine below."""
        await self._inner.close()


async def copy_run(events: Sequence[Stored], info: RunInfo, engine: Engine) -> None:
    """Make a run in an engine that has these events and is executed by nobody: what a crash leaves behind.

    Args:
        events: The events of a run from its first on, as a `Reader` gives them.
        info: The run; the engine must not have one of this id.
        engine: Where it is made.
    """
    first, *others = [_as_event(event) for event in events]
    journal = await engine.create(info, first)
    for event in others:
        journal.append(event)
    await journal.close()


def _as_event(event: Stored) -> Event:
    body: dict[str, Any] = event.body
    return Event(event.kind, event.scope, event.name, event.at, event.digest, codec.encode(body))

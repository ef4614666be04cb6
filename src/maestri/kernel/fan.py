"""Children of one scope that run at once, each in an asyncio task and a scope of its own.

Rule 1: names are claimed in the order of `start` and `feed`, never in the order of completion.
Rule 2: when the fan is left, none of its children is running.
Rule 3: with a limit, waiting children are entries of an iterator, not asyncio tasks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from maestri.errors import EngineError, ReplayError, RunError
from maestri.kernel.body import Body
from maestri.kernel.context import Context
from maestri.kernel.path import split_segment


class Settled(NamedTuple):
    """A child that has ended: its value or its error. `number` is its use of the name, from 1."""

    name: str
    number: int
    value: Any
    error: RunError | None


class Entry(NamedTuple):
    """A child to start when there is room: its name, its number (an item's index, from 1) and its body."""

    name: str
    number: int
    body: Body[Any]


class Fan:
    """Starts children and gives them back as they end: `async with Fan(ctx) as fan: async for s in fan`.

    Leaving the block cancels what still runs and waits until it is gone.
    """

    def __init__(self, ctx: Context, max_concurrent: int | None = None, *, needs_all: bool = False) -> None:
        """Children run in `ctx`, at most `max_concurrent` at once; `needs_all`: no failure is accepted."""
        self._ctx = ctx
        self._needs_all = needs_all
        self._failures: list[RunError] = []
        self._limit = max_concurrent or None
        self._queue: deque[tuple[str, Body[Any]]] = deque()
        self._source: Iterator[Entry] | None = None
        self._running: dict[asyncio.Task[Any], str] = {}
        self._done: deque[asyncio.Task[Any]] = deque()
        self._segments: dict[asyncio.Task[Any], str] = {}
        self._wake: asyncio.Future[None] | None = None
        self._stopped = False
        self.unseen: list[RunError] = []  # failures of children that ended when nobody asked any more

    async def __aenter__(self) -> Self:
        """Return the fan."""
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Cancel what still runs and wait until it is gone.

        An error of the engine or of the replay passes through: no cancellation may take its place.
        """
        if self._needs_all and isinstance(error, asyncio.CancelledError):
            # These failures were taken in, but what was to be made of them is cancelled.
            self._ctx.core.unheard.extend(origin for one in self._failures for origin in one.origins)
        try:
            await self.cancel()
        except asyncio.CancelledError:
            if not isinstance(error, EngineError | ReplayError):
                raise

    def start(self, name: str, body: Body[Any], number: int | None = None) -> None:
        """Claim a name and start its body, or keep it until there is room."""
        segment = self._ctx.claim(name, number)
        if self._limit is None or len(self._running) < self._limit:
            self._begin(segment, body)
        else:
            self._queue.append((segment, body))

    def feed(self, source: Iterator[Entry]) -> None:
        """Start children from an iterator, each when there is room for it."""
        self._source = source
        self._refill()

    def __aiter__(self) -> Fan:
        """Return itself: each child is given back once."""
        return self

    async def __anext__(self) -> Settled:
        """Return the next child that has ended.

        Raises:
            StopAsyncIteration: All children have ended.
        """
        while not self._done:
            if not self._running or self._stopped:
                raise StopAsyncIteration
            await self._wait()
        return self._settle(self._done.popleft())

    def stop(self) -> None:
        """Give back nothing more than what has ended by now; what runs is cancelled when the fan is left."""
        self._stopped = True
        self._queue.clear()
        self._source = None
        self._awaken()

    async def cancel(self) -> None:
        """Cancel what still runs, forget what waits, and return when nothing is left.

        A cancellation that arrives meanwhile is passed on afterwards: cleaning up comes first.
        """
        self._queue.clear()
        self._source = None
        self._ctx.core.stopped.update(self._running)
        for task in self._running:
            task.cancel()
        outer: asyncio.CancelledError | None = None
        while self._running:
            try:
                await self._wait()
            except asyncio.CancelledError as error:
                outer = error
        broken = self._discard()
        if broken is not None:
            raise broken
        if outer is not None:
            raise outer

    def _begin(self, segment: str, body: Body[Any]) -> None:
        ctx = self._ctx
        task = asyncio.get_running_loop().create_task(ctx.enter_body(segment, body))
        self._running[task] = segment
        ctx.core.waits.tasks += 1
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._ctx.core.waits.tasks -= 1
        self._ctx.core.stopped.discard(task)
        self._segments[task] = self._running.pop(task)
        self._done.append(task)
        if self._queue:
            self._begin(*self._queue.popleft())
        elif self._source is not None:
            self._refill()
        self._awaken()

    def _awaken(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _refill(self) -> None:
        source = self._source
        while source is not None and (self._limit is None or len(self._running) < self._limit):
            entry = next(source, None)
            if entry is None:
                self._source = source = None
            else:
                self._begin(self._ctx.claim(entry.name, entry.number), entry.body)

    async def _wait(self) -> None:
        """Wait until a child ends; while it does, this asyncio task counts as one that only waits."""
        self._wake = asyncio.get_running_loop().create_future()
        waits = self._ctx.core.waits
        waits.enter()
        try:
            await self._wake
        finally:
            waits.leave()
            self._wake = None

    def _settle(self, task: asyncio.Task[Any]) -> Settled:
        name, number = split_segment(self._segments.pop(task))
        if task.cancelled():
            raise asyncio.CancelledError
        error = task.exception()
        if error is None:
            return Settled(name, number, task.result(), None)
        if isinstance(error, RunError):
            self._failures.append(error)
            return Settled(name, number, None, error)
        raise error

    def _discard(self) -> BaseException | None:
        """Look at every error once: asyncio would report it, and a resume must reopen what failed too.

        What is no failure of the work (the engine, the replay) is returned: it must not be lost.
        """
        broken: BaseException | None = None
        for task in self._done:
            self._segments.pop(task, None)
            error = None if task.cancelled() else task.exception()
            if isinstance(error, RunError):
                self.unseen.append(error)
                self._ctx.core.unheard.extend(error.origins)
            else:
                broken = broken or error
        self._done.clear()
        return broken

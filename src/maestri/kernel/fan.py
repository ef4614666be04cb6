"""Children of one scope that run at once, each in an asyncio task and a scope of its own.

Rule 1: names are claimed in the order of `start` and `feed`, never in the order of completion.
Rule 2: when the fan is left, none of its children is running.
Rule 3: with a limit, waiting children are entries of an iterator, not asyncio tasks.
Rule 4: a child says itself that it has ended, in its last moment; a callback would cost another loop turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextvars import copy_context
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate
from typing import Any, Self

from maestri.errors import EngineError, ReplayError, RunError
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.kernel.inline import Ended, Inline
from maestri.kernel.path import split_segment
from maestri.records import NamedTuple


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
        ctx.own()
        self._ctx = ctx
        self._core = ctx.core
        self._needs_all = needs_all
        self._failures: list[RunError] = []
        self._limit = max_concurrent or None
        self._queue: deque[tuple[str, Body[Any]]] = deque()
        self._source: Iterator[Entry] | None = None
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()  # a child does not see what another has set
        self._running: dict[str, asyncio.Task[None]] = {}  # by their segments
        self._inline = Inline(ctx, self._end, self._running.__setitem__, self._begin_alone)
        self._done: deque[Ended] = deque()
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
            self._core.unheard.extend(origin for one in self._failures for origin in one.origins)
        try:
            await self.cancel()
        except asyncio.CancelledError:
            if not isinstance(error, EngineError | ReplayError):
                raise

    def start(self, name: str, body: Body[Any], number: int | None = None) -> None:
        """Claim a name and start its body, or keep it until there is room."""
        segment = self._ctx.claim(name, number)
        if self._has_room():
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
            if not (self._running or self._inline.count) or self._stopped:
                raise StopAsyncIteration
            await self._wait()
        segment, value, error = self._done.popleft()
        if error is None:
            name, _, number = segment.partition("#")
            return Settled(name, int(number or 1), value, None)
        if not isinstance(error, RunError):
            raise error
        self._failures.append(error)
        return Settled(*split_segment(segment), None, error)

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
        self._core.waits.tasks -= self._inline.close()
        if self._running:
            self._core.stop_children(self._running.values())
        for segment, task in list(self._running.items()):
            task.cancel()
            body: Any = task.get_coro()
            if task.done() or getcoroutinestate(body) == CORO_CREATED:
                # It had not begun to run and never will, and so says nothing.
                task.add_done_callback(partial(self._never_begun, segment))
        outer: asyncio.CancelledError | None = None
        while self._running or self._inline.count:
            try:
                await self._wait()
            except asyncio.CancelledError as error:
                outer = error
        broken = self._discard()
        if broken is not None:
            raise broken
        if outer is not None:
            raise outer

    def _has_room(self) -> bool:
        return self._limit is None or len(self._running) + self._inline.count < self._limit

    def _begin(self, segment: str, body: Body[Any]) -> None:
        self._core.waits.tasks += 1
        if self._inline.is_open and isinstance(body, OneStep):
            self._inline.add(segment, body)
        else:
            self._begin_alone(segment, body)

    def _begin_alone(self, segment: str, body: Body[Any]) -> None:
        child = self._child(segment, body)
        self._running[segment] = self._loop.create_task(child, context=self._context.copy())

    async def _child(self, segment: str, body: Body[Any]) -> None:
        """Run a body to its end and say how it ended; errors are raised where the children are waited for."""
        try:
            value = await self._ctx.enter_body(segment, body)
        except GeneratorExit:  # the loop has ended
            raise
        except BaseException as error:
            self._end(((segment, None, error),))
            if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
                raise  # asyncio wants to hear of these
        else:
            self._end(((segment, value, None),))

    def _end(self, ended: Sequence[Ended]) -> None:
        """Take in how some children have ended."""
        self._done.extend(ended)
        for segment, _, _ in ended:
            self._gone(segment)
        self._fill()

    def _never_begun(self, segment: str, _task: asyncio.Task[None]) -> None:
        self._gone(segment)
        self._awaken()

    def _gone(self, segment: str) -> None:
        self._core.waits.tasks -= 1
        task = self._running.pop(segment, None)
        if task is not None:
            self._core.forget_child(task)

    def _fill(self) -> None:
        """Begin what there is room for now, and let whoever waits for children look at them."""
        while self._queue and self._has_room():
            self._begin(*self._queue.popleft())
        if self._source is not None:
            self._refill()
        self._awaken()

    def _awaken(self) -> None:
        if self._wake is not None:
            wake, self._wake = self._wake, None
            self._core.waits.leave()  # from here on it goes on, although it has not had its turn yet
            if not wake.done():
                wake.set_result(None)

    def _refill(self) -> None:
        source = self._source
        while source is not None and self._has_room():
            entry = next(source, None)
            if entry is None:
                self._source = source = None
            else:
                self._begin(self._ctx.claim(entry.name, entry.number), entry.body)

    async def _wait(self) -> None:
        """Wait until a child ends; while it does, this asyncio task counts as one that only waits."""
        self._wake = wake = self._loop.create_future()
        self._core.waits.enter()
        try:
            await wake
        finally:
            if self._wake is not None:
                self._wake = None
                self._core.waits.leave()

    def _discard(self) -> BaseException | None:
        """Look at every error once: a resume must reopen what failed when nobody asked any more.

        What is no failure of the work (the engine, the replay) is returned: it must not be lost.
        """
        broken: BaseException | None = None
        for _, _, error in self._done:
            if isinstance(error, RunError):
                self.unseen.append(error)
                self._core.unheard.extend(error.origins)
            elif not isinstance(error, asyncio.CancelledError):
                broken = broken or error
        self._done.clear()
        return broken

"""Two clocks behind one port: the system's, and a virtual one for tests and forecasts."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count

from maestri.kernel.ports import Timer


class SystemClock:
    """The wall clock for dates; the event loop's clock, which no one can set back, for delays."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call back on the event loop after a delay."""
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        await asyncio.sleep(delay_s)


class _VirtualTimer:
    __slots__ = ("callback", "cancelled")

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock:
    """A clock that stands still until someone moves it, or jumps by itself when everybody waits.

    With `autojump`, time goes to the next timer as soon as the event loop has had `IDLE_TURNS` turns in
    which nothing else happened; a test of a day's wait then takes no time.
    """

    IDLE_TURNS = 20

    def __init__(self, start: float = 1_000_000_000.0, *, autojump: bool = True) -> None:
        """Begin at a time in seconds since 1970."""
        self._now = start
        self._autojump = autojump
        self._timers: list[tuple[float, int, _VirtualTimer]] = []
        self._order = count()
        self._watched_by: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """Return the virtual seconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Return the virtual seconds, which only grow."""
        return self._now

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call back when virtual time has gone on by a delay."""
        timer = _VirtualTimer(callback)
        loop = asyncio.get_running_loop()
        if self._watched_by is not None and self._watched_by.is_closed():
            self._timers.clear()  # they belong to a loop that has ended
            self._watched_by = None
        heapq.heappush(self._timers, (self._now + max(0.0, delay_s), next(self._order), timer))
        if self._autojump and self._watched_by is None:
            self._watched_by = loop
            loop.call_soon(self._watch, self.IDLE_TURNS)
        return timer

    async def sleep(self, delay_s: float) -> None:
        """Wait for virtual time to pass."""
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not due.done():
                due.set_result(None)

        timer = self.call_later(delay_s, wake)
        try:
            await due
        finally:
            timer.cancel()

    def jump(self, delay_s: float) -> None:
        """Move time on and call what has become due, in the order of the due times."""
        until = self._now + delay_s
        while self._timers and self._timers[0][0] <= until:
            due, _, timer = heapq.heappop(self._timers)
            self._now = max(self._now, due)
            if not timer.cancelled:
                timer.callback()
        self._now = until

    def _watch(self, turns: int) -> None:
        """Count loop turns; when enough have passed, jump to the next timer."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        if not self._timers:
            self._watched_by = None
            return
        if turns > 0:
            asyncio.get_running_loop().call_soon(self._watch, turns - 1)
            return
        self.jump(max(0.0, self._timers[0][0] - self._now))
        asyncio.get_running_loop().call_soon(self._watch, self.IDLE_TURNS)

"""Hears that mail has come, from this process or another.

Rule 1: nothing is looked at while nobody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from maestri.engines.sqlite import mailbox
from maestri.engines.statedir import StateDir


class Bell:
    """Calls listeners whose run has mail; used from one event loop."""

    def __init__(self, state: StateDir, every_s: float) -> None:
        """Look every so many seconds while somebody listens."""
        self._state = state
        self._every_s = every_s
        self._listeners: dict[tuple[str, int], Callable[[], None]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._seen = 0

    def listen(self, run_id: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when the run has mail, also when it has some now; returns how to stop."""
        self._count += 1
        key = (run_id, self._count)
        self._listeners[key] = callback
        if self._timer is None:
            self._seen = mailbox.bell_at(self._state)
            self._wait()
        asyncio.get_running_loop().call_soon(self._call, key)
        return lambda: self._leave(key)

    def heard(self, run_id: str) -> None:
        """Say that this process itself has put mail into a run's mailbox."""
        for key in [key for key in self._listeners if key[0] == run_id]:
            self._call(key)

    def close(self) -> None:
        """Stop listening for everybody."""
        self._listeners.clear()
        self._rest()

    def _leave(self, key: tuple[str, int]) -> None:
        self._listeners.pop(key, None)
        if not self._listeners:
            self._rest()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._look)

    def _look(self) -> None:
        self._wait()
        at = mailbox.bell_at(self._state)
        if at != self._seen:
            self._seen = at
            for key in list(self._listeners):
                self._call(key)

    def _call(self, key: tuple[str, int]) -> None:
        callback = self._listeners.get(key)
        if callback is not None and mailbox.names(self._state, key[0]):
            callback()

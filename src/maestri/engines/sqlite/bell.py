"""Hears that mail has come, from this process or another.

Rule 1: nothing is looked at while nobody listens.
Rule 2: what a look costs does not grow with the number of those who listen: the bell says who has mail. A
name that the bell has lost, because it was begun anew, is found by looking at a few mailboxes in turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from maestri.engines.sqlite import mailbox
from maestri.engines.statedir import StateDir

_IN_TURN: Final = 2  # mailboxes that are looked at without a reason


class Bell:
    """Calls listeners whose run has mail; used from one event loop."""

    def __init__(self, state: StateDir, every_s: float) -> None:
        """Look every so many seconds while somebody listens."""
        self._state = state
        self._every_s = every_s
        self._listeners: dict[str, tuple[Callable[[], None], ...]] = {}  # small: there may be many
        self._timer: asyncio.TimerHandle | None = None
        self._seen = 0
        self._turn: list[str] = []

    def listen(self, run_id: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when the run has mail, also when it has some now; returns how to stop."""
        self._listeners[run_id] = (*self._listeners.get(run_id, ()), callback)
        if self._timer is None:
            self._seen = mailbox.bell_at(self._state)
            self._wait()
        asyncio.get_running_loop().call_soon(self._call, run_id, callback)
        return lambda: self._leave(run_id, callback)

    def heard(self, run_id: str) -> None:
        """Say that this process itself has put mail into a run's mailbox."""
        for callback in self._listeners.get(run_id, ()):
            self._call(run_id, callback)

    def close(self) -> None:
        """Stop listening for everybody."""
        self._listeners.clear()
        self._rest()

    def _leave(self, run_id: str, callback: Callable[[], None]) -> None:
        others = tuple(one for one in self._listeners.pop(run_id, ()) if one is not callback)
        if others:
            self._listeners[run_id] = others
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
        self._seen, named = mailbox.rung(self._state, self._seen)
        wanted: Iterable[str] = list(self._listeners) if named is None else named | self._next()
        for run_id in wanted:
            self.heard(run_id)

    def _next(self) -> set[str]:
        """Return those whose turn it is."""
        if not self._turn:
            self._turn = list(self._listeners)
        return {self._turn.pop() for _ in range(min(_IN_TURN, len(self._turn)))}

    def _call(self, run_id: str, callback: Callable[[], None]) -> None:
        is_listening = any(one is callback for one in self._listeners.get(run_id, ()))
        if is_listening and mailbox.may_have_mail(self._state, run_id):
            callback()

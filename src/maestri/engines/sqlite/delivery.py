"""Tells those who wait, and those who watch, what became of a transaction.

Rule 1: called on the event loop, once per transaction, in the order of the transactions.
Rule 2: a watcher that fails harms nobody else.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from maestri.engines.sqlite.batch import Item, Lease, Operation
from maestri.errors import MaestriError
from maestri.kernel.events import Event

Listener: TypeAlias = Callable[[str, Sequence[Event]], None]


class Delivery:
    """Resolves futures and calls listeners."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self._listeners: dict[int, Listener] = {}
        self._count = 0

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Call a listener for everything that is stored from now on; returns how to stop it."""
        self._count += 1
        number = self._count
        self._listeners[number] = listener

        def stop() -> None:
            self._listeners.pop(number, None)

        return stop

    def deliver(
        self, items: list[Item], refused: dict[Lease, MaestriError], error: MaestriError | None
    ) -> None:
        """Resolve whoever waits for one of the items, then show what was stored to the listeners."""
        for item in items:
            if isinstance(item, Operation):
                _resolve(item.done, error or item.error, item.result)
            elif (waiter := item[3]) is not None:
                if error is not None or refused:
                    _resolve(waiter, error or refused.get(item[0]), None)
                elif not waiter.done():
                    waiter.set_result(None)
        if self._listeners and error is None:
            self._show(items, refused)

    def _show(self, items: list[Item], refused: dict[Lease, MaestriError]) -> None:
        current: Lease | None = None
        events: list[Event] = []
        for item in items:
            if isinstance(item, Operation) or item[0] in refused:
                continue
            if item[0] is not current:
                self._call(current, events)
                current, events = item[0], []
            events.append(item[2]._replace(seq=item[1]))
        self._call(current, events)

    def _call(self, lease: Lease | None, events: list[Event]) -> None:
        if lease is None:
            return
        for listener in list(self._listeners.values()):
            try:
                listener(lease.info.id, events)
            except Exception as error:  # noqa: BLE001
                words = {"message": "a listener of the journal failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(words)


def _resolve(waiter: Future[Any] | None, error: MaestriError | None, result: Any) -> None:
    if waiter is None or waiter.done():  # given up by whoever waited
        return
    if error is not None:
        waiter.set_exception(error)
    else:
        waiter.set_result(result)

"""What this turn of the event loop wants stored, handed to the writer at its end.

Rule 1: one hand-over per turn: a fan of any size is one transaction.
"""

from __future__ import annotations

import asyncio
import sqlite3
from asyncio import Future
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from maestri.engines.sqlite.batch import Item, Operation, stale
from maestri.engines.sqlite.writer import Writer

T = TypeVar("T")


class Outbox:
    """Collects items on the event loop until the turn ends."""

    def __init__(self, writer: Writer) -> None:
        """Collect for one writer, on the running loop."""
        self.loop = asyncio.get_running_loop()
        self.promise: Callable[[], Future[Any]] = partial(Future, loop=self.loop)  # without a call of Python
        self._writer: Writer | None = writer
        self._items: list[Item] = []

    @property
    def is_closed(self) -> bool:
        """Whether everything was handed over, and nothing is taken any more."""
        return self._writer is None

    def add(self, item: Item) -> None:
        """Have one more item stored, after all before it."""
        if not self._items:
            self.loop.call_soon(self.flush)
        self._items.append(item)

    def do(
        self,
        act: Callable[[sqlite3.Connection], T],
        *,
        reads: bool = False,
        is_single: bool = False,
        is_last: bool = False,
        is_light: bool = False,
    ) -> asyncio.Future[T]:
        """Have something done in a transaction and return its result to come; see `Operation`."""
        done: asyncio.Future[T] = self.loop.create_future()
        self.add(Operation(act, done, reads=reads, is_single=is_single, is_last=is_last, is_light=is_light))
        return done

    def flush(self) -> None:
        """Hand over what there is."""
        items, self._items = self._items, []
        if not items:
            return
        if self._writer is not None:
            self._writer.put(items)
            return
        for item in items:
            _turn_away(item)

    async def close(self) -> None:
        """Hand over what there is, and have the writer store it and end."""
        self.flush()
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()


def _turn_away(item: Item) -> None:
    waiter: asyncio.Future[Any] | None = item.done if isinstance(item, Operation) else item[3]
    if waiter is not None and not waiter.done():
        waiter.set_exception(stale("" if isinstance(item, Operation) else item[0].info.id))

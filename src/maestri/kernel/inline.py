"""Children of a fan that are one step each and do not wait: one asyncio task runs any number of them.

Rule 1: a child that waits keeps the asyncio task that it began in; those behind it get one each.
Rule 2: a child that does not wait has ended when its record is stored, and until then cannot be cancelled. No
code of anybody runs in between: only a body that is nothing but the call of a verb ends like this.
Rule 3: a child sees nothing of what another has set: the first one that sets a context variable is the last
one of its asyncio task.
"""

from __future__ import annotations

import asyncio
from asyncio import Future, Task
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context as Variables
from contextvars import copy_context
from functools import partial
from typing import Any, TypeAlias

from maestri.kernel.body import OneStep
from maestri.kernel.context import Context

Ended: TypeAlias = tuple[str, Any, BaseException | None]  # a segment, its value, its error


class Inline:
    """Runs children in turn, and gives back those that cannot be run so."""

    def __init__(
        self,
        ctx: Context,
        ended: Callable[[Sequence[Ended]], None],
        keep: Callable[[str, Task[None]], None],
        begin: Callable[[str, OneStep[Any]], None],
    ) -> None:
        """Run children of `ctx`.

        Args:
            ctx: The scope of the fan.
            ended: Is told of children that have ended.
            keep: Is told of a child that waits, and goes on in an asyncio task that is its own from then on.
            begin: Begins a child in an asyncio task of its own.
        """
        self._ctx = ctx
        self._told_ended = ended
        self._keep = keep
        self._begin = begin
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._fresh: deque[tuple[str, OneStep[Any]]] = deque()
        self._task: Task[None] | None = None  # the one that runs children in this turn of the loop
        self._turn = 0
        self._begun = ""  # the segment of the child that it runs now
        self._stored: Future[None] | None = None  # what completes when the record of that child is stored
        self._storing: list[tuple[str, Any, Future[None]]] = []
        self.is_open = True  # no child has waited so far
        self.count = 0  # those under way here, until their records are stored

    def add(self, segment: str, body: OneStep[Any]) -> None:
        """Run a child in the next turn of the loop."""
        self.count += 1
        self._fresh.append((segment, body))
        if self._task is None:
            self._task = self._loop.create_task(self._run(), context=self._context.copy())
            self._loop.call_soon(self._end_turn)

    def close(self) -> int:
        """Forget the children that have not begun; return how many they were."""
        dropped = len(self._fresh)
        self._fresh.clear()
        self.count -= dropped
        self._end_turn()
        return dropped

    async def _run(self) -> None:
        """Run one child after the other, until one of them waits."""
        turn, fresh = self._turn, self._fresh
        while fresh and turn == self._turn and _is_current(self._context):
            segment, body = fresh.popleft()
            self._begun = segment
            try:
                value = await self._ctx.enter_place(segment, body, self._handed_over)
            except GeneratorExit:  # the loop has ended
                raise
            except BaseException as error:
                self._end(turn, (segment, None, error))
                if isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
                    raise  # asyncio wants to hear of these
            else:
                self._end(turn, (segment, value, None))

    def _handed_over(self, stored: Future[None]) -> None:
        self._stored = stored

    def _end(self, turn: int, ended: Ended) -> None:
        """Take in that a child is done: it has ended, but for the moment until its record is stored."""
        if turn == self._turn:
            self._begun = ""
            if self._stored is not None:
                self._storing.append((ended[0], ended[1], self._stored))
                self._stored = None
                return
            self.count -= 1
        self._told_ended((ended,))

    def _end_turn(self) -> None:
        """Give those that have waited, or have not had their turn, asyncio tasks of their own."""
        task, self._task = self._task, None
        self._turn += 1
        if self._begun or self._fresh:
            self.is_open = False
        if self._begun and task is not None:
            self.count -= 1
            self._keep(self._begun, task)
            self._begun = ""
        while self._fresh:
            self.count -= 1
            self._begin(*self._fresh.popleft())
        if self._storing:
            # A journal stores in order: with the last one all are stored.
            batch, self._storing = self._storing, []
            batch[-1][2].add_done_callback(partial(self._are_stored, batch))

    def _are_stored(self, batch: list[tuple[str, Any, Future[None]]], last: Future[None]) -> None:
        self.count -= len(batch)
        error = last.exception()
        if error is None:
            self._told_ended([(segment, value, None) for segment, value, _ in batch])
            return
        for _, _, stored in batch:
            stored.exception()  # asyncio would report it as never looked at
        self._told_ended([(segment, None, error) for segment, _, _ in batch])


def _is_current(context: Variables) -> bool:
    """Tell whether no context variable has been set since `context` was copied."""
    try:
        return copy_context() == context  # at once, where both are still the same
    except Exception:  # noqa: BLE001 - values that cannot be compared are not the same
        return False

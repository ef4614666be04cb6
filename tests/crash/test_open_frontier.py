"""A resume reads what is open and not what is sealed: as much after a thousand rounds as after ten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.kernel.events import Stored
from maestri.kernel.ports import Journal
from maestri.patterns import each, loop, parallel
from maestri.testing.crashing import CrashingEngine, CrashingJournal
from maestri.testing.play import Stage
from tally import tally

NEVER = 1 << 60


class CountingJournal(CrashingJournal):
    """A journal that counts what is read from it."""

    def __init__(self, inner: Journal, read: list[int]) -> None:
        super().__init__(inner, NEVER)
        self._read = read

    async def settled(self, scope: str) -> Sequence[Stored]:
        found = await super().settled(scope)
        self._read.append(len(found))
        return found

    async def last(self, scope: str, count: int) -> Sequence[Stored]:
        found = await super().last(scope, count)
        self._read.append(len(found))
        return found


class CountingEngine(CrashingEngine):
    """An engine whose journals count together what is read from them."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.engine, NEVER)
        self.counts: list[int] = []

    async def lease(self, run_id: str) -> Journal:
        return CountingJournal(await self._inner.lease(run_id), self.counts)


async def turn(ctx: Context, number: int, _last: Any) -> Any:
    return await ctx.step("s", lambda: number)


async def item(ctx: Context, value: int, _index: int) -> Any:
    return await ctx.step("i", lambda: value)


async def closed_loop(ctx: Context, count: int, gate: Callable[[], Any]) -> Any:
    await loop(ctx, "l", turn, max_rounds=count, on_cap="accept")
    return await ctx.step("gate", gate)


async def open_loop(ctx: Context, count: int, gate: Callable[[], Any]) -> Any:
    async def until_the_last(c: Context, number: int, last: Any) -> Any:
        await turn(c, number, last)
        return await c.step("gate", gate) if number == count else number

    return await loop(ctx, "l", until_the_last, max_rounds=count, on_cap="accept")


async def closed_crowd(ctx: Context, count: int, gate: Callable[[], Any]) -> Any:
    await each(ctx, "e", list(range(count)), item)
    return await ctx.step("gate", gate)


async def closed_crowd_beside(ctx: Context, count: int, gate: Callable[[], Any]) -> Any:
    async def crowd(c: Context) -> Any:
        return len(await each(c, "e", list(range(count)), item))

    async def waits(c: Context) -> Any:
        return await c.step("gate", gate)

    branches: dict[str, Any] = {"crowd": crowd, "waits": waits}
    return await parallel(ctx, "p", branches, max_concurrent=1)


def read_by_a_resume(workflow: Any, count: int) -> int:
    """Return how many events are read when a run goes on that failed at its last step."""
    is_open: list[bool] = []

    def gate() -> str:
        if is_open:
            return "open"
        message = "closed"
        raise ValueError(message)

    stage = Stage(lambda ctx: workflow(ctx, count, gate))
    assert stage.play().status == "failed"
    is_open.append(True)
    stage.engine = engine = CountingEngine(stage)
    assert stage.resume().status == "succeeded"
    return sum(engine.counts)


@pytest.mark.parametrize("workflow", [closed_loop, open_loop, closed_crowd, closed_crowd_beside])
def test_a_resume_reads_the_open_frontier_and_not_the_history(workflow: Any) -> None:
    few, many = read_by_a_resume(workflow, 10), read_by_a_resume(workflow, 1_000)
    tally(f"events read by a resume, {workflow.__name__}", 1, after_10=few, after_1000=many)
    assert (few, many) == (few, few)
    assert few < 25

"""The loop of a simulation: time that jumps, an order that is drawn, workers that vanish."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from maestri.testing import SimulatedLoop
from maestri.testing.simulated_loop import Stuck, Worker


def run(work: Any, loop: SimulatedLoop | None = None) -> Any:
    loop = loop or SimulatedLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def order(seed: int) -> list[int]:
    seen: list[int] = []

    async def note(number: int) -> None:
        seen.append(number)

    async def all_at_once() -> None:
        await asyncio.gather(*(note(number) for number in range(8)))

    run(all_at_once(), SimulatedLoop(Random(seed)))
    return seen


def test_time_jumps_to_the_next_timer() -> None:
    loop = SimulatedLoop()
    run(asyncio.sleep(86_400.0), loop)
    assert loop.time() == 86_400.0


def test_a_seed_decides_which_task_goes_first() -> None:
    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(2)) == list(range(8))


def test_callbacks_keep_the_order_in_which_they_came() -> None:
    seen: list[int] = []

    async def work() -> None:
        for number in range(8):
            asyncio.get_running_loop().call_soon(seen.append, number)
        await asyncio.sleep(1.0)

    run(work(), SimulatedLoop(Random(3)))
    assert seen == list(range(8))


def test_what_can_never_come_is_told_at_once() -> None:
    loop = SimulatedLoop()
    with pytest.raises(Stuck, match="nothing is ready"):
        run(loop.create_future(), loop)


def test_what_never_ends_is_stopped() -> None:
    async def busy() -> None:
        for _ in range(1_000):
            await asyncio.sleep(0)

    with pytest.raises(Stuck, match="does not come to an end"):
        run(busy(), SimulatedLoop(most_turns=100))


def test_a_thread_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="no threads"):
        run(asyncio.to_thread(int))


def test_a_killed_worker_does_nothing_more_and_a_paused_one_does_it_later() -> None:
    loop, dead, paused = SimulatedLoop(), Worker("dead"), Worker("paused")
    seen: list[str] = []

    async def work(name: str) -> None:
        await asyncio.sleep(1.0)
        seen.append(f"{name} at {loop.time():g}")

    async def drive() -> None:
        begun = [loop.begin(worker, work(worker.name)) for worker in (dead, paused)]
        await asyncio.sleep(0.5)
        loop.kill(dead)
        loop.pause(paused)
        await asyncio.sleep(5.0)
        loop.wake(paused)
        await begun[1]

    run(drive(), loop)
    assert seen == ["paused at 5.5"]

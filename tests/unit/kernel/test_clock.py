"""The virtual clock: it stands still, or jumps when everybody waits."""

import asyncio

from maestri.kernel.clock import SystemClock, VirtualClock


def test_time_jumps_to_the_next_timer_when_everybody_waits() -> None:
    async def scenario() -> list[float]:
        seen: list[float] = []

        async def nap(delay_s: float) -> None:
            await clock.sleep(delay_s)
            seen.append(clock.now())

        await asyncio.gather(nap(86_400), nap(10), nap(0))
        return seen

    clock = VirtualClock(0.0)
    assert asyncio.run(scenario()) == [0, 10, 86_400]


def test_without_autojump_time_moves_only_by_hand_and_in_the_order_of_the_due_times() -> None:
    async def scenario() -> list[str]:
        called: list[str] = []
        clock.call_later(20, lambda: called.append("late"))
        clock.call_later(10, lambda: called.append("early"))
        clock.call_later(15, lambda: called.append("never")).cancel()
        await asyncio.sleep(0)
        clock.jump(9)
        called.append("nothing yet")
        clock.jump(100)
        return called

    clock = VirtualClock(autojump=False)
    assert asyncio.run(scenario()) == ["nothing yet", "early", "late"]


def test_a_cancelled_sleep_leaves_no_timer_that_moves_time() -> None:
    async def scenario() -> float:
        task = asyncio.create_task(clock.sleep(1000))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await clock.sleep(5)
        return clock.now()

    clock = VirtualClock(0.0)
    assert asyncio.run(scenario()) == 5


def test_one_clock_serves_several_loops_one_after_the_other() -> None:
    async def left_over() -> None:
        clock.call_later(1000, lambda: None)

    clock = VirtualClock(0.0)
    asyncio.run(left_over())
    asyncio.run(clock.sleep(7))
    assert clock.now() == 7


def test_the_system_clock_calls_back() -> None:
    async def scenario() -> bool:
        called = asyncio.Event()
        SystemClock().call_later(0, called.set)
        await SystemClock().sleep(0)
        await called.wait()
        return SystemClock().now() > 1_600_000_000

    assert asyncio.run(scenario())

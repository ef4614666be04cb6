"""Many runs and wide runs: what is held for each."""

import asyncio
import gc
from random import Random
from typing import Any

from maestri.engines.memory import MemoryEngine
from maestri.kernel import runner
from maestri.kernel.body import OneStep
from maestri.kernel.clock import VirtualClock
from maestri.kernel.context import Context
from maestri.kernel.ports import RunInfo
from maestri.kernel.run import Services
from maestri.kernel.runner import Definition
from maestri.patterns import parallel
from maestri.testing.play import Direct, Stage


async def asks(ctx: Context, _inputs: Any) -> Any:
    return await ctx.ask("go", "Go on?")


def held() -> int:
    gc.collect()
    return sum(1 for o in gc.get_objects() if isinstance(o, runner.Execution | Context))


def test_ten_thousand_waiting_runs_hold_no_task_and_no_frame() -> None:
    before = held()  # what other tests keep, by their exceptions

    async def scenario() -> tuple[int, int]:
        engine = MemoryEngine()
        services = Services(dispatcher=Direct(), clock=VirtualClock(), random=Random(1))
        definition = Definition("asks", asks, {})
        for n in range(10_000):
            info = RunInfo(f"run-{n}", f"bold-otter-{n}", "asks", ".", 0.0, 1)
            ended = await (await runner.start(engine, services, definition, {}, info)).wait()
            assert ended.status == "waiting"
        return len(asyncio.all_tasks()), held() - before

    tasks, more = asyncio.run(scenario())
    assert (tasks, more < 10) == (1, True)


def test_a_wide_run_of_waits_is_parked_once() -> None:
    async def waits(ctx: Context) -> Any:
        return await ctx.signal("never")

    stage = Stage(lambda ctx: parallel(ctx, "p", {f"b{n}": OneStep(waits) for n in range(2000)}))
    assert len(stage.play().waiting) == 2000
    assert len(stage.paths("run.parked")) == 1


def test_the_work_of_a_wide_run_grows_with_its_width_only() -> None:
    def turns(width: int) -> int:
        counted: list[int] = []

        class Counting(VirtualClock):
            def now(self) -> float:
                counted.append(1)
                return super().now()

        branches = {f"b{n}": OneStep(lambda c: c.step("s", lambda: 1)) for n in range(width)}
        Stage(lambda ctx: parallel(ctx, "p", branches), clock=Counting()).play()
        return len(counted)

    assert turns(4000) < 4.2 * turns(1000)


def test_a_long_run_resumes_without_doing_its_steps_again() -> None:
    calls: list[int] = []

    async def flow(ctx: Context) -> int:
        for n in range(3000):
            await ctx.step("s", lambda n=n: calls.append(n))
        return len(calls)

    stage = Stage(flow)
    stage.play()
    calls.clear()
    stage.cut(len(stage.events) - 1).resume()
    assert calls == []

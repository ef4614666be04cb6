"""A decision by hand that is cut off: it is as if it had never been made, or it is carried out whole."""

import asyncio
import contextlib
from typing import Any

import pytest

from maestri.errors import StaleOwner
from maestri.kernel import runner
from maestri.kernel.context import Context
from maestri.testing.crashing import Crash, CrashingEngine
from maestri.testing.play import RUN_ID, Stage


def failed(calls: list[int]) -> Stage:
    def fails() -> Any:
        calls.append(1)
        message = "x"
        raise ValueError(message)

    async def flow(ctx: Context) -> Any:
        return await ctx.step("s", fails)

    stage = Stage(flow)
    stage.play()
    return stage


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("events", range(1, 5))
def test_a_decision_that_is_on_record_is_carried_out_whole(events: int, when: Any) -> None:
    calls: list[int] = []
    stage = failed(calls)
    engine = CrashingEngine(stage.engine, events, when)
    with contextlib.suppress(Crash):
        asyncio.run(done(runner.direct(engine, stage.services, RUN_ID, "accept", "/s", 42)))
    is_decided = bool(stage.paths("run.directed"))
    assert stage.resume().output == (42 if is_decided else None)
    assert len(calls) == (1 if is_decided else 2)


@pytest.mark.parametrize("verb", ["accept", "skip"])
@pytest.mark.parametrize("turns", range(8))
def test_a_decision_and_its_effect_are_in_one_transaction(verb: str, turns: int) -> None:
    async def killed() -> None:
        deciding = asyncio.ensure_future(runner.direct(engine, stage.services, RUN_ID, verb, "/s", 42))
        for _ in range(turns):
            await asyncio.sleep(0)
        engine.crash()
        with contextlib.suppress(StaleOwner):
            await deciding

    stage = failed([])
    engine: Any = stage.engine
    asyncio.run(killed())
    ends = stage.paths("step.succeeded", "step.skipped")
    assert len(stage.paths("run.directed")) == len(ends)


async def done(call: Any) -> None:
    await call

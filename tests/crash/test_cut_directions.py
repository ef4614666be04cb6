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
from tally import tally


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
    output, repeated = stage.resume().output, len(calls) - 1
    lost = int(is_decided and output != 42)
    counts = {"rounds": 1, "acknowledged": int(is_decided), "lost": lost, "repeated": repeated * is_decided}
    tally("cut decisions", events, **counts)
    assert (output, repeated) == ((42, 0) if is_decided else (None, 1))


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
    ends, decided = stage.paths("step.succeeded", "step.skipped"), stage.paths("run.directed")
    tally("decisions and effects", turns, rounds=1, acknowledged=len(decided), lost=len(decided) - len(ends),
          repeated=max(0, len(ends) - 1))  # fmt: skip
    assert len(decided) == len(ends)


async def done(call: Any) -> None:
    await call

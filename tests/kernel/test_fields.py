"""What the events of real runs hold is what `FIELDS` says that they hold."""

from typing import Any

import pytest

from maestri.errors import RunError
from maestri.kernel import events as ev
from maestri.kernel.context import Context
from maestri.kernel.events import Stored
from maestri.kernel.policy import Policy, Retry
from maestri.patterns import loop, parallel
from maestri.testing.play import Stage

TWICE = Policy(Retry(max_attempts=2, delay_s=1, jitter=0))


def broken() -> Any:
    message = "x"
    raise ValueError(message)


async def handled(ctx: Context) -> Any:
    try:
        return await parallel(ctx, "p", {"a": lambda c: c.step("s", broken, policy=TWICE)}, join=1)
    except RunError:
        await ctx.sleep(5)
        await ctx.skip("skipped")
        return await ctx.random()


async def a_round(ctx: Context, number: int, _last: Any) -> Any:
    return await ctx.step("w", lambda: number)


async def asks(ctx: Context) -> Any:
    await loop(ctx, "l", a_round, max_rounds=2)
    return await ctx.ask("q", "Go on?", ["yes", "no"])


def asked() -> Stage:
    stage = Stage(asks)
    stage.play()
    stage.post("banana")
    stage.post("skip", path="/q")
    stage.resume()
    stage.post("answer", path="/q", value="yes")
    stage.resume()
    return stage


def failed() -> Stage:
    stage = Stage(lambda ctx: ctx.step("s", broken), timeout_s=9)
    stage.play()
    stage.post("cancel", by="late")
    stage.direct("skip", "/s")
    stage.resume()
    return stage


def cancelled() -> Stage:
    async def flow(ctx: Context) -> Any:
        await ctx.step("stop", lambda: stage.execution.core.cancel("/", "me"))
        return await parallel(ctx, "p", {"a": lambda c: c.sleep(9)})

    stage = Stage(flow)
    stage.play()
    return stage


def played() -> Stage:
    stage = Stage(handled, {})
    stage.play()
    return stage


@pytest.mark.parametrize("run", [played, asked, failed, cancelled])
def test_every_event_holds_its_fields_and_no_others(run: Any) -> None:
    def unknown(event: Stored) -> list[str]:
        return [f"{event.kind_name} {field}" for field in event.body if field not in ev.FIELDS[event.kind]]

    assert [found for event in run().events for found in unknown(event)] == []

"""What the simulation has found in the kernel, each as the shortest test that shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from maestri.engines.memory import MemoryJournal
from maestri.errors import EngineError, RunError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.events import Event
from maestri.kernel.ports import Message
from maestri.patterns import loop, parallel
from maestri.testing import Stage


def fails() -> None:
    message = "no"
    raise ValueError(message)


FAILS = OneStep(lambda c: c.step("bad", fails))


async def asks(ctx: Context) -> Any:
    return await ctx.ask("go", "go on?")


def test_a_message_that_cannot_be_stored_ends_the_wait_with_the_error_of_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(_self: MemoryJournal, _message: Message, _event: Event) -> Awaitable[None]:
        raise EngineError("the disk has failed", fix="mend it")

    stage = Stage(asks)
    assert stage.play().status == "waiting"
    stage.post("answer", path="/go", value="yes")
    monkeypatch.setattr(MemoryJournal, "take", refuse)
    with pytest.raises(EngineError, match="the disk has failed"):
        stage.resume()


def test_a_deadline_wakes_a_parked_run_whose_frames_are_kept() -> None:
    async def flow(ctx: Context) -> Any:
        return await parallel(ctx, "p", {"a": asks}, join="settled", deadline=5.0)

    stage = Stage(flow, keeps_frames=True)

    async def play() -> str:
        execution = await stage.start()
        assert (await execution.wait()).status == "waiting"
        await stage.clock.sleep(10.0)
        return (await execution.wait()).status

    assert asyncio.run(play()) == "succeeded"
    assert stage.state.status == "succeeded"


def test_a_run_is_not_parked_for_a_question_that_is_about_to_be_cancelled() -> None:
    async def flow(ctx: Context) -> Any:
        return await parallel(ctx, "p", {"bad": FAILS, "asks": asks}, max_concurrent=1)

    assert Stage(flow).play().status == "failed"


def test_a_resumed_loop_counts_the_failure_that_has_ended_it() -> None:
    async def flow(ctx: Context) -> Any:
        try:
            return await loop(ctx, "l", lambda c, _n, _l: c.step("bad", fails))
        except RunError:
            return await ctx.step("after", lambda: "handled")

    stage = Stage(flow)
    assert stage.play().handled == 1
    cuts = [stage.cut(count) for count in range(1, len(stage.events))]
    assert {cut.resume().handled for cut in cuts} == {1}

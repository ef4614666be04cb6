"""Where a failure came from: what a resume reopens is what nobody has handled, and nothing else."""

import asyncio
from typing import Any

import pytest

from maestri.errors import EngineError, RunError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import graph, parallel
from maestri.patterns._registry import Need
from maestri.testing.play import Stage


def failing(name: str) -> OneStep[Any]:
    async def fails() -> None:
        message = name
        raise ValueError(message)

    return OneStep(lambda ctx: ctx.step(name, fails))


async def two_at_once(ctx: Context) -> Any:
    return await parallel(ctx, "p", {"a": failing("a"), "b": failing("b")})


async def two_in_a_graph(ctx: Context) -> Any:
    return await graph(ctx, "p", {"a": Need(failing("a")), "b": Need(failing("b"))}, on_failure="stop")


async def two_in_scopes(ctx: Context) -> Any:
    async def in_a_scope(inner: Context) -> Any:
        return await failing("x").call(inner)

    return await parallel(ctx, "p", {"a": in_a_scope, "b": in_a_scope})


BOTH = [two_at_once, two_in_a_graph, two_in_scopes]


@pytest.mark.parametrize("both", BOTH)
def test_failures_that_a_body_has_handled_are_not_reopened(both: Any) -> None:
    mended: list[bool] = []

    async def flow(ctx: Context) -> Any:
        try:
            await both(ctx)
        except RunError:
            return await ctx.step("end", lambda: 1 if mended else 1 / 0)

    stage = Stage(flow)
    stage.play()
    mended.append(True)
    before = len(stage.events)
    assert stage.resume().status == "succeeded"
    assert {e.path for e in stage.events[before:] if e.scope} == {"/end"}


@pytest.mark.parametrize("both", BOTH)
def test_failures_that_nobody_handled_are_all_reopened(both: Any) -> None:
    stage = Stage(both)
    stage.play()
    failed = set(stage.paths("step.failed"))
    (because,) = [e.body["because"] for e in stage.events if e.kind_name == "run.failed"]
    assert failed <= set(because)


def test_two_tasks_in_one_scope_are_told_so_also_out_of_a_group() -> None:
    async def flow(ctx: Context) -> Any:
        async with asyncio.TaskGroup() as group:
            group.create_task(ctx.step("a", asyncio.sleep, 0))
            group.create_task(ctx.step("b", asyncio.sleep, 0))

    failure = Stage(flow).play().failure
    assert failure is not None
    assert failure.message == "two asyncio tasks use the scope `/` at once"
    assert "parallel" in failure.fix


def test_an_error_of_the_engine_is_no_failure_of_the_work_also_out_of_a_group() -> None:
    async def breaks() -> None:
        message = "disk full"
        raise EngineError(message)

    async def flow(_: Context) -> Any:
        async with asyncio.TaskGroup() as group:
            group.create_task(breaks())

    stage = Stage(flow)
    with pytest.raises(EngineError, match="disk full"):
        stage.play()
    assert stage.paths("run.failed") == []

"""Children of a fan that are one step each: those that do not wait share an asyncio task, nothing else."""

import asyncio
from contextvars import ContextVar
from typing import Any

import pytest

from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.fan import Entry, Fan
from maestri.patterns import parallel
from maestri.testing.play import Stage, check_resume

COLOUR = ContextVar("colour", default="none")


def step(function: Any, *args: Any) -> OneStep[Any]:
    return OneStep(lambda place: place.step("s", function, *args))


def staged(branches: dict[str, Any], **options: Any) -> Stage:
    return Stage(lambda ctx: parallel(ctx, "p", branches, **options))


async def answer(value: Any = 1) -> Any:
    return value


async def failing() -> None:
    message = "no such luck"
    raise ValueError(message)


async def task() -> int:
    return id(asyncio.current_task())


async def waiting_task() -> int:
    found = id(asyncio.current_task())
    await asyncio.sleep(0)
    return found


def test_children_that_do_not_wait_share_an_asyncio_task() -> None:
    stage = staged({name: step(task) for name in "abc"})
    assert len(set(stage.play().output.values())) == 1


def test_a_child_that_waits_has_a_task_to_itself() -> None:
    stage = staged({"a": step(task), "b": step(waiting_task), "c": step(task), "d": step(waiting_task)})
    found = stage.play().output
    assert found["a"] == found["b"]  # it ended before the other began
    assert len({found[name] for name in "bcd"}) == 3


def test_children_behind_one_that_waits_run_beside_it() -> None:
    async def waiting(event: list[asyncio.Event]) -> str:
        event.append(asyncio.Event())
        await asyncio.wait_for(event[0].wait(), 10)
        return "went on"

    async def waking(event: list[asyncio.Event]) -> None:
        event[0].set()

    event: list[asyncio.Event] = []
    branches = {
        "a": OneStep(lambda place: place.step("s", lambda: waiting(event))),
        "b": OneStep(lambda place: place.step("s", lambda: waking(event))),
    }
    assert staged(branches).play().output["a"] == "went on"


def test_a_child_sees_nothing_of_what_another_has_set() -> None:
    async def setting(colour: str) -> str:
        before = COLOUR.get()
        COLOUR.set(colour)
        return before

    stage = staged({name: step(setting, name) for name in "abc"})
    assert stage.play().output == {"a": "none", "b": "none", "c": "none"}


def test_no_code_of_a_body_runs_before_its_record_is_stored() -> None:
    stored: list[bool] = []

    async def body(place: Context) -> None:
        await place.step("s", answer)
        stored.append(place.path == "/p" and bool(stage.paths("step.succeeded")))

    stage = staged({"a": OneStep(body), "b": OneStep(body)})
    assert stage.play().status == "succeeded"
    assert stored == [True, True]


def test_what_cannot_be_compared_is_not_seen_by_another_child_either() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            message = "neither yes nor no"
            raise ValueError(message)

        __hash__ = None  # type: ignore[assignment]

    async def setting() -> bool:
        before = COLOUR.get() == "none"
        COLOUR.set(Odd())  # type: ignore[arg-type]
        return before

    token = COLOUR.set("none")  # so that there are as many variables before as after
    stage = staged({name: step(setting) for name in "ab"})
    assert stage.play().output == {"a": True, "b": True}
    COLOUR.reset(token)


def test_a_failure_among_them_is_isolated() -> None:
    stage = staged({"a": step(answer), "b": step(failing), "c": step(answer)}, join="settled")
    output = stage.play().output
    assert (output["a"], output["b"]["failed"]["path"], output["c"]) == (1, "/p/b", 1)
    assert stage.paths("step.started") == ["/p/b"]


def test_a_body_that_raises_instead_of_a_step_has_failed_at_its_place() -> None:
    def broken(_place: Context) -> Any:
        message = "no body"
        raise ValueError(message)

    stage = staged({"a": OneStep(broken), "b": step(answer)}, join="settled")
    output = stage.play().output
    assert (output["a"]["failed"]["path"], output["b"]) == ("/p/a", 1)


def test_a_child_that_cancels_the_fan_leaves_the_ends_of_those_before_it_on_record() -> None:
    async def cancelling() -> str:
        await stage.execution.cancel("/p")
        return "done"

    stage = staged({"a": step(answer), "b": step(cancelling), "c": step(answer)})
    assert stage.play().status == "failed"
    assert stage.paths("step.succeeded") == ["/p/a", "/p/b"]
    assert stage.paths("scope.cancelled") == ["/p"]


def test_what_has_not_begun_when_the_fan_is_left_never_does() -> None:
    begun: list[int] = []

    async def counted() -> None:
        begun.append(1)

    async def left_at_once(ctx: Context) -> int:
        async with Fan(ctx) as fan:
            fan.start("a", step(counted))
            fan.start("b", step(counted))
        return len(begun)

    assert Stage(left_at_once).play().output == 0
    assert begun == []


def test_a_fan_is_left_when_the_records_of_its_children_are_stored() -> None:
    async def left_soon(ctx: Context) -> int:
        async with Fan(ctx) as fan:
            fan.start("a", step(answer))
            await asyncio.sleep(0)
        return len(stage.paths("step.succeeded"))

    stage = Stage(left_soon)
    assert stage.play().output == 1


def test_a_child_that_uses_the_scope_around_it_is_refused() -> None:
    async def flow(ctx: Context) -> Any:
        async def inside(scope: Context) -> Any:
            outside = OneStep(lambda _place: scope.step("s", answer))
            async with Fan(scope) as fan:
                fan.feed(Entry("item", n, outside) for n in (1, 2))
                return [str(settled.error) async for settled in fan]

        return await ctx.scope("p", inside)

    found = Stage(flow).play().output
    assert len(found) == 2
    assert all("two asyncio tasks use the scope `/p` at once" in words for words in found)


@pytest.mark.parametrize("join", ["all", "any", "settled", 2])
def test_they_resume_at_every_event(join: Any) -> None:
    branches = {"a": step(answer, 1), "b": step(answer, 2)}
    stage = staged({**branches, "c": step(failing)} if join == "settled" else branches, join=join)
    assert stage.play().status == "succeeded"
    check_resume(stage)


def test_a_limit_holds_until_the_records_are_stored() -> None:
    stage = staged({f"b{n}": step(answer, n) for n in range(10)}, max_concurrent=3)
    assert stage.play().output == {f"b{n}": n for n in range(10)}

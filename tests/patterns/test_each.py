"""`each`: the same for every item of a list."""

import asyncio
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.patterns import each, loop
from maestri.testing.play import Stage, check_resume


async def ten_times(ctx: Context, item: int, index: int) -> Any:
    def work() -> int:
        if item < 0:
            message = f"item {index}"
            raise ValueError(message)
        return item * 10

    return await ctx.step("s", work)


def staged(items: Any, steps: Any = ten_times, **options: Any) -> Stage:
    return Stage(lambda ctx: each(ctx, "e", items, steps, **options))


def test_the_outputs_come_in_the_order_of_the_items() -> None:
    async def later_is_quicker(ctx: Context, item: int, _index: int) -> Any:
        async def work() -> int:
            for _ in range(10 - item):
                await asyncio.sleep(0)
            return item

        return await ctx.step("s", work)

    stage = staged([1, 2, 3], later_is_quicker)
    assert stage.play().output == [1, 2, 3]
    assert stage.paths("step.succeeded")[0] == "/e/item#3/s"


def test_items_are_numbered_from_one_which_is_left_out() -> None:
    stage = staged([1, 2])
    stage.play()
    assert stage.paths("scope.succeeded") == ["/e/item", "/e/item#2", "/e"]


def test_no_items_give_no_outputs_and_are_reduced_all_the_same() -> None:
    async def length(ctx: Context, results: list[Any]) -> Any:
        return await ctx.step("s", lambda: len(results))

    assert staged([]).play().output == []
    assert staged([], reduce=length).play().output == 0


def test_the_failure_of_an_item_is_isolated_and_counted() -> None:
    ended = staged([1, -1, 3]).play()
    assert (ended.output[0], ended.output[2], ended.handled) == (10, 30, 1)
    assert ended.output[1]["failed"]["message"] == "ValueError: item 2"


def test_an_item_whose_body_raises_is_isolated_too() -> None:
    async def raises(_: Context, item: int, _index: int) -> Any:
        return 1 // item

    ended = staged([0, 1], raises).play()
    assert (ended.output[0]["failed"]["path"], ended.output[1], ended.handled) == ("/e/item", 1, 1)


@pytest.mark.parametrize(
    ("join", "status"), [("all", "failed"), ("any", "succeeded"), (2, "succeeded"), (3, "failed")]
)
def test_other_joins_fail_when_too_few_succeed(join: Any, status: str) -> None:
    assert staged([1, -1, 3], join=join).play().status == status


def test_the_rest_is_cancelled_once_enough_have_succeeded() -> None:
    async def one_is_slow(ctx: Context, item: int, _index: int) -> Any:
        return await ctx.step("s", asyncio.Event().wait if item == 2 else lambda: item)

    stage = staged([1, 2, 3], one_is_slow, join=2)
    assert stage.play().output == [1, 3]
    assert stage.paths("step.cancelled") == ["/e/item#2/s"]
    check_resume(stage)


def test_a_crash_after_an_early_end_keeps_the_decision_and_the_reduction() -> None:
    async def total(ctx: Context, results: list[int]) -> Any:
        return await ctx.step("s", lambda: sum(results))

    stage = staged([1, 2, 3, 4], join="any", max_concurrent=4, reduce=total)
    assert stage.play().output == 10
    decided = next(e.seq for e in stage.events if e.path == "/e/join")
    for events in range(decided, len(stage.events)):
        assert stage.cut(events).resume().output == 10


@pytest.mark.covers("limit")
@pytest.mark.parametrize("most", [1, 2, 16])
def test_at_most_so_many_items_are_under_way(most: int) -> None:
    running: list[int] = []
    seen: list[int] = []

    async def counted(ctx: Context, _item: int, _index: int) -> Any:
        async def work() -> None:
            running.append(1)
            seen.append(len(running))
            await asyncio.sleep(0)
            running.pop()

        return await ctx.step("s", work)

    assert staged(list(range(20)), counted, max_concurrent=most).play().status == "succeeded"
    assert max(seen) == most


def test_a_deadline_leaves_the_items_that_had_not_ended_as_failures() -> None:
    async def one_is_slow(ctx: Context, item: int, _index: int) -> Any:
        return await ctx.step("s", asyncio.Event().wait if item == 2 else lambda: item)

    output = staged([1, 2, 3], one_is_slow, deadline=5, max_concurrent=1).play().output
    assert (output[0], output[1]["failed"]["code"], output[2]["failed"]["code"]) == (1, "S103", "S103")


def test_a_failure_of_the_reduction_is_one_of_the_whole_and_keeps_the_items() -> None:
    calls: list[int] = []

    async def total(ctx: Context, results: list[int]) -> Any:
        def work() -> int:
            calls.append(1)
            return sum(results) // (len(calls) - 1)

        return await ctx.step("sum", work)

    stage = staged([1, 2], reduce=total)
    ended = stage.play()
    assert ended.failure and ended.failure.path == "/e/reduce/sum"
    assert stage.resume().output == 30
    assert stage.paths("step.started").count("/e/item/s") == 1


@pytest.mark.parametrize(
    ("items", "options"),
    [
        ("text", {}),
        ({"a": 1}, {}),
        (None, {}),
        ([1], {"max_concurrent": 0}),
        ([1], {"join": 2}),
        ([1], {"join": "x"}),
    ],
)
def test_what_is_no_list_or_out_of_range_is_refused_at_the_path_of_the_step(items: Any, options: Any) -> None:
    ended = staged(items, **options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/e")


def test_cancelling_one_item_leaves_the_others() -> None:
    async def item(ctx: Context, value: str, _index: int) -> Any:
        if value == "stop":
            return await ctx.step("stop", lambda: stage.execution.cancel("/e/item"))
        return await ctx.step("slow", asyncio.Event().wait)

    stage = staged(["slow", "stop"], item)
    output = stage.play().output
    assert (output[0]["failed"]["code"], output[1]) == ("S107", None)


def test_a_failed_item_can_be_retried_by_hand_by_the_path_of_its_scope() -> None:
    calls: list[int] = []

    async def item(ctx: Context, value: int, _index: int) -> Any:
        def work() -> int:
            calls.append(value)
            return 1 // (calls.count(value) - value) if value else 1

        return await ctx.step("s", work)

    async def flow(ctx: Context) -> Any:
        found = await each(ctx, "e", [0, 1], item)
        return [found, await ctx.step("end", lambda: 1 // (len(calls) - 2))]

    stage = Stage(flow)
    assert stage.play().status == "failed"
    stage.direct("retry", "/e/item#2")
    assert stage.resume().output == [[1, 1], 1]
    assert calls == [0, 1, 1]


def test_ten_thousand_items_hold_no_more_tasks_than_are_under_way() -> None:
    most: list[int] = []

    async def item(ctx: Context, value: int, _index: int) -> Any:
        if value % 1000 == 0:
            most.append(len(asyncio.all_tasks()))
        return await ctx.step("s", lambda: value)

    stage = staged(list(range(10_000)), item, max_concurrent=8)
    assert stage.play().output == list(range(10_000))
    assert max(most) < 20


@pytest.mark.parametrize("join", ["settled", "all", "any", 2])
def test_it_resumes_at_every_event(join: Any) -> None:
    stage = staged([1, 2] if join in {"all", 2} else [1, -1], join=join, max_concurrent=1)
    assert stage.play().status == "succeeded"
    check_resume(stage)


def test_it_nests_in_a_loop_and_in_itself() -> None:
    async def inner(ctx: Context, item: int, _index: int) -> Any:
        return await each(ctx, "in", [item, item + 1], ten_times, join="all")

    async def a_round(ctx: Context, number: int, _last: Any) -> Any:
        return await each(ctx, "out", list(range(number)), inner)

    stage = Stage(lambda ctx: loop(ctx, "l", a_round, max_rounds=2))
    assert stage.play().output == [[0, 10], [10, 20]]
    check_resume(stage)

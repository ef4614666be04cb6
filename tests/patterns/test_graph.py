"""`graph`: each step starts the moment its own needs are done."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import each, graph
from maestri.patterns._registry import Need
from maestri.patterns.graph import find_cycle
from maestri.testing.play import Stage, check_resume, play


def need(function: Callable[[], Any], *needs: str) -> Need:
    return Need(OneStep(lambda ctx: ctx.step("s", function)), needs)


def boom() -> None:
    message = "no"
    raise ValueError(message)


async def forever() -> None:
    await asyncio.Event().wait()


async def slow() -> str:
    for _ in range(20):
        await asyncio.sleep(0)
    return "slow"


def staged(steps: Mapping[str, Need], **options: Any) -> Stage:
    return Stage(lambda ctx: graph(ctx, "g", steps, **options))


def diamond(b: Callable[[], Any] = slow, c: Callable[[], Any] = lambda: "c") -> dict[str, Need]:
    return {
        "e": need(lambda: "e", "b", "c"),
        "b": need(b, "a"),
        "c": need(c, "a"),
        "after-c": need(lambda: "f", "c"),
        "a": need(lambda: "a"),
    }


def test_the_outputs_come_in_the_order_of_the_definition() -> None:
    assert list(staged(diamond()).play().output) == ["e", "b", "c", "after-c", "a"]


def test_nothing_waits_for_a_slow_sibling() -> None:
    stage = staged(diamond())
    stage.play()
    ended = stage.paths("step.succeeded")
    assert ended.index("/g/after-c") < ended.index("/g/b") < ended.index("/g/e")


def test_a_step_gets_the_outputs_of_what_it_needs_and_of_nothing_else() -> None:
    async def takes(_: Context, needed: Mapping[str, Any]) -> Any:
        return dict(needed)

    steps = {"a": need(lambda: 1), "b": need(lambda: 2), "c": Need(takes, ("a",))}
    assert staged(steps).play().output["c"] == {"a": 1}


def test_an_empty_graph_has_no_outputs() -> None:
    assert staged({}).play().output == {}


def test_what_depends_on_a_failure_is_skipped_with_the_reason_and_the_rest_goes_on() -> None:
    stage = staged(diamond(b=boom))
    ended = stage.play()
    assert ended.failure and ended.failure.path == "/g/b"
    assert stage.paths("step.skipped") == ["/g/e"]
    assert stage.state.steps["/g/e"].note == "`b` failed"
    assert "/g/after-c" in stage.paths("step.succeeded")


def test_what_was_skipped_runs_when_a_resume_gets_past_the_failure() -> None:
    calls: list[int] = []

    def fails_once() -> str:
        calls.append(1)
        if len(calls) == 1:
            boom()
        return "b"

    stage = staged(diamond(b=fails_once))
    assert stage.play().status == "failed"
    assert stage.resume().output["e"] == "e"
    assert stage.state.steps["/g/e"].state == "succeeded"


def test_several_failures_are_told_together() -> None:
    ended = staged({"a": need(boom), "b": need(boom)}).play()
    assert ended.failure and ended.failure.message == "2 steps of the graph failed"
    assert "/g/a" in ended.failure.cause


def test_on_failure_stop_cancels_what_is_under_way() -> None:
    stage = staged({"bad": need(boom), "slow": need(forever), "then": need(slow, "bad")}, on_failure="stop")
    assert stage.play().status == "failed"
    assert (stage.paths("step.cancelled"), stage.paths("step.skipped")) == (["/g/slow"], ["/g/then"])


def test_a_cancelled_step_is_a_failure_of_what_depends_on_it() -> None:
    async def stop() -> None:
        await stage.execution.cancel("/g/slow")

    stage = staged({"slow": need(forever), "stop": need(stop), "then": need(slow, "slow")})
    ended = stage.play()
    assert (ended.failure and ended.failure.type) == "StepCancelled"
    assert stage.paths("step.skipped") == ["/g/then"]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ({"a": need(slow, "b")}, "`a` needs `b`, which is no step of this graph"),
        ({"a": need(slow, "b"), "b": need(slow, "a")}, "the needs go round: a → b → a"),
        ({"a": need(slow, "a")}, "the needs go round: a → a"),
    ],
)
def test_wrong_needs_are_refused_before_anything_runs(steps: Any, words: str) -> None:
    stage = staged(steps)
    ended = stage.play()
    assert ended.failure and (ended.failure.message, ended.failure.path) == (words, "/g")
    assert stage.paths("step.started") == []


def test_max_concurrent_below_one_is_refused() -> None:
    ended = staged(diamond(), max_concurrent=0).play()
    assert ended.failure and "max_concurrent" in ended.failure.message


@pytest.mark.covers("limit")
def test_max_concurrent_bounds_a_graph() -> None:
    running: list[int] = []
    most: list[int] = []

    async def counted() -> None:
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0.001)
        running.pop()

    assert staged({f"s{n}": need(counted) for n in range(8)}, max_concurrent=2).play().status == "succeeded"
    assert max(most) == 2


def test_a_chain_of_two_thousand_steps_may_fail_at_its_first() -> None:
    chain = {f"s{n}": need(boom, *([f"s{n - 1}"] if n else [])) for n in range(2000)}
    stage = staged(chain)
    assert stage.play().status == "failed"
    assert len(stage.paths("step.skipped")) == 1999


def test_a_cycle_is_found_in_the_order_of_its_needs() -> None:
    assert find_cycle({"a": ("b",), "b": ("c",), "c": ("b",), "d": ()}) == ["b", "c"]
    assert find_cycle({"a": ("x",), "b": ("a",)}) == []


def test_it_nests_in_each() -> None:
    async def item(ctx: Context, value: int, _index: int) -> Any:
        return await graph(ctx, "g", {"x": need(lambda: value), "y": need(slow, "x")})

    outputs = play(lambda ctx: each(ctx, "e", [1, 2], item)).output
    assert outputs == [{"x": 1, "y": "slow"}, {"x": 2, "y": "slow"}]


@pytest.mark.parametrize("on_failure", ["finish", "stop"])
@pytest.mark.parametrize("fails", [False, True])
def test_it_resumes_at_every_event(on_failure: str, fails: bool) -> None:
    stage = staged(diamond(b=boom if fails else slow), on_failure=on_failure)
    stage.play()
    if not fails:
        check_resume(stage)
    for events in range(1, len(stage.events)):
        assert stage.cut(events).resume().status == stage.state.status

"""`on`: events come while the run lives; each is handled once, in a scope of its own."""

import asyncio
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.patterns import on, parallel
from maestri.testing.play import Stage, check_resume


async def handle(scope: Context, event: Any) -> Any:
    return await scope.step("do", lambda: event["data"])


HANDLERS: dict[str, Any] = {"a": handle, "b": handle}


def told(*events: tuple[str, Any], handlers: Any = None, **options: Any) -> Stage:
    """Return a stage on which events are emitted, and then listened for."""
    wanted = HANDLERS if handlers is None else handlers

    async def flow(ctx: Context) -> Any:
        for name, data in events:
            await ctx.emit("tell", data, name)
        return await on(ctx, "o", wanted, **options)

    return Stage(flow)


def results(ended: Any) -> list[Any]:
    return [(one["event"], one.get("output", "failed")) for one in ended.output["results"]]


def test_events_that_came_before_are_handled_in_their_order_each_in_a_scope() -> None:
    stage = told(("a", 1), ("b", 2), ("a", 3), max_events=3, max_concurrent=1)
    assert results(stage.play()) == [("a", 1), ("b", 2), ("a", 3)]
    assert stage.paths("scope.succeeded") == ["/o/a", "/o/b", "/o/a#2", "/o"]


def test_each_event_is_on_record_as_it_was_taken() -> None:
    stage = told(("a", {"n": 1}), max_events=1)
    stage.play()
    taken = [event.body["output"] for event in stage.events if event.path == "/o/event" and event.kind == 11]
    assert taken == [{"name": "a", "data": {"n": 1}}]


@pytest.mark.covers("limit")
def test_it_ends_after_max_events_and_leaves_the_rest_to_others() -> None:
    async def flow(ctx: Context) -> Any:
        for number in (1, 2):
            await ctx.emit("tell", number, "a")
        first = await on(ctx, "o", HANDLERS, max_events=1)
        return [first["results"], await ctx.signal("rest", "a")]

    assert Stage(flow).play().output == [[{"event": "a", "output": 1}], 2]


def test_it_ends_with_the_event_for_which_until_holds() -> None:
    stage = told(
        ("a", 1), ("b", 2), ("a", 3), until=lambda _c, event, count: event["name"] == "b" and count == 2
    )
    assert results(stage.play()) == [("a", 1), ("b", 2)]


def test_it_ends_when_its_time_is_up_and_finishes_what_is_being_handled() -> None:
    async def slowly(scope: Context, event: Any) -> Any:
        await scope.sleep(100)
        return event["data"]

    stage = told(("a", 1), handlers={"a": slowly}, timeout=10)
    ended = stage.play()
    assert results(ended) == [("a", 1)]
    assert stage.clock.now() >= 100


def test_without_an_event_in_time_there_is_nothing() -> None:
    assert told(timeout=5).play().output == {"count": 0, "unhandled": 0, "results": []}


def test_several_events_are_handled_at_once_up_to_a_limit() -> None:
    most = [0, 0]

    async def busy(scope: Context, event: Any) -> Any:
        most[0] += 1
        most[1] = max(most)
        await scope.sleep(1)
        most[0] -= 1
        return event["data"]

    told(*[("a", n) for n in range(6)], handlers={"a": busy}, max_events=6, max_concurrent=3).play()
    assert most == [0, 3]


def test_an_event_that_nobody_handles_is_noted_and_stays_for_whoever_waits_for_it_later() -> None:
    async def flow(ctx: Context) -> Any:
        await ctx.emit("typo", {"x": 1}, "aa")
        await ctx.emit("right", 2, "a")
        found = await on(ctx, "o", HANDLERS, timeout=1)
        return [found["count"], found["unhandled"], await ctx.signal("later", "aa")]

    stage = Stage(flow)
    assert stage.play().output == [1, 1, {"x": 1}]
    noted = [event.body["value"] for event in stage.events if event.path == "/o/unhandled"]
    assert [(one["name"], one["data"]) for one in noted] == [("aa", {"x": 1})]


def test_an_event_is_noted_once_also_after_a_restart() -> None:
    stage = told(("typo", 1), max_events=1)
    assert stage.play().status == "waiting"
    stage.post("signal", name="a", value=7)
    assert stage.resume().output == {"count": 1, "unhandled": 1, "results": [{"event": "a", "output": 7}]}
    assert stage.paths("decided") == ["/o/unhandled"]


def test_otherwise_takes_every_other_event() -> None:
    stage = told(("x", 1), ("a", 2), ("y", 3), otherwise=handle, max_events=3, max_concurrent=1)
    ended = stage.play()
    assert results(ended) == [("x", 1), ("a", 2), ("y", 3)]
    assert ended.output["unhandled"] == 0
    assert [path for path in stage.paths("scope.succeeded") if "otherwise" in path] == [
        "/o/otherwise",
        "/o/otherwise#2",
    ]


def test_who_waits_for_a_signal_longer_gets_it_first() -> None:
    async def flow(ctx: Context) -> Any:
        async def waits(scope: Context) -> Any:
            return await scope.signal("got", "a")

        async def listens(scope: Context) -> Any:
            await scope.sleep(1)
            return await on(scope, "o", HANDLERS, max_events=1)

        async def tells(scope: Context) -> Any:
            await scope.sleep(2)
            await scope.emit("first", 1, "a")
            await scope.emit("second", 2, "a")

        return await parallel(ctx, "p", {"w": waits, "l": listens, "t": tells})

    output = Stage(flow).play().output
    assert (output["w"], output["l"]["results"]) == (1, [{"event": "a", "output": 2}])


async def fails(scope: Context, _event: Any) -> Any:
    return await scope.step("do", lambda: 1 // 0)


def test_a_handler_that_fails_is_isolated_and_counted() -> None:
    ended = told(("a", 1), ("b", 2), handlers={"a": fails, "b": handle}, max_events=2).play()
    assert [one.get("failed", {}).get("path") for one in ended.output["results"]] == ["/o/a/do", None]
    assert ended.handled == 1


def test_with_join_all_a_handler_that_fails_ends_it_and_a_resume_does_it_again() -> None:
    tries = iter([0, 1])

    async def moody(scope: Context, _event: Any) -> Any:
        return await scope.step("do", lambda: 1 // next(tries))

    stage = told(("a", 1), ("b", 2), handlers={"a": moody, "b": handle}, max_events=2, join="all")
    ended = stage.play()
    assert ended.failure and ended.failure.path == "/o/a/do"
    assert results(stage.resume()) == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("handlers", "options"),
    [
        (HANDLERS, {}),
        (HANDLERS, {"max_events": 0}),
        (HANDLERS, {"max_events": 1, "max_concurrent": 0}),
        ({}, {"max_events": 1}),
        ({"event": handle}, {"max_events": 1}),
        ({"otherwise": handle}, {"max_events": 1}),
    ],
)
def test_what_cannot_be_carried_out_is_refused_at_its_path(handlers: Any, options: Any) -> None:
    ended = told(handlers=handlers, **options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/o")


@pytest.mark.parametrize("place", ["/o/event#2", "/o/a", "/o"])
def test_it_can_be_cancelled_while_it_listens_or_handles(place: str) -> None:
    async def stops(scope: Context, _event: Any) -> Any:
        async def cancels(inner: Context) -> None:
            await inner.step("c", lambda: stage.execution.cancel(place))

        async def waits(inner: Context) -> None:
            await inner.step("w", asyncio.Event().wait if place == "/o/a" else lambda: None)

        await parallel(scope, "p", {"c": cancels, "w": waits})

    stage = told(("a", 1), handlers={"a": stops}, max_events=2, join="all")
    ended = stage.play()
    assert (ended.status, ended.failure and ended.failure.type) == ("failed", "StepCancelled")
    assert stage.execution.core.waits.strays == []


def test_events_from_outside_wake_a_run_that_waits_and_are_handled_after_a_restart() -> None:
    stage = told(max_events=2)
    assert stage.play().waiting == ("/o/event",)
    stage.post("signal", name="b", value=1)
    assert stage.resume().waiting == ("/o/event#2",)
    stage.post("signal", name="a", value=2)
    assert results(stage.resume()) == [("b", 1), ("a", 2)]


def test_a_gate_in_a_handler_waits_while_other_events_are_handled() -> None:
    async def asks(scope: Context, _event: Any) -> Any:
        return await scope.ask("go", "go on?")

    stage = told(("a", 1), ("b", 2), ("a", 3), handlers={"a": asks, "b": handle}, max_events=3)
    assert stage.play().waiting == ("/o/a#2/go", "/o/a/go")
    stage.post("answer", path="/o/a#2/go", value="two")
    assert stage.resume().waiting == ("/o/a/go",)
    stage.post("answer", path="/o/a/go", value="one")
    assert results(stage.resume()) == [("a", "one"), ("b", 2), ("a", "two")]


@pytest.mark.parametrize(
    "options",
    [
        {"max_events": 2},
        {"max_events": 2, "max_concurrent": 1, "join": "all"},
        {"until": lambda _c, event, _n: event["name"] == "b"},
        {"max_events": 3, "otherwise": handle},
        {"timeout": 5},
    ],
)
def test_it_resumes_at_every_event(options: Any) -> None:
    stage = told(("a", 1), ("typo", 0), ("b", 2), handlers={"a": fails, "b": handle}, **options)
    if options.get("join") == "all":
        stage = told(("a", 1), ("typo", 0), ("b", 2), **options)
    stage.play()
    check_resume(stage)

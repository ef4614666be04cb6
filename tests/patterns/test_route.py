"""`route`: an event goes to the handler of its type; one that nobody handles is an error that keeps it."""

import asyncio
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.patterns import route
from maestri.testing.play import Stage, check_resume


async def handle(scope: Context, event: Any) -> Any:
    return await scope.step("do", lambda: ["handled", event])


def staged(event: Any, **options: Any) -> Stage:
    handlers = options.pop("handlers", {"push": handle, "pull": handle})
    return Stage(lambda ctx: route(ctx, "r", event, handlers, **options))


PUSH = {"type": "push", "ref": "main"}


def test_the_handler_of_the_type_gets_the_event_in_a_scope_of_its_name() -> None:
    stage = staged(PUSH)
    assert stage.play().output == ["handled", PUSH]
    assert stage.paths("step.succeeded", "scope.succeeded") == ["/r/push/do", "/r/push", "/r"]


def test_a_text_is_its_own_type_and_another_field_may_hold_it() -> None:
    assert staged("pull").play().output == ["handled", "pull"]
    assert staged({"kind": "pull"}, by="kind").play().output == ["handled", {"kind": "pull"}]


@pytest.mark.parametrize("event", [{"type": "other"}, {"type": 7}, {"typ": "push"}, None, 5, ["push"]])
def test_an_event_that_nobody_handles_is_an_error_that_keeps_it(event: Any) -> None:
    stage = staged(event)
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P230", "/r")
    assert ended.failure.detail == {"event": event}
    assert stage.resume().failure == ended.failure  # as long as nobody is there for it


def test_otherwise_takes_what_no_handler_is_for() -> None:
    stage = staged({"type": "other"}, otherwise=handle)
    assert stage.play().output == ["handled", {"type": "other"}]
    assert stage.paths("step.succeeded") == ["/r/otherwise/do"]


def test_a_handler_cannot_be_called_otherwise() -> None:
    ended = staged("x", handlers={"otherwise": handle}).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/r")


def test_a_handler_that_fails_fails_the_route_and_is_done_again_by_a_resume() -> None:
    tries = iter([ValueError("once"), "mended"])

    def work() -> Any:
        found = next(tries)
        if isinstance(found, Exception):
            raise found
        return found

    async def moody(scope: Context, _event: Any) -> Any:
        return await scope.step("do", work)

    stage = staged("push", handlers={"push": moody})
    ended = stage.play()
    assert ended.failure and ended.failure.path == "/r/push/do"
    assert stage.resume().output == "mended"


def test_a_cancelled_handler_fails_the_route() -> None:
    async def slow(scope: Context, _event: Any) -> Any:
        await scope.step("stop", lambda: stage.execution.cancel("/r/push"))
        await scope.step("wait", asyncio.Event().wait)

    stage = staged("push", handlers={"push": slow})
    ended = stage.play()
    assert (ended.failure and ended.failure.type) == "StepCancelled"


@pytest.mark.parametrize("event", [PUSH, {"type": "other"}])
def test_it_resumes_at_every_event(event: Any) -> None:
    stage = staged(event, otherwise=handle)
    stage.play()
    check_resume(stage)


def test_a_gate_in_a_handler_waits_and_survives_a_restart() -> None:
    async def asks(scope: Context, _event: Any) -> Any:
        return await scope.ask("go", "go on?")

    stage = staged("push", handlers={"push": asks})
    assert stage.play().waiting == ("/r/push/go",)
    stage.post("answer", path="/r/push/go", value="yes")
    assert stage.resume().output == "yes"

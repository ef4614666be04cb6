"""`saga`: what was done is undone in reverse order when a step fails, and nothing else ends it halfway."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from maestri.errors import AgentUnavailable
from maestri.kernel.body import Opening
from maestri.kernel.context import Context
from maestri.patterns import parallel, saga
from maestri.patterns._registry import Undoable
from maestri.testing.play import Stage, check_resume

Done = Mapping[str, Any]


def does(value: Any, calls: list[Any] | None = None) -> Any:
    """Return a body of one step that gives a value, or raises it."""

    def work() -> Any:
        if calls is not None:
            calls.append(value)
        if isinstance(value, Exception):
            raise value
        return value

    async def body(scope: Context, *_given: Any) -> Any:
        return await scope.step("do", work)

    return body


def of(**steps: Any) -> Stage:
    return Stage(lambda ctx: saga(ctx, "s", steps))


def three(last: Any = "c", undo: Any = "undone") -> Stage:
    return of(
        a=Undoable(does("a"), does("a back")),
        b=Undoable(does("b")),
        c=Undoable(does(last), does(undo)),
    )


BROKEN = ValueError("broken")


def test_without_a_failure_it_is_its_steps_in_order() -> None:
    stage = three()
    assert stage.play().output == "c"
    assert stage.paths("scope.succeeded") == ["/s/a", "/s/b", "/s/c", "/s"]


def test_a_failure_undoes_what_was_done_the_last_first_and_the_failed_step_too() -> None:
    stage = three(BROKEN)
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P220", "/s")
    undone = [path for path in stage.paths("step.succeeded") if path.startswith("/s/undo")]
    assert undone == ["/s/undo/c/try/do", "/s/undo/a/try/do"]


def test_the_failure_says_what_failed_and_what_became_of_the_rest() -> None:
    failure = three(BROKEN).play().failure
    assert failure and failure.message == "`c` failed; undone: c, a; without an undo: b"
    assert failure.cause == "S100 at /s/c/do: ValueError: broken"


def test_steps_and_undos_see_the_outputs_before_them() -> None:
    seen: list[Any] = []

    async def undo(scope: Context, output: Any, done: Done) -> None:
        seen.append((output, dict(done)))
        await scope.step("do", lambda: None)

    async def fails(scope: Context, done: Done) -> Any:
        seen.append(dict(done))
        return await scope.step("do", lambda: 1 // 0)

    of(a=Undoable(does(1), undo), b=Undoable(does(2), undo), c=Undoable(fails, undo)).play()
    assert seen == [{"a": 1, "b": 2}, (None, {"a": 1, "b": 2}), (2, {"a": 1}), (1, {})]


def test_what_was_skipped_is_not_undone() -> None:
    skipped = Undoable(does("b"), does("b back"), when=lambda done: done["a"] != 1)
    stage = of(a=Undoable(does(1)), b=skipped, c=Undoable(does(BROKEN)))
    stage.play()
    assert stage.paths("step.skipped") == ["/s/b"]
    assert not [path for path in stage.paths("step.succeeded") if path.startswith("/s/undo")]


def test_a_condition_that_fails_fails_the_step_which_has_nothing_to_undo() -> None:
    never = Undoable(does("b"), does("b back"), when=lambda done: done["no such"])
    stage = of(a=Undoable(does(1), does("a back")), b=never)
    failure = stage.play().failure
    assert failure and failure.message == "`b` failed; undone: a"
    check_resume(stage)


@pytest.mark.parametrize("name", ["undo", "failed", "again"])
def test_names_of_its_own_records_are_refused(name: str) -> None:
    ended = of(**{name: Undoable(does(1))}).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/s")


def test_it_resumes_at_every_event() -> None:
    for stage in (three(), three(BROKEN)):
        stage.play()
        check_resume(stage)


def test_no_step_of_an_undone_saga_runs_again_before_the_undo_is_done() -> None:
    calls: list[Any] = []
    stage = of(a=Undoable(does(1), does("back", calls)), b=Undoable(does(BROKEN, calls)))
    stage.play()
    at = next(event.seq for event in stage.events if event.path == "/s/failed")
    for events in range(at, len(stage.events) - 1):
        calls.clear()
        assert stage.cut(events).resume().status == "failed"
        assert BROKEN not in calls


def fails_once(value: Any, calls: list[int]) -> Any:
    def work() -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("once")
        return value

    async def body(scope: Context, *_given: Any) -> Any:
        return await scope.step("do", work)

    return body


def test_a_resume_after_it_was_undone_begins_it_anew() -> None:
    charged: list[Any] = []
    stage = of(a=Undoable(does(1, charged), does("back")), b=Undoable(fails_once("b", [])))
    assert stage.play().status == "failed"
    assert stage.resume().output == "b"
    assert charged == [1, 1]
    assert "/s/a#2/do" in stage.paths("step.succeeded")


@pytest.mark.parametrize("verb", ["retry", "accept", "skip"])
def test_deciding_a_step_by_hand_that_was_undone_begins_it_anew_too(verb: str) -> None:
    stage = of(a=Undoable(does(1), does("back")), b=Undoable(fails_once("b", [])))
    stage.play()
    stage.direct(verb, "/s/b", *(["by hand"] if verb == "accept" else []))
    assert stage.resume().output == "b"


def test_the_second_time_too_it_resumes_at_every_event() -> None:
    calls: list[int] = []
    stage = of(a=Undoable(does(1), does("back")), b=Undoable(fails_once("b", calls)))
    stage.play()
    stage.resume()
    first = max(event.seq for event in stage.events if event.kind_name == "run.reopened")
    for events in range(first, len(stage.events)):
        assert stage.cut(events).resume().output == "b"


# --- an undo that fails -------------------------------------------------------------------------------


def stuck(calls: list[int]) -> Stage:
    return of(a=Undoable(does(1), fails_once("back", calls)), b=Undoable(does(BROKEN)))


GATE = "/s/undo/a/decide"


def test_a_failed_undo_is_kept_and_waits_for_a_person() -> None:
    stage = stuck([])
    ended = stage.play()
    assert ended.status == "waiting" and ended.waiting == (GATE,)
    (letter,) = [event for event in stage.events if event.name == "dead-letter"]
    assert (letter.path, letter.body["value"]["failure"]["code"]) == ("/s/undo/a/dead-letter", "S100")


def test_the_question_names_the_undo_and_its_failure() -> None:
    stage = stuck([])
    stage.play()
    (asked,) = [event for event in stage.events if event.path == GATE]
    assert asked.body["question"].startswith(
        "Undoing `a` has failed: ValueError: once (S100 at /s/undo/a/try"
    )
    assert asked.body["options"] == ["retry", "skip"]


@pytest.mark.parametrize(("answer", "said"), [("retry", "undone: a"), ("skip", "undone by hand: a")])
def test_a_person_has_it_tried_again_or_has_done_it_by_hand(answer: str, said: str) -> None:
    stage = stuck([])
    stage.play()
    stage.post("answer", path=GATE, value=answer)
    failure = stage.resume().failure
    assert failure and failure.message == f"`b` failed; {said}"


def test_an_answer_that_is_none_of_the_options_does_not_count() -> None:
    stage = stuck([])
    stage.play()
    stage.post("answer", path=GATE, value="perhaps")
    assert stage.resume().waiting[0].startswith(GATE)


def test_the_gate_survives_a_crash_at_every_event() -> None:
    stage = stuck([])
    stage.play()
    for events in range(1, len(stage.events)):
        if any(event.name == "dead-letter" for event in stage.events[:events]):
            assert stage.cut(events).resume().waiting == (GATE,)


# --- cancelled, late --------------------------------------------------------------------------------


def waiting_in(step: str, *, undo: Any = None) -> Stage:
    async def slow(ctx: Context) -> None:
        await ctx.step("wait", asyncio.Event().wait)

    async def both(scope: Context, _done: Done) -> Any:
        async def stop(ctx: Context) -> None:
            await ctx.step("stop", lambda: stage.execution.cancel(step))

        return await parallel(scope, "p", {"slow": slow, "stop": stop})

    stage = of(a=Undoable(does(1), undo or does("back")), b=Undoable(both))
    return stage


def undone(stage: Stage) -> list[str]:
    return [path for path in stage.paths("step.succeeded") if path.startswith("/s/undo")]


def test_a_cancelled_step_has_failed_and_is_undone() -> None:
    stage = waiting_in("/s/b")
    failure = stage.play().failure
    assert failure and failure.type == "SagaUndone"
    assert undone(stage) == ["/s/undo/a/try/do"]


@pytest.mark.parametrize("path", ["/s", "/"])
def test_a_cancelled_saga_stops_and_undoes_nothing(path: str) -> None:
    stage = waiting_in(path)
    stage.play()
    assert undone(stage) == []


def test_a_saga_that_is_late_undoes_what_it_has_done() -> None:
    async def late(scope: Context, _done: Done) -> None:
        await scope.sleep(100)

    async def flow(ctx: Context) -> Any:
        from_here = Undoable(does(1), does("back"))
        ctx.prepare(Opening(timeout_s=10))
        return await saga(ctx, "s", {"a": from_here, "b": Undoable(late, does("b back"))})

    stage = Stage(flow)
    failure = stage.play().failure
    assert failure and failure.message == "`b` failed; undone: b, a"
    assert failure.cause.startswith("S103 at /s: ")
    check_resume(stage)


def test_an_undo_that_was_cancelled_goes_on_when_the_run_is_resumed() -> None:
    calls: list[int] = []

    async def stops(scope: Context, _output: Any, _done: Done) -> Any:
        async def stop(ctx: Context) -> None:
            calls.append(1)
            await ctx.step("stop", lambda: stage.execution.cancel() if len(calls) == 1 else None)

        return await parallel(scope, "p", {"stop": stop, "slow": lambda c: c.sleep(5)})

    stage = of(a=Undoable(does(1), stops), b=Undoable(does(BROKEN)))
    assert stage.play().status == "cancelled"
    ended = stage.resume()
    assert ended.failure and ended.failure.message == "`b` failed; undone: a"


def test_it_fails_the_same_whatever_the_failure_is() -> None:
    missing = AgentUnavailable("there is no such program")
    failure = three(missing).play().failure
    assert failure and failure.detail["failure"]["code"] == "S105"


def test_it_nests_in_its_own_undo() -> None:
    async def nested(scope: Context, *_given: Any) -> Any:
        return await saga(
            scope, "in", {"x": Undoable(does("x"), does("x back")), "y": Undoable(does(BROKEN))}
        )

    stage = of(a=Undoable(does(1), does("back")), b=Undoable(nested))
    failure = stage.play().failure
    assert failure and failure.cause == "P220 at /s/b/in: `y` failed; undone: x"
    check_resume(stage)

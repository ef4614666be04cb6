"""`streams`: they run side by side and meet where they say so; nobody waits for ever, and nothing is lost."""

import asyncio
from typing import Any

import pytest

from maestri.errors import StepFailed
from maestri.kernel.body import Opening
from maestri.kernel.context import Context
from maestri.patterns import parallel, streams
from maestri.patterns._registry import Stream
from maestri.testing.play import Stage, check_resume


def stream(*parts: Any, slow_s: float = 0) -> Stream:
    """Return a stream of parts: `"=x"` meets at the point `x`, `"!"` fails, other texts are steps."""

    async def body(scope: Context, meet: Any) -> Any:
        last = None
        if slow_s:
            await scope.sleep(slow_s)
        for number, part in enumerate(parts):
            if part.startswith("="):
                last = await meet(scope, f"meet{number}", part[1:], last)
            elif part == "!":
                await scope.step("fail", lambda: 1 // 0)
            elif part == "?":
                last = await scope.ask("ask", "What?")
            else:
                last = await scope.step(f"step{number}", lambda part=part: part)
        return last

    return Stream(body, tuple(part[1:] for part in parts if part.startswith("=")))


def of(integrate: Any = None, **branches: Any) -> Stage:
    return Stage(lambda ctx: streams(ctx, "s", branches, integrate=integrate))


async def plain(scope: Context) -> Any:
    return await scope.step("do", lambda: "plain")


def test_streams_that_meet_see_what_each_has_brought() -> None:
    stage = of(api=stream("v1", "=contract", "built"), ui=stream("sketch", "=contract"))
    assert stage.play().output == {"api": "built", "ui": {"api": "v1", "ui": "sketch"}}


def test_who_meets_is_on_record_before_anybody_goes_on() -> None:
    stage = of(api=stream("v1", "=contract", "built"), ui=stream("=contract"))
    stage.play()
    order = [event.path for event in stage.events]
    assert order.index("/s/sync/contract/met") < order.index("/s/api/step2")
    assert order.index("/s/sync/contract") < order.index("/s/api/meet1", order.index("/s/sync/contract"))


def test_nobody_goes_on_before_all_are_there() -> None:
    stage = of(api=stream("=x", "after"), ui=stream("long", "=x", slow_s=60))
    stage.play()
    done = stage.paths("step.succeeded")
    assert done.index("/s/ui/step0") < done.index("/s/api/step1")


def test_a_stream_that_names_no_point_is_stopped_by_none() -> None:
    stage = of(api=stream("=x"), ui=stream("=x", slow_s=60), docs=plain)
    stage.play()
    done = [event.path for event in stage.events if event.kind_name == "scope.succeeded"]
    assert done.index("/s/docs") < done.index("/s/sync/x")


def test_they_meet_at_several_points_one_after_the_other() -> None:
    stage = of(a=stream("1", "=x", "2", "=y"), b=stream("=x"), c=stream("3", "=y"))
    assert stage.play().output["a"] == {"a": "2", "c": "3"}
    check_resume(stage)


def test_what_they_have_made_is_integrated() -> None:
    async def integrate(scope: Context, made: Any) -> Any:
        return await scope.step("join", lambda: sorted(made))

    stage = of(integrate, a=plain, b=plain)
    assert stage.play().output == ["a", "b"]
    assert "/s/integrate/join" in stage.paths("step.succeeded")


def test_a_stream_that_ends_without_having_come_is_not_waited_for() -> None:
    async def shy(scope: Context, _meet: Any) -> Any:
        return await scope.step("do", lambda: 1)

    stage = of(a=stream("1", "=x"), b=Stream(shy, ("x",)))
    assert stage.play().output["a"] == {"a": "1"}
    check_resume(stage)


def test_a_stream_that_skips_a_point_is_not_waited_for_there() -> None:
    async def skips(scope: Context, meet: Any) -> Any:
        meet.skip("x")
        await scope.sleep(60)
        return await meet(scope, "meet", "y", "late")

    stage = of(a=stream("1", "=x", "2", "=y"), b=Stream(skips, ("x", "y")))
    assert stage.play().output == {"a": {"a": "2", "b": "late"}, "b": {"a": "2", "b": "late"}}
    check_resume(stage)


# --- failures ---------------------------------------------------------------------------------------


def test_who_waits_for_a_stream_that_fails_fails_with_a_reason_that_names_it() -> None:
    stage = of(a=stream("1", "=x"), b=stream("!", "=x"), c=plain)
    failure = stage.play().failure
    assert failure and (failure.code, failure.path) == ("S100", "/s/b/fail")
    (missed,) = [e for e in stage.events if e.kind_name == "scope.failed" and e.path == "/s/a/meet1"]
    assert missed.body["failure"]["code"] == "P225"
    assert missed.body["failure"]["message"] == "the stream `b` failed before the streams met at `x`"


def test_the_others_go_on_when_one_fails() -> None:
    stage = of(a=stream("!"), b=stream("1", "2", slow_s=60))
    stage.play()
    assert "/s/b/step1" in stage.paths("step.succeeded")


def test_several_failures_are_told_together() -> None:
    failure = of(a=stream("!"), b=stream("!"), c=plain).play().failure
    assert failure and (failure.code, failure.message) == ("P201", "2 streams failed")


def fails_once(calls: list[int]) -> Any:
    async def body(scope: Context, meet: Any) -> Any:
        def work() -> int:
            calls.append(1)
            if len(calls) == 1:
                raise StepFailed("once", fix="again")
            return 7

        await scope.step("do", work)
        return await meet(scope, "meet", "x", "b")

    return Stream(body, ("x",))


def test_after_a_resume_all_of_them_meet_after_all() -> None:
    stage = of(a=stream("1", "=x", "2"), b=fails_once([]), c=stream("=x"))
    assert stage.play().status == "failed"
    assert stage.resume().output == {"a": "2", "b": {"a": "1", "b": "b", "c": None}} | {
        "c": {"a": "1", "b": "b", "c": None}
    }
    assert stage.paths("step.succeeded").count("/s/a/step0") == 1


def test_a_failure_after_the_meeting_does_not_undo_it() -> None:
    calls: list[int] = []

    async def late(scope: Context, meet: Any) -> Any:
        await meet(scope, "meet", "x", "a")

        def work() -> int:
            calls.append(1)
            return 1 // (len(calls) - 1)

        return await scope.step("do", work)

    stage = of(a=Stream(late, ("x",)), b=stream("b", "=x", "2"))
    assert stage.play().status == "failed"
    assert stage.resume().output == {"a": 1, "b": "2"}
    assert stage.paths("decided").count("/s/sync/x/met") == 1


# --- what cannot work ---------------------------------------------------------------------------------


def refusal(**branches: Any) -> str:
    failure = of(**branches).play().failure
    assert failure and (failure.code, failure.path) == ("S108", "/s")
    return failure.message


def test_points_that_nobody_else_names_are_refused() -> None:
    message = "only `a` names the sync point `x`, so that nobody meets there"
    assert refusal(a=stream("=x"), b=plain) == message


def test_points_in_opposite_order_are_refused() -> None:
    said = refusal(a=stream("=x", "=y"), b=stream("=y", "=x"))
    assert said in {
        "these sync points wait for each other: x → y → x",
        "these sync points wait for each other: y → x → y",
    }


def test_a_longer_circle_is_found_too() -> None:
    said = refusal(a=stream("=x", "=y"), b=stream("=y", "=z"), c=stream("=z", "=x"))
    assert said.startswith("these sync points wait for each other: ")


def test_a_point_twice_in_one_stream_is_refused() -> None:
    assert refusal(a=stream("=x", "=x"), b=stream("=x")) == "`a` names the sync point `x` twice"


@pytest.mark.parametrize("name", ["sync", "integrate"])
def test_names_of_its_own_are_refused(name: str) -> None:
    failure = Stage(lambda ctx: streams(ctx, "s", {name: plain})).play().failure
    assert failure and failure.message.startswith(f"`{name}` cannot be the name of a stream")


def test_a_point_that_was_not_declared_fails_the_stream() -> None:
    async def undeclared(scope: Context, meet: Any) -> Any:
        return await meet(scope, "meet", "y")

    failure = of(a=Stream(undeclared, ("x",)), b=stream("=x")).play().failure
    assert failure and failure.message == "the stream `a` has not declared the sync point `y`"


def test_a_point_that_is_past_fails_the_stream() -> None:
    async def back(scope: Context, meet: Any) -> Any:
        await meet(scope, "first", "y")
        return await meet(scope, "second", "x")

    failure = of(a=Stream(back, ("x", "y")), b=stream("=x", "=y")).play().failure
    assert failure and failure.message == "the stream `a` is past the sync point `x`"


# --- people, cancelling, crashes ------------------------------------------------------------------------


def test_a_person_is_asked_in_one_stream_while_others_wait_and_the_run_is_parked() -> None:
    stage = of(a=stream("1", "=x"), b=stream("?", "=x"), c=stream("?"))
    assert stage.play().waiting == ("/s/b/ask", "/s/c/ask")
    stage.post("answer", path="/s/b/ask", value="yes")
    assert stage.resume().waiting == ("/s/c/ask",)
    stage.post("answer", path="/s/c/ask", value="no")
    assert stage.resume().output["a"] == {"a": "1", "b": "yes"}


def test_it_waits_for_a_person_wherever_it_was_cut_off() -> None:
    stage = of(a=stream("1", "=x"), b=stream("?", "=x"))
    stage.play()
    for events in range(1, len(stage.events)):
        assert stage.cut(events).resume().waiting == ("/s/b/ask",)


def stopping(path: str, *, point: str = "x") -> Stream:
    async def body(scope: Context, meet: Any) -> Any:
        async def stop(ctx: Context) -> None:
            await ctx.sleep(5)
            await ctx.step("stop", lambda: stopping.stage.execution.cancel(path))  # type: ignore[attr-defined]

        await parallel(scope, "p", {"stop": stop, "slow": lambda c: c.sleep(60)})
        return await meet(scope, "meet", point)

    return Stream(body, (point,))


@pytest.mark.parametrize("path", ["/s", "/s/a", "/s/a/meet1", "/s/sync", "/s/sync/x"])
def test_it_is_cancelled_at_each_part_and_nobody_waits_for_ever(path: str) -> None:
    stage = of(a=stream("1", "=x"), b=stopping(path))
    stopping.stage = stage  # type: ignore[attr-defined]
    failure = stage.play().failure
    assert failure and (failure.type, failure.path) == ("StepCancelled", path)


def test_a_sync_that_takes_too_long_fails_its_stream() -> None:
    async def impatient(scope: Context, meet: Any) -> Any:
        scope.prepare(Opening(timeout_s=5))
        return await meet(scope, "meet", "x", "a")

    stage = of(a=Stream(impatient, ("x",)), b=stream("=x", slow_s=60))
    failure = stage.play().failure
    assert failure and (failure.code, failure.path) == ("S103", "/s/a/meet")


@pytest.mark.parametrize(
    "branches",
    [
        {"a": stream("1", "=x", "2"), "b": stream("3", "=x")},
        {"a": stream("1", "=x", "2", "=y"), "b": stream("=x", "4", "=y", "5"), "c": stream("=y"), "d": plain},
        {"a": stream("1", "=x"), "b": stream("!", "=x"), "c": stream("6", slow_s=30)},
        {"a": stream("1", "=x", "=y", "2"), "b": stream("=x", "!"), "c": stream("=y", slow_s=30)},
    ],
)
def test_it_resumes_at_every_event(branches: Any) -> None:
    stage = of(**branches)
    stage.play()
    check_resume(stage)


def test_a_stream_that_has_ended_has_met_also_where_the_others_were_cut_off() -> None:
    stage = of(a=stream("1", "=x"), b=stream("2", "=x", "3", slow_s=10), c=stream("4", "=x", "5", slow_s=20))
    output = stage.play().output
    for events in range(1, len(stage.events)):
        assert stage.cut(events).resume().output == output


def test_it_nests_in_itself() -> None:
    async def inner(scope: Context, meet: Any) -> Any:
        made = await streams(scope, "in", {"p": stream("7", "=x"), "q": stream("=x")})
        return await meet(scope, "meet", "x", made["p"])

    stage = of(a=Stream(inner, ("x",)), b=stream("8", "=x"))
    assert stage.play().output["b"] == {"a": {"p": "7", "q": None}, "b": "8"}
    check_resume(stage)


def test_many_streams_meet_without_a_task_that_runs() -> None:
    branches = {f"s{number}": stream(str(number), "=x") for number in range(100)}
    stage = of(**branches)
    assert stage.play().output["s0"]["s99"] == "99"


def test_no_asyncio_task_is_left() -> None:
    async def flow() -> int:
        stage = of(a=stream("=x"), b=stream("!", "=x"))
        await (await stage.start()).wait()
        await stage.execution.over()
        return len(asyncio.all_tasks())

    assert asyncio.run(flow()) == 1

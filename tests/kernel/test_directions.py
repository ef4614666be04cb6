"""What people decide about steps by hand: what may be decided, and that a decision is used once."""

from dataclasses import dataclass
from typing import Any

import pytest

from maestri.errors import InputInvalid, PathNotFound, RunError
from maestri.kernel.context import Context
from maestri.patterns import loop, parallel
from maestri.testing.play import Stage


@dataclass
class Size:
    width: int


def broken() -> Any:
    message = "x"
    raise ValueError(message)


def refused_step(ctx: Context) -> Any:
    return ctx.refuse("bad", InputInvalid("no value"))


def unsendable_step(ctx: Context) -> Any:
    return ctx.step("bad", print, {1, 2})


def refused_pattern(ctx: Context) -> Any:
    return parallel(ctx, "bad", {}, max_concurrent=0)


@pytest.mark.parametrize("flow", [refused_step, unsendable_step, refused_pattern])
@pytest.mark.parametrize(("verb", "output"), [("skip", None), ("accept", 7)])
def test_a_step_that_could_not_be_asked_for_can_be_decided(flow: Any, verb: str, output: Any) -> None:
    stage = Stage(flow)
    assert stage.play().status == "failed"
    stage.direct(verb, "/bad", 7)
    assert stage.resume().output == output


def test_a_step_that_is_raised_in_place_of_a_branch_can_be_accepted() -> None:
    from_body = "raised by the body"

    async def raises(_: Context) -> Any:
        raise ValueError(from_body)

    raises.is_one_step = True  # type: ignore[attr-defined]
    stage = Stage(lambda ctx: loop(ctx, "l", lambda c, _n, _l: raises(c), max_rounds=1))
    assert stage.play().status == "failed"
    stage.direct("accept", "/l/round", 3)
    assert stage.resume().output == 3


def sized(mended: list[bool]) -> Any:
    def size() -> Any:
        return {"width": 2} if mended else broken()

    return lambda ctx: ctx.call("s", size, returns=Size)


def test_an_accepted_output_that_does_not_fit_fails_and_the_step_is_done_at_the_next_resume() -> None:
    mended: list[bool] = []
    stage = Stage(sized(mended))
    stage.play()
    stage.direct("accept", "/s", {"height": 1})
    failure = stage.resume().failure
    assert failure is not None
    assert (failure.type, failure.path) == ("OutputInvalid", "/s")
    mended.append(True)
    assert stage.resume().status == "succeeded"


def test_an_accepted_output_that_does_not_fit_can_be_decided_again() -> None:
    stage = Stage(sized([]))
    stage.play()
    stage.direct("accept", "/s", {"height": 1})
    stage.resume()
    stage.direct("accept", "/s", {"width": 5})
    assert stage.resume().output == {"width": 5}


def test_an_output_accepted_for_a_scope_that_does_not_fit_names_the_scope() -> None:
    async def body(ctx: Context) -> Size:
        return Size(await ctx.step("w", broken))

    stage = Stage(lambda ctx: ctx.scope("sc", body))
    stage.play()
    stage.direct("accept", "/sc", {"height": 1})
    failure = stage.resume().failure
    assert failure is not None
    assert (failure.code, failure.path) == ("S104", "/sc")


def test_a_decision_that_had_nothing_to_decide_is_void_and_is_not_applied_later() -> None:
    is_broken: list[bool] = []

    async def flow(ctx: Context) -> Any:
        await ctx.signal("go")
        return await ctx.step("s", lambda: broken() if is_broken else 1)

    stage = Stage(flow)
    stage.play()
    stage.post("skip", path="/s")
    stage.resume()
    stage.post("signal", name="go")
    is_broken.append(True)
    assert [stage.resume().status, stage.resume().status] == ["failed", "failed"]
    voids = [e.body["void"] for e in stage.events if e.kind_name == "run.directed" and "void" in e.body]
    assert voids == [True]


def test_a_round_that_its_loop_has_left_behind_cannot_be_decided() -> None:
    async def a_round(ctx: Context, number: int, _last: Any) -> Any:
        try:
            return await ctx.step("w", broken if number == 2 else lambda: number)
        except RunError:
            return "handled"

    async def flow(ctx: Context) -> Any:
        await loop(ctx, "l", a_round, max_rounds=3)
        return await ctx.step("end", broken)

    stage = Stage(flow)
    stage.play()
    events = len(stage.events)
    with pytest.raises(PathNotFound, match="has gone on since its round 2"):
        stage.direct("retry", "/l/round#2/w")
    assert len(stage.events) == events


def test_a_scope_that_is_only_called_round_can_be_decided() -> None:
    mended: list[bool] = []

    async def handles(ctx: Context) -> Any:
        try:
            return await ctx.step("w", lambda: 2 if mended else broken())
        except RunError:
            return "handled"

    async def flow(ctx: Context) -> Any:
        async def rounds(inner: Context) -> Any:
            return [await inner.scope("round", handles) for _ in range(2)]

        found = await ctx.scope("l", rounds)
        await ctx.step("end", lambda: 1 if mended else broken())
        return found

    stage = Stage(flow)
    stage.play()
    mended.append(True)
    stage.direct("retry", "/l/round/w")
    assert stage.resume().output == [2, "handled"]

"""A verb takes from the journal what it has written itself, or a person has decided; all else is refused."""

from typing import Any

import pytest

from maestri.errors import StepChanged
from maestri.kernel.context import Context
from maestri.testing.play import Stage


async def in_a_scope(ctx: Context) -> Any:
    return await ctx.scope("x", lambda scope: scope.step("y", lambda: 1))


VERBS: dict[str, Any] = {
    "step": lambda ctx: ctx.step("x", int),
    "scope": in_a_scope,
    "decide": lambda ctx: ctx.decide("x", lambda: 5),
    "sleep": lambda ctx: ctx.sleep(5, "x"),
    "signal": lambda ctx: ctx.signal("x"),
    "ask": lambda ctx: ctx.ask("x", "Go on?"),
    "skip": lambda ctx: ctx.skip("x"),
}
PAIRS = [(one, other) for one in VERBS for other in VERBS if one != other]


def replayed_as(first: str, then: str) -> Stage:
    """Return a run that has done one verb at `/x` and failed behind it, and now asks for another."""
    asked = [first]

    async def flow(ctx: Context) -> Any:
        output = await VERBS[asked[0]](ctx)
        if asked[0] == first:
            await ctx.step("end", lambda: 1 / 0)
        return output

    stage = Stage(flow)
    stage.play()
    if first in {"signal", "ask"}:
        stage.post("signal", name="x", value=1)
        stage.post("answer", path="/x", value=1)
        stage.resume()
    assert stage.state.status == "failed"
    asked[0] = then
    return stage


@pytest.mark.parametrize(("first", "then"), PAIRS)
def test_a_record_of_one_verb_is_not_given_to_another(first: str, then: str) -> None:
    stage = replayed_as(first, then)
    with pytest.raises(StepChanged) as caught:
        stage.resume()
    assert caught.value.path == "/x"


def test_the_refusal_says_what_is_asked_for_and_what_is_there() -> None:
    with pytest.raises(StepChanged, match="asks for a step, and the journal has a decided value here"):
        replayed_as("decide", "step").resume()
    with pytest.raises(StepChanged, match="asks for a scope, and the journal has a step here"):
        replayed_as("step", "scope").resume()


@pytest.mark.parametrize("verb", ["step", "scope", "signal", "ask", "sleep"])
@pytest.mark.parametrize("decision", ["accept", "skip"])
def test_what_a_person_has_decided_fits_every_verb(verb: str, decision: str) -> None:
    asked = ["broken"]

    async def flow(ctx: Context) -> Any:
        if asked[0] == "broken":
            return await ctx.step("x", lambda: 1 / 0)
        return await VERBS[asked[0]](ctx)

    stage = Stage(flow)
    stage.play()
    stage.direct(decision, "/x", 9)
    asked[0] = verb
    assert stage.resume().output == (9 if decision == "accept" and verb != "sleep" else None)

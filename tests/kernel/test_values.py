"""What goes through a journal: the live caller sees what a replay would."""

import asyncio
import dataclasses
import enum
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from maestri.kernel.context import Context
from maestri.testing.play import Stage


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Pair(NamedTuple):
    left: Point
    right: list[Colour]


def both(function: Callable[[], Any], returns: Any = None) -> tuple[Any, Any]:
    """Return what a step gives live, and what it gives when it is replayed."""
    seen: list[Any] = []

    async def flow(ctx: Context) -> Any:
        seen.append(await ctx.call("a", function, returns=returns))
        await ctx.step("end", lambda: 1)

    stage = Stage(flow)
    assert stage.play().failure is None
    stage.cut(3).resume()
    return seen[0], seen[1]


@pytest.mark.parametrize(
    ("value", "decoded"),
    [
        ((1, 2), [1, 2]),
        ({"a": (1,)}, {"a": [1]}),
        ({1: "a"}, {"1": "a"}),
        (Colour.RED, "red"),
        (Point(1), {"x": 1, "y": 0}),
        ([Pair(Point(1, 2), [Colour.RED])], [{"left": {"x": 1, "y": 2}, "right": ["red"]}]),
        ("ümläut ☃ 🎻", "ümläut ☃ 🎻"),
        ("\x00\x1b[31m\u2028", "\x00\x1b[31m\u2028"),
        (1.5, 1.5),
        (2**70, 2**70),
        (None, None),
        ("x" * 200_000, "x" * 200_000),
        ({"$blob": "x"}, {"$blob": "x"}),
    ],
)
def test_a_value_is_seen_in_its_decoded_form_live_and_on_replay(value: Any, decoded: Any) -> None:
    assert both(lambda: value) == (decoded, decoded)


@pytest.mark.parametrize("value", [{1}, b"bytes", object(), float("nan"), float("inf"), "\ud800", 1j])
def test_what_json_cannot_carry_fails_the_step_with_words(value: Any) -> None:
    ended = Stage(lambda ctx: ctx.step("a", lambda: value)).play()
    assert ended.failure and (ended.failure.type, ended.failure.path) == ("ValueRefused", "/a")
    assert ended.failure.fix


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert Stage(lambda ctx: ctx.step("a", lambda: endless)).play().status == "failed"


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_an_argument_that_json_cannot_carry_fails_the_step_that_was_to_get_it(value: Any) -> None:
    stage = Stage(lambda ctx: ctx.step("a", str, value))
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S106", "/a")
    assert stage.state.steps["/a"].state == "failed"


@pytest.mark.parametrize(
    ("made", "returns"),
    [
        (Point(1, 2), Point),
        (Pair(Point(1, 2), [Colour.RED]), Pair),
        (Colour.RED, Colour),
        ([Point(1), Point(2)], list[Point]),
        ({"a": Point(1)}, dict[str, Point]),
        (None, Point | None),
        (3, int),
    ],
)
def test_a_typed_result_is_of_its_type_live_and_on_replay(made: Any, returns: Any) -> None:
    assert both(lambda: made, returns) == (made, made)


@pytest.mark.parametrize("made", [{"x": "text"}, {"y": 1}, {"x": 1, "z": 2}, [], None, {"x": True}])
def test_a_result_that_does_not_fit_its_type_fails_the_step(made: Any) -> None:
    async def flow(ctx: Context) -> Any:
        return await ctx.call("a", lambda: made, returns=Point)

    ended = Stage(flow).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S104", "/a")


def test_a_change_to_an_output_does_not_reach_the_journal() -> None:
    async def flow(ctx: Context) -> Any:
        found = await ctx.step("a", lambda: [1])
        found.append(2)
        await ctx.step("b", lambda: 1)
        return found

    stage = Stage(flow)
    assert stage.play().output == [1, 2]
    assert stage.cut(3).resume().output == [1, 2]


def test_sync_async_bound_and_partial_functions_are_all_called() -> None:
    class Service:
        async def asked(self, n: int) -> int:
            await asyncio.sleep(0)
            return n

        def told(self, n: int) -> int:
            return n

    async def flow(ctx: Context) -> Any:
        service = Service()
        return [await ctx.step(n, f, 1) for n, f in (("a", service.asked), ("t", service.told), ("i", int))]

    assert Stage(flow).play().output == [1, 1, 1]


def test_a_generator_is_no_value() -> None:
    ended = Stage(lambda ctx: ctx.step("a", lambda: (n for n in range(3)))).play()
    assert ended.failure and ended.failure.code == "S106"


def test_a_name_with_a_quote_in_an_agent_keeps_the_journal_readable() -> None:
    stage = Stage(lambda ctx: ctx.agent("a", "go", by='the "best"'))
    assert stage.play().status == "failed"
    assert stage.state.steps["/a"].agent == 'the "best"'

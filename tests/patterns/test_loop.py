"""`loop`: rounds, until a condition holds, a cap is reached or nothing changes any more."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from maestri.engines.memory import MemoryEngine, MemoryJournal
from maestri.errors import RunError
from maestri.kernel.context import Context
from maestri.kernel.events import Stored
from maestri.patterns import loop, parallel
from maestri.testing.play import Stage, check_resume


async def count_up(ctx: Context, number: int, last: Any) -> Any:
    return await ctx.step("r", lambda: (last or 0) + number)


def staged(steps: Any = count_up, **options: Any) -> Stage:
    return Stage(lambda ctx: loop(ctx, "l", steps, **options))


def test_rounds_are_numbered_and_carry_the_last_output() -> None:
    stage = staged(until=lambda _c, _n, output: output >= 6)
    assert stage.play().output == 6
    assert stage.paths("scope.succeeded") == ["/l/round", "/l/round#2", "/l/round#3", "/l"]


def test_start_is_the_last_output_of_the_first_round() -> None:
    assert staged(start=10, max_rounds=1).play().output == 11


def test_while_is_judged_before_each_round_and_may_allow_none() -> None:
    assert staged(while_=lambda _c, number, _last: number <= 2).play().output == 3
    assert staged(while_=lambda _c, _n, _last: False, start="kept").play().output == "kept"


def test_until_sees_what_the_round_has_left_in_its_scope() -> None:
    async def a_round(ctx: Context, number: int, _last: Any) -> Any:
        ctx.names = {"seen": number}
        return await ctx.step("r", lambda: None)

    stage = staged(a_round, until=lambda scope, _n, _o: scope.names["seen"] == 2)
    stage.play()
    assert stage.paths("step.succeeded") == ["/l/round/r", "/l/round#2/r"]


@pytest.mark.covers("limit")
def test_the_cap_fails_a_loop_that_has_a_condition() -> None:
    ended = staged(until=lambda *_: False, max_rounds=2).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P202", "/l")


def test_the_cap_may_be_accepted_and_ends_a_loop_without_a_condition() -> None:
    assert staged(until=lambda *_: False, max_rounds=2, on_cap="accept").play().output == 3
    assert staged(max_rounds=3).play().output == 6


async def same(ctx: Context, _number: int, _last: Any) -> Any:
    return await ctx.step("r", lambda: ["the", "same"])


def test_no_progress_stops_a_loop_that_goes_on_giving_the_same() -> None:
    stage = staged(same, until=lambda *_: False, no_progress=3)
    ended = stage.play()
    assert ended.failure and ended.failure.code == "P203"
    assert len(stage.paths("step.succeeded")) == 3


def test_no_progress_may_be_accepted() -> None:
    assert staged(same, no_progress=2, on_cap="accept").play().output == ["the", "same"]


@pytest.mark.parametrize("options", [{"max_rounds": 0}, {"no_progress": 1}])
def test_numbers_that_are_too_small_are_refused_at_the_path_of_the_loop(options: Any) -> None:
    ended = staged(**options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/l")


def test_a_condition_that_raises_fails_its_round() -> None:
    ended = staged(until=lambda *_: 1 // 0).play()
    assert ended.failure and ended.failure.path == "/l/round"


def fails_in_round(which: int, calls: list[int]) -> Any:
    async def a_round(ctx: Context, number: int, last: Any) -> Any:
        def work() -> int:
            calls.append(number)
            if number == which and calls.count(number) == 1:
                message = "once"
                raise ValueError(message)
            return (last or 0) + number

        return await ctx.step("r", work)

    return a_round


def test_a_failed_round_that_is_reopened_goes_on_where_it_was() -> None:
    calls: list[int] = []
    stage = staged(fails_in_round(2, calls), max_rounds=4)
    assert stage.play().status == "failed"
    assert stage.resume().output == 10
    assert calls == [1, 2, 2, 3, 4]


def test_a_round_accepted_by_hand_is_the_last_one_for_the_next() -> None:
    calls: list[int] = []
    stage = staged(fails_in_round(2, calls), max_rounds=3)
    stage.play()
    stage.direct("accept", "/l/round#2", 100)
    assert stage.resume().output == 103
    assert calls == [1, 2, 3]


def test_a_round_skipped_by_hand_gives_nothing_to_the_next() -> None:
    calls: list[int] = []
    stage = staged(fails_in_round(2, calls), max_rounds=3)
    stage.play()
    stage.direct("skip", "/l/round#2")
    assert stage.resume().output == 3


def test_a_resume_does_not_read_the_rounds_before_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(max_rounds=50)
    stage.play()
    cut = stage.cut(len(stage.events) - 6)
    asked: set[str] = set()
    settled = MemoryJournal.settled

    async def noted(self: MemoryJournal, scope: str) -> Sequence[Stored]:
        asked.add(scope)
        return await settled(self, scope)

    monkeypatch.setattr(MemoryJournal, "settled", noted)
    assert cut.resume().status == "succeeded"
    assert len(asked) < 6


def test_failures_handled_in_rounds_are_counted_also_across_a_resume() -> None:
    async def a_round(ctx: Context, number: int, _last: Any) -> Any:
        try:
            return await ctx.step("bad", lambda: 1 // 0)
        except RunError:
            return number

    stage = staged(a_round, max_rounds=4)
    assert stage.play().handled == 4
    for events in range(1, len(stage.events)):
        assert stage.cut(events).resume().handled == 4


def test_a_cancelled_round_fails_the_loop_and_stays_cancelled_after_a_crash() -> None:
    async def a_round(ctx: Context, number: int, _last: Any) -> Any:
        if number == 2:
            return await parallel(ctx, "p", {"stop": stop_round, "slow": slow})
        return number

    async def stop_round(ctx: Context) -> None:
        await ctx.step("stop", lambda: stage.execution.cancel("/l/round#2"))

    async def slow(ctx: Context) -> None:
        await ctx.step("slow", asyncio.Event().wait)

    stage = staged(a_round)
    ended = stage.play()
    assert (ended.failure and ended.failure.type) == "StepCancelled"
    cut = stage.cut(next(e.seq for e in stage.events if e.path == "/l/round#2" and e.kind == 32))
    resumed = cut.resume()
    assert (resumed.failure and resumed.failure.type) == "StepCancelled"


@pytest.mark.parametrize(
    "options",
    [
        {"until": lambda _c, _n, output: output >= 6},
        {"while_": lambda _c, number, _last: number < 4},
        {"max_rounds": 3},
        {"until": lambda *_: False, "max_rounds": 3},
        {"no_progress": 2, "max_rounds": 4},
    ],
)
def test_it_resumes_at_every_event(options: Any) -> None:
    stage = staged(**options)
    stage.play()
    check_resume(stage)


def test_a_loop_has_one_digest_whether_it_was_interrupted_or_not() -> None:
    stage = staged(max_rounds=3)
    stage.play()
    whole = [e.digest for e in stage.events if e.path == "/l"][-1]
    for events in range(1, len(stage.events) - 2):
        cut = stage.cut(events)
        cut.resume()
        assert [e.digest for e in cut.events if e.path == "/l"][-1] == whole


def test_it_nests_in_itself() -> None:
    async def outer(ctx: Context, number: int, last: Any) -> Any:
        return (last or 0) + await loop(ctx, "in", count_up, max_rounds=number)

    stage = staged(outer, max_rounds=3)
    assert stage.play().output == 1 + 3 + 6
    check_resume(stage)


class Reading(MemoryEngine):
    """Notes which scopes a resume reads as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.read_whole: list[str] = []

    async def lease(self, run_id: str) -> MemoryJournal:
        journal = await super().lease(run_id)
        settled = journal.settled

        async def noted(scope: str) -> Sequence[Stored]:
            self.read_whole.append(scope)
            return await settled(scope)

        journal.settled = noted  # type: ignore[method-assign]
        return journal


def test_a_resume_does_not_read_the_rounds_that_are_over() -> None:
    async def one(ctx: Context, number: int, _last: Any) -> Any:
        return await ctx.step("work", lambda: number)

    stage = Stage(lambda ctx: loop(ctx, "l", one, max_rounds=9))
    stage.play()
    cut = stage.cut(len(stage.events) - 4)
    engine = Reading()
    engine.__dict__.update(vars(cut.engine))
    cut.engine = engine
    assert cut.resume().output == 9
    assert "/l" not in engine.read_whole
    assert "/l/round#9" in engine.read_whole

"""`refine`: drafts and reviews, until a draft is accepted; the best one is kept."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from maestri.engines.memory import MemoryJournal
from maestri.errors import RunError
from maestri.kernel.context import Context
from maestri.kernel.events import Stored
from maestri.patterns import refine
from maestri.testing.play import Stage, check_resume


async def write(ctx: Context, number: int, last: Any, review: Any) -> Any:
    return await ctx.step("write", lambda: f"{last or 'draft'}, {review or number}")


async def judge(ctx: Context, _draft: Any, number: int) -> Any:
    return await ctx.step("judge", lambda: {"ok": number == 3, "score": {1: 2, 2: 9}.get(number, 5)})


def is_ok(_scope: Context, review: Any, _draft: Any, _number: int) -> bool:
    return bool(review["ok"])


def score(_scope: Context, review: Any, _draft: Any) -> Any:
    return review["score"]


def staged(draft: Any = write, review: Any = judge, until: Any = is_ok, **options: Any) -> Stage:
    return Stage(lambda ctx: refine(ctx, "r", draft, review, until, **options))


def kept(stage: Stage) -> Any:
    return [event.body["remark"] for event in stage.events if event.path == "/r" and "remark" in event.body][
        -1
    ]


async def numbered(ctx: Context, number: int, _last: Any, _review: Any) -> Any:
    return await ctx.step("write", lambda: number)


def never(*_: Any) -> bool:
    return False


def test_a_draft_is_written_anew_with_what_was_said_of_the_last_one() -> None:
    async def words(ctx: Context, _draft: Any, number: int) -> Any:
        return await ctx.step("judge", lambda: f"said {number}")

    stage = staged(review=words, until=lambda _s, _r, _d, number: number == 3)
    assert stage.play().output == "draft, 1, said 1, said 2"
    assert stage.paths("step.succeeded")[:3] == [
        "/r/round/draft/write",
        "/r/round/review/judge",
        "/r/round#2/draft/write",
    ]


def test_the_accepted_draft_is_kept_also_where_another_had_a_higher_score() -> None:
    stage = staged(numbered, score=score)
    assert stage.play().output == 3
    assert kept(stage) == {"round": 3, "score": 5, "accepted": True}


def test_at_the_cap_the_draft_with_the_highest_score_may_be_accepted() -> None:
    stage = staged(numbered, until=never, score=score, max_rounds=4, on_cap="accept")
    assert stage.play().output == 2
    assert kept(stage) == {"round": 2, "score": 9, "accepted": False}


def test_without_a_score_it_is_the_last_one() -> None:
    assert staged(numbered, until=never, max_rounds=2, on_cap="accept").play().output == 2


@pytest.mark.covers("limit")
def test_the_cap_fails_it_and_a_resume_gets_as_many_rounds_again() -> None:
    stage = staged(numbered, max_rounds=2)
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P202", "/r")
    assert ended.failure.message == "no draft was accepted in 2 rounds"
    assert stage.resume().output == 3


def test_drafts_that_do_not_change_any_more_end_it() -> None:
    async def same(ctx: Context, *_: Any) -> Any:
        return await ctx.step("write", lambda: "same")

    ended = staged(same, until=never, no_progress=2).play()
    assert ended.failure and ended.failure.code == "P203"
    assert staged(same, until=never, no_progress=2, on_cap="accept").play().output == "same"


@pytest.mark.parametrize("options", [{"max_rounds": 0}, {"no_progress": 1}])
def test_numbers_that_are_too_small_are_refused(options: Any) -> None:
    ended = staged(**options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/r")


@pytest.mark.parametrize("found", ["high", None, True])
def test_a_score_that_is_no_number_fails_its_round(found: Any) -> None:
    ended = staged(score=lambda *_: found).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/r/round")


def test_a_condition_that_raises_fails_its_round() -> None:
    ended = staged(until=lambda *_: 1 // 0).play()
    assert ended.failure and ended.failure.path == "/r/round"


@pytest.mark.parametrize("part", ["draft", "review"])
def test_a_part_that_fails_fails_it_and_is_done_again_by_a_resume(part: str) -> None:
    calls: list[int] = []

    def work() -> Any:
        calls.append(1)
        return {"ok": 1 // (len(calls) - 1)}

    async def breaks_once(ctx: Context, *_: Any) -> Any:
        return await ctx.step("s", work)

    stage = staged(**{part: breaks_once}, until=lambda _s, _r, _d, number: number == 1)
    ended = stage.play()
    assert ended.failure and ended.failure.path == f"/r/round/{part}/s"
    assert stage.resume().status == "succeeded"
    assert len(calls) == 2


@pytest.mark.parametrize("part", ["draft", "review"])
def test_it_can_be_cancelled_in_each_part(part: str) -> None:
    async def stops(ctx: Context, *_: Any) -> Any:
        await ctx.step("stop", lambda: stage.execution.cancel("/r"))
        return await ctx.sleep(10)

    stage = staged(**{part: stops})
    ended = stage.play()
    assert ended.failure and ended.failure.type == "StepCancelled"
    assert stage.paths("scope.cancelled")[-1] == "/r"


class Text(NamedTuple):
    words: str


def test_a_typed_draft_is_of_its_type_for_all_who_see_it_live_and_after_a_resume() -> None:
    async def typed(ctx: Context, number: int, last: Text | None, _review: Any) -> Text:
        before = "" if last is None else last.words
        return Text(await ctx.step("write", lambda: f"{before}{number}"))

    async def review(ctx: Context, draft: Text, number: int) -> Any:
        return await ctx.step("judge", lambda: len(draft.words) + number)

    async def flow(ctx: Context) -> str:
        found = await refine(ctx, "r", typed, review, lambda _s, _r, draft, _n: draft.words == "123")
        return found.words  # type: ignore[no-any-return]

    stage = Stage(flow)
    assert stage.play().output == "123"
    check_resume(stage)


def test_a_round_decided_by_hand_gives_its_draft() -> None:
    async def breaks(ctx: Context, number: int, last: Any, _review: Any) -> Any:
        return await ctx.step("write", lambda: 1 // 0 if number == 2 else f"{last}, {number}")

    stage = staged(breaks, until=lambda _s, _r, _d, number: number == 3)
    stage.play()
    stage.direct("accept", "/r/round#2", "by hand")
    assert stage.resume().output == "by hand, 3"


def test_a_person_may_be_the_reviewer() -> None:
    async def person(ctx: Context, draft: Any, _number: int) -> Any:
        return await ctx.ask("ok", f"{draft}?", ["yes", "no"])

    stage = staged(numbered, person, lambda _s, review, _d, _n: review == "yes")
    assert stage.play().status == "waiting"
    stage.post("answer", path="/r/round/review/ok", value="no")
    assert stage.resume().status == "waiting"
    stage.post("answer", path="/r/round#2/review/ok", value="yes")
    assert stage.resume().output == 2


def test_a_resume_does_not_read_the_rounds_before_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(numbered, until=never, score=score, max_rounds=30, on_cap="accept")
    stage.play()
    cut = stage.cut(len(stage.events) - 8)
    asked: set[str] = set()
    settled = MemoryJournal.settled

    async def noted(self: MemoryJournal, scope: str) -> Sequence[Stored]:
        asked.add(scope)
        return await settled(self, scope)

    monkeypatch.setattr(MemoryJournal, "settled", noted)
    assert cut.resume().output == 2
    assert len(asked) < 8


@pytest.mark.parametrize(
    "options",
    [
        {"score": score},
        {"until": never, "score": score, "max_rounds": 4, "on_cap": "accept"},
        {"until": never, "max_rounds": 2},
        {"no_progress": 2},
    ],
)
def test_it_resumes_at_every_event(options: Any) -> None:
    stage = staged(**options)
    stage.play()
    check_resume(stage)


def test_handled_failures_in_it_are_counted() -> None:
    async def careful(ctx: Context, number: int, *_: Any) -> Any:
        try:
            return await ctx.step("bad", lambda: 1 // 0)
        except RunError:
            return number

    assert staged(careful).play().handled == 3


def test_it_nests_in_itself() -> None:
    async def inner(ctx: Context, number: int, *_: Any) -> Any:
        return await refine(ctx, "in", numbered, judge, is_ok) * number

    stage = staged(inner)
    assert stage.play().output == 9
    check_resume(stage)

"""`review`: one does the work, several judge it at once, and it is done again with what they say."""

import asyncio
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.patterns import parallel, review
from maestri.testing.play import Stage, check_resume

NO = {"approved": False, "notes": "too long"}


def works(seen: list[Any] | None = None) -> Any:
    async def primary(scope: Context, number: int, verdicts: Any, last: Any) -> Any:
        if seen is not None:
            seen.append((number, verdicts, last))
        return await scope.step("write", lambda: f"draft {number}")

    return primary


def says(*verdicts: Any) -> Any:
    """Return a reviewer who gives one verdict a round, and the last one for ever."""

    async def reviewer(scope: Context, _work: Any, number: int) -> Any:
        return await scope.step("judge", lambda: verdicts[min(number, len(verdicts)) - 1])

    return reviewer


def of(primary: Any = None, options: Any = None, **reviewers: Any) -> Stage:
    return Stage(lambda ctx: review(ctx, "r", primary or works(), reviewers, **(options or {})))


def test_work_that_all_approve_is_done_once() -> None:
    stage = of(a=says(True), b=says({"approved": True, "notes": "good"}))
    assert stage.play().output == {
        "work": "draft 1",
        "approved": True,
        "rounds": 1,
        "verdicts": {"a": {"approved": True}, "b": {"approved": True, "notes": "good"}},
    }


def test_the_paths_are_of_the_round_the_primary_and_the_reviewers() -> None:
    stage = of(a=says(True))
    stage.play()
    assert stage.paths("scope.succeeded") == [
        "/r/round/primary",
        "/r/round/reviewers/a",
        "/r/round/reviewers",
        "/r/round",
        "/r",
    ]


def test_the_primary_gets_the_verdicts_and_its_last_work() -> None:
    seen: list[Any] = []
    stage = of(works(seen), a=says(NO, True), b=says(True))
    assert stage.play().output["rounds"] == 2
    assert seen == [(1, {}, None), (2, {"a": NO, "b": {"approved": True}}, "draft 1")]


def test_reviewers_see_the_work_and_the_round() -> None:
    seen: list[Any] = []

    async def reviewer(scope: Context, work: Any, number: int) -> Any:
        seen.append((work, number))
        return await scope.step("judge", lambda: number > 1)

    of(a=reviewer).play()
    assert seen == [("draft 1", 1), ("draft 2", 2)]


@pytest.mark.parametrize(
    ("policy", "verdicts", "approved"),
    [
        ("veto", (True, True, False), False),
        ("majority", (True, True, False), True),
        ("majority", (True, False), False),
        (1, (True, False, False), True),
        (2, (True, False, False), False),
        (2, (True, True, False), True),
    ],
)
def test_who_must_approve_is_a_policy(policy: Any, verdicts: Any, approved: bool) -> None:
    reviewers = {f"r{number}": says(verdict) for number, verdict in enumerate(verdicts)}
    stage = of(options={"policy": policy, "max_rounds": 1, "on_cap": "accept"}, **reviewers)
    assert stage.play().output["approved"] is approved


def test_verdicts_may_be_json_in_a_text_as_agents_write_it() -> None:
    stage = of(a=says('```json\n{"approved": true, "notes": "fine"}\n```'))
    assert stage.play().output["verdicts"] == {"a": {"approved": True, "notes": "fine"}}


@pytest.mark.covers("limit")
def test_the_cap_fails_and_says_who_is_against_it() -> None:
    failure = of(a=says(NO), b=says(True), options={"max_rounds": 2}).play().failure
    assert failure and (failure.code, failure.path) == ("P222", "/r")
    assert failure.message == "the work was not approved in 2 rounds; against it: a"
    assert failure.cause == "a: too long"


def test_the_cap_may_be_accepted() -> None:
    output = of(a=says(NO), options={"max_rounds": 2, "on_cap": "accept"}).play().output
    assert (output["work"], output["approved"], output["rounds"]) == ("draft 2", False, 2)


def test_a_resume_after_the_cap_gives_as_many_rounds_again() -> None:
    stage = of(a=says(NO, NO, NO, True), options={"max_rounds": 2})
    assert stage.play().status == "failed"
    assert stage.resume().output["rounds"] == 4


@pytest.mark.parametrize("said", ["looks good", 1, None, {"notes": "?"}, {"approved": "yes"}, []])
def test_a_verdict_that_does_not_fit_names_the_reviewer(said: Any) -> None:
    failure = of(a=says(True), b=says(said)).play().failure
    assert failure and (failure.code, failure.path) == ("P223", "/r/round")
    assert failure.message == "the reviewer `b` does not say whether the work is approved"


def test_only_an_unclear_reviewer_is_asked_again_after_a_resume() -> None:
    words = iter(["hm", "hm", True])

    async def unclear(scope: Context, _work: Any, _number: int) -> Any:
        return await scope.step("judge", lambda: next(words))

    stage = of(a=says(True), b=unclear)
    stage.play()
    assert stage.resume().status == "failed"
    assert stage.resume().output["verdicts"] == {"a": {"approved": True}, "b": {"approved": True}}
    asked = [path for path in stage.paths("step.succeeded") if path.endswith("judge")]
    assert asked.count("/r/round/reviewers/a/judge") == 1
    assert "/r/round/reviewers#3/b/judge" in asked


async def breaks(scope: Context, *_given: Any) -> Any:
    return await scope.step("judge", lambda: 1 // 0)


def test_a_reviewer_that_fails_fails_the_review_and_is_done_again_alone() -> None:
    stage = of(a=says(True), b=breaks)
    failure = stage.play().failure
    assert failure and failure.path == "/r/round/reviewers/b/judge"


def test_a_primary_that_fails_fails_the_review() -> None:
    async def primary(scope: Context, *_given: Any) -> Any:
        return await scope.step("write", lambda: 1 // 0)

    failure = of(primary, a=says(True)).play().failure
    assert failure and failure.path == "/r/round/primary/write"


@pytest.mark.parametrize("options", [{"max_rounds": 0}, {"policy": 2}, {"policy": 0}, {"policy": "most"}])
def test_options_out_of_range_are_refused_at_the_path_of_the_review(options: Any) -> None:
    failure = of(a=says(True), options=options).play().failure
    assert failure and (failure.code, failure.path) == ("S108", "/r")


def test_without_a_reviewer_it_is_refused() -> None:
    failure = of().play().failure
    assert failure and failure.message == "there is no reviewer"


def test_several_reviewers_may_be_people_at_once() -> None:
    async def person(scope: Context, work: Any, _number: int) -> Any:
        return {"approved": await scope.ask("ok", f"{work}?", ["yes", "no"]) == "yes"}

    stage = of(a=person, b=person, options={"policy": 1})
    assert stage.play().waiting == ("/r/round/reviewers/a/ok", "/r/round/reviewers/b/ok")
    stage.post("answer", path="/r/round/reviewers/b/ok", value="yes")
    assert stage.resume().waiting == ("/r/round/reviewers/a/ok",)
    stage.post("answer", path="/r/round/reviewers/a/ok", value="no")
    assert stage.resume().output["verdicts"] == {"a": {"approved": False}, "b": {"approved": True}}


@pytest.mark.parametrize("path", ["/r", "/r/round", "/r/round/reviewers", "/r/round/reviewers/b"])
def test_it_is_cancelled_at_each_part(path: str) -> None:
    async def stop(scope: Context, *_given: Any) -> Any:
        async def now(ctx: Context) -> None:
            await ctx.step("stop", lambda: stage.execution.cancel(path))

        return await parallel(scope, "p", {"slow": slow, "now": now})

    async def slow(scope: Context, *_given: Any) -> Any:
        await scope.step("wait", asyncio.Event().wait)

    stage = of(a=slow, b=stop)
    failure = stage.play().failure
    assert failure and (failure.type, failure.path) == ("StepCancelled", path)


@pytest.mark.parametrize(
    ("reviewers", "options"),
    [
        ({"a": says(True), "b": says(True)}, {}),
        ({"a": says(NO, True), "b": says(True)}, {}),
        ({"a": says(NO)}, {"max_rounds": 2}),
        ({"a": says("?"), "b": breaks}, {}),
    ],
)
def test_it_resumes_at_every_event(reviewers: Any, options: Any) -> None:
    stage = of(options=options, **reviewers)
    stage.play()
    check_resume(stage)


def test_it_nests_in_its_own_primary() -> None:
    async def inner(scope: Context, number: int, _verdicts: Any, _last: Any) -> Any:
        found = await review(scope, "in", works(), {"x": says(NO, True)})
        return f"{number}: {found['work']}"

    stage = of(inner, a=says(NO, True))
    assert stage.play().output["work"] == "2: draft 2"
    check_resume(stage)

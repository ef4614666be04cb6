"""`branch`: the first arm whose condition holds."""

from collections.abc import Callable
from typing import Any

from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import branch, loop
from maestri.patterns._registry import Arm
from maestri.testing.play import Stage, check_resume


def arm(value: Any, when: Callable[[], bool] | None = None) -> Arm:
    return Arm(OneStep(lambda ctx: ctx.step("s", lambda: value)), when)


def staged(**arms: Arm) -> Stage:
    return Stage(lambda ctx: branch(ctx, "b", arms))


def test_the_first_arm_that_holds_is_taken_and_no_other() -> None:
    stage = staged(a=arm(1, lambda: False), b=arm(2, lambda: True), c=arm(3, lambda: True))
    assert stage.play().output == 2
    assert stage.paths("step.started") == ["/b/b"]


def test_an_arm_without_a_condition_is_the_otherwise() -> None:
    assert staged(a=arm(1, lambda: False), b=arm(2)).play().output == 2


def test_no_arm_gives_nothing() -> None:
    stage = staged(a=arm(1, lambda: False))
    assert (stage.play().output, stage.paths("scope.succeeded")) == (None, ["/b"])


def test_conditions_after_the_chosen_arm_are_not_judged() -> None:
    def never() -> bool:
        message = "judged"
        raise AssertionError(message)

    assert staged(a=arm(1, lambda: True), b=arm(2, never)).play().output == 1


def test_a_condition_that_raises_fails_the_branch() -> None:
    ended = staged(a=arm(1, lambda: bool(1 // 0))).play()
    assert ended.failure and (ended.failure.path, ended.status) == ("/b", "failed")


def test_a_failure_in_an_arm_is_the_failure_of_the_branch() -> None:
    bad = Arm(OneStep(lambda ctx: ctx.step("s", lambda: 1 // 0)))
    ended = staged(bad=bad).play()
    assert ended.failure and ended.failure.path == "/b/bad"


def test_a_branch_that_has_ended_is_not_judged_again() -> None:
    answers = [True, False]

    async def flow(ctx: Context) -> Any:
        chosen = await branch(ctx, "b", {"yes": arm("yes", lambda: answers.pop(0)), "no": arm("no")})
        return [chosen, await ctx.step("end", lambda: 1)]

    stage = Stage(flow)
    stage.play()
    sealed = next(e.seq for e in stage.events if e.as_json()["kind"] == "scope.succeeded")
    assert stage.cut(sealed).resume().output == ["yes", 1]


def test_it_nests_in_a_loop_and_resumes_at_every_event() -> None:
    async def a_round(ctx: Context, number: int, _last: Any) -> Any:
        return await branch(ctx, "b", {"odd": arm("odd", lambda: number % 2 == 1), "even": arm("even")})

    stage = Stage(lambda ctx: loop(ctx, "l", a_round, max_rounds=3))
    assert stage.play().output == "odd"
    assert stage.paths("step.succeeded") == ["/l/round/b/odd", "/l/round#2/b/even", "/l/round#3/b/odd"]
    check_resume(stage)

"""`supervise`: rounds of delegations, until the supervisor is done or a cap is reached."""

import asyncio
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.patterns import supervise
from maestri.patterns.supervise import KEPT_ROUNDS
from maestri.testing.play import Stage, check_resume


def gives(*answers: Any, seen: list[Any] | None = None) -> Any:
    """Return a supervisor that gives one answer after the other, and the last one for ever."""
    places: dict[str, int] = {}

    async def supervisor(scope: Context, *bound: Any) -> Any:
        number = places.setdefault(scope.path, len(places))
        if seen is not None:
            seen.append(bound)
        return await scope.step("decide", lambda: answers[min(number, len(answers) - 1)])

    return supervisor


async def work(scope: Context, task: Any) -> Any:
    return await scope.step("do", lambda: f"did {task}")


async def breaks(scope: Context, _task: Any) -> Any:
    return await scope.step("do", lambda: 1 // 0)


WORKERS: dict[str, Any] = {"coder": work, "tester": breaks}
DONE = {"done": True, "result": "all"}


def delegate(*tasks: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"delegate": [{"worker": worker, "task": task} for worker, task in tasks], **more}


def staged(*answers: Any, seen: list[Any] | None = None, **options: Any) -> Stage:
    boss = gives(*answers, seen=seen)
    return Stage(
        lambda ctx: supervise(
            ctx,
            "s",
            boss,
            options.get("workers", WORKERS),
            **{key: value for key, value in options.items() if key != "workers"},
        )
    )


def test_delegations_run_until_the_supervisor_is_done() -> None:
    stage = staged(delegate(("coder", "a"), ("coder", "b")), delegate(("coder", "c")), DONE)
    assert stage.play().output == {"result": "all", "rounds": 3, "delegations": 3}
    assert [path for path in stage.paths("step.succeeded") if path.endswith("/do")] == [
        "/s/round/work/coder/do",
        "/s/round/work/coder#2/do",
        "/s/round#2/work/coder/do",
    ]


def test_the_supervisor_sees_the_last_round_in_full_and_the_earlier_ones_in_brief() -> None:
    seen: list[Any] = []
    first, second = delegate(("coder", "a"), ("tester", "b"), note="begin"), delegate(("coder", {"n": 1}))
    staged(first, second, DONE, seen=seen).play()
    states = [state for state, _, _ in seen]
    assert [one["worker"] for one in states[1]["results"]] == ["coder", "tester"]
    assert states[1]["results"][0]["output"] == "did a"
    assert states[1]["results"][1]["failed"]["code"] == "S100"
    assert states[1]["note"] == "begin"
    assert states[2]["rounds"][0] == {
        "round": 1,
        "note": "begin",
        "delegated": [{"worker": "coder", "failed": False}, {"worker": "tester", "failed": True}],
    }
    assert [state["left"]["delegations"] for state in states] == [50, 48, 47]
    assert seen[0][1:] == (1, ["coder", "tester"])


def test_the_earlier_rounds_that_are_kept_are_bounded() -> None:
    seen: list[Any] = []
    staged(delegate(("coder", "x")), seen=seen, max_rounds=KEPT_ROUNDS + 5).play()
    assert len(seen[-1][0]["rounds"]) == KEPT_ROUNDS
    assert seen[-1][0]["rounds"][-1]["round"] == KEPT_ROUNDS + 4


def test_a_text_that_holds_json_is_an_answer() -> None:
    assert staged('{"done": true, "result": 3}').play().output["result"] == 3


def test_until_ends_it_after_a_round_with_its_results() -> None:
    stage = staged(
        delegate(("coder", "a")), until=lambda _c, state, number: number == 2 and len(state["results"]) == 1
    )
    output = stage.play().output
    assert (output["rounds"], output["delegations"]) == (2, 2)
    assert output["result"] == [{"worker": "coder", "task": "a", "output": "did a"}]


def test_max_concurrent_bounds_the_workers_at_once() -> None:
    most = [0, 0]

    async def busy(scope: Context, _task: Any) -> Any:
        most[0] += 1
        most[1] = max(most)
        await scope.sleep(1)
        most[0] -= 1

    tasks = [("w", number) for number in range(5)]
    staged(delegate(*tasks), DONE, workers={"w": busy}, max_concurrent=2).play()
    assert most == [0, 2]


WRONG = [
    "nonsense",
    {},
    {"done": "yes"},
    {"delegate": []},
    {"delegate": [{"task": "x"}]},
    {"delegate": ["coder"]},
    {"done": True, "delegate": [{"worker": "coder"}]},
    delegate(("painter", "x")),
]


@pytest.mark.parametrize("answer", WRONG)
def test_an_answer_that_cannot_be_carried_out_is_given_back_once(answer: Any) -> None:
    seen: list[Any] = []
    assert staged(answer, DONE, seen=seen).play().output["result"] == "all"
    assert seen[0][0]["problem"] is None
    assert seen[1][0]["problem"]


@pytest.mark.parametrize("answer", WRONG)
def test_a_second_such_answer_fails_and_a_resume_asks_again(answer: Any) -> None:
    stage = staged(answer, answer, DONE)
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P232", "/s/round")
    assert stage.resume().output["result"] == "all"


@pytest.mark.covers("limit")
def test_the_cap_on_rounds_never_accepts_and_a_resume_gives_as_many_again() -> None:
    stage = staged(
        delegate(("coder", "a")), delegate(("coder", "b")), delegate(("coder", "c")), DONE, max_rounds=2
    )
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P231", "/s")
    assert stage.resume().output == {"result": "all", "rounds": 4, "delegations": 3}


def test_a_delegation_beyond_the_cap_is_not_begun() -> None:
    stage = staged(
        delegate(("coder", 1), ("coder", 2)), delegate(("coder", 3), ("coder", 4)), DONE, max_delegations=3
    )
    ended = stage.play()
    assert ended.failure and ended.failure.code == "P231"
    assert not [path for path in stage.paths("step.started") if path.startswith("/s/round#2/work")]
    assert stage.resume().output == {"result": "all", "rounds": 3, "delegations": 2}


@pytest.mark.parametrize(
    "options", [{"max_rounds": 0}, {"max_delegations": 0}, {"max_concurrent": 0}, {"workers": {}}]
)
def test_what_cannot_be_carried_out_is_refused_at_its_path(options: Any) -> None:
    ended = staged(DONE, **options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/s")


def test_a_supervisor_that_fails_fails_it() -> None:
    async def boss(scope: Context, *_bound: Any) -> Any:
        return await scope.step("decide", lambda: 1 // 0)

    ended = Stage(lambda ctx: supervise(ctx, "s", boss, WORKERS)).play()
    assert ended.failure and ended.failure.path == "/s/round/supervisor/decide"


@pytest.mark.parametrize("place", ["/s/round/supervisor", "/s/round/work/w", "/s/round", "/s"])
def test_it_can_be_cancelled_in_each_part(place: str) -> None:
    async def stop(scope: Context, *_bound: Any) -> Any:
        await scope.step("c", lambda: stage.execution.cancel(place))
        await scope.step("w", asyncio.Event().wait)

    boss = stop if place.endswith("supervisor") else gives(delegate(("w", 1)), DONE)
    stage = Stage(lambda ctx: supervise(ctx, "s", boss, {"w": stop}))
    ended = stage.play()
    if place.endswith("/w"):  # a failure of a worker is data for the supervisor
        assert (ended.status, ended.handled) == ("succeeded", 1)
    else:
        assert (ended.failure and ended.failure.type) == "StepCancelled"


def test_gates_in_workers_wait_at_once_and_survive_restarts() -> None:
    async def asks(scope: Context, task: Any) -> Any:
        return await scope.ask("go", f"{task}?")

    stage = staged(delegate(("w", "a"), ("w", "b")), DONE, workers={"w": asks})
    assert stage.play().waiting == ("/s/round/work/w#2/go", "/s/round/work/w/go")
    for path in ("/s/round/work/w/go", "/s/round/work/w#2/go"):
        stage.post("answer", path=path, value="yes")
    assert stage.resume().output["delegations"] == 2


@pytest.mark.parametrize(
    ("answers", "options"),
    [
        ((delegate(("coder", "a"), ("tester", "b")), delegate(("coder", "c")), DONE), {}),
        ((delegate(("painter", "a")), delegate(("coder", "b")), DONE), {"max_concurrent": 1}),
        ((delegate(("coder", "a")),), {"until": lambda _c, _s, number: number == 2}),
    ],
)
def test_it_resumes_at_every_event(answers: Any, options: Any) -> None:
    stage = staged(*answers, **options)
    stage.play()
    check_resume(stage)

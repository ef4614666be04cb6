"""`scout`: look around, decide once, and build what the decision names."""

import asyncio
from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.patterns import scout
from maestri.testing.play import Stage, check_resume


def finds(value: Any) -> Any:
    def work() -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    async def body(scope: Context, *_given: Any) -> Any:
        return await scope.step("do", work)

    return body


def decides(*decisions: Any) -> Any:
    given = iter(decisions)

    async def body(scope: Context, *_given: Any) -> Any:
        return await scope.step("do", lambda: next(given))

    return body


def of(decide: Any, *, scouts: Any = None, build: Any = None, **options: Any) -> Stage:
    around = scouts or {"code": finds("a bug"), "tests": finds("none")}
    builders = build or {"fix": finds("fixed"), "doc": finds("written"), "test": finds("tested")}
    return Stage(lambda ctx: scout(ctx, "s", around, decide, builders, **options))


BROKEN = ValueError("broken")


def test_only_the_builders_that_the_decision_names_build() -> None:
    decision = {"build": ["test", "fix"], "reason": "a bug"}
    output = of(finds(decision)).play().output
    assert output == {
        "findings": {"code": "a bug", "tests": "none"},
        "decision": decision,
        "built": {"fix": "fixed", "test": "tested"},
    }


def test_the_paths_are_of_the_scouts_the_decision_and_the_builders() -> None:
    stage = of(finds("fix"))
    stage.play()
    assert stage.paths("step.succeeded") == [
        "/s/scouts/code/do",
        "/s/scouts/tests/do",
        "/s/decide/do",
        "/s/build/fix/do",
    ]


@pytest.mark.parametrize(
    ("decision", "built"),
    [
        ("fix", ["fix"]),
        (["doc", "fix", "doc"], ["fix", "doc"]),
        ([], []),
        ({"build": {"doc": "explain it"}}, ["doc"]),
        ('```json\n{"build": ["doc"]}\n```', ["doc"]),
    ],
)
def test_a_decision_has_several_forms(decision: Any, built: list[str]) -> None:
    assert list(of(finds(decision)).play().output["built"]) == built


def test_builders_get_their_task_the_findings_and_the_decision() -> None:
    seen: list[Any] = []

    async def builder(scope: Context, *given: Any) -> None:
        seen.append(given)
        await scope.step("do", lambda: None)

    decision = {"build": {"fix": "line 3", "doc": None}}
    of(finds(decision), build={"fix": builder, "doc": builder}).play()
    findings = {"code": "a bug", "tests": "none"}
    assert seen == [("line 3", findings, decision), (None, findings, decision)]


def test_a_scout_that_fails_is_among_the_findings() -> None:
    stage = of(finds([]), scouts={"a": finds(1), "b": finds(BROKEN)})
    ended = stage.play()
    failed = {"code": "S100", "message": "ValueError: broken", "path": "/s/scouts/b/do"}
    assert (ended.output["findings"], ended.handled) == ({"a": 1, "b": {"failed": failed}}, 1)


def test_when_all_scouts_fail_nothing_is_decided_and_a_resume_sends_them_again() -> None:
    calls: list[int] = []

    async def unsteady(scope: Context) -> Any:
        def work() -> int:
            calls.append(1)
            return len(calls) if len(calls) > 2 else 1 // 0

        return await scope.step("do", work)

    stage = of(finds([]), scouts={"a": unsteady, "b": unsteady})
    failure = stage.play().failure
    assert failure and (failure.code, failure.path) == ("P201", "/s/scouts")
    assert stage.resume().output["findings"] == {"a": 3, "b": 4}


@pytest.mark.parametrize("decision", [{"build": ["fix", "roof"]}, "roof", {"build": {"roof": 1}}])
def test_an_unknown_builder_is_named_with_those_that_there_are(decision: Any) -> None:
    failure = of(finds(decision)).play().failure
    assert failure and (failure.code, failure.path) == ("P224", "/s")
    assert failure.message == "the decision names `roof`, and there is no such builder"
    assert "fix, doc, test" in failure.fix


@pytest.mark.parametrize("decision", [None, 3, True, {"reason": "?"}, [1], {"build": None}])
def test_a_decision_that_names_nobody_is_shown(decision: Any) -> None:
    failure = of(finds(decision)).play().failure
    assert failure and failure.message == f"the decision names no builders: {decision!r}"


def test_a_decision_that_could_not_be_used_is_made_anew_after_a_resume() -> None:
    stage = of(decides("roof", "cellar", "fix"))
    assert stage.play().status == stage.resume().status == "failed"
    assert stage.resume().output["built"] == {"fix": "fixed"}
    assert stage.paths("step.succeeded").count("/s/scouts/code/do") == 1


def test_a_builder_that_fails_is_raised_as_it_is() -> None:
    failure = of(finds(["fix", "doc"]), build={"fix": finds(BROKEN), "doc": finds(1)}).play().failure
    assert failure and failure.path == "/s/build/fix/do"


def test_a_decision_that_fails_fails_it() -> None:
    failure = of(finds(BROKEN)).play().failure
    assert failure and failure.path == "/s/decide/do"


@pytest.mark.covers("limit")
def test_no_more_run_at_once_than_allowed() -> None:
    now: list[int] = [0, 0]

    async def slow(scope: Context, *_given: Any) -> None:
        now[0] += 1
        now[1] = max(now)
        await scope.sleep(5)
        now[0] -= 1

    around = {f"s{number}": slow for number in range(6)}
    of(
        finds(["b1", "b2", "b3"]), scouts=around, build={f"b{n}": slow for n in range(4)}, max_concurrent=2
    ).play()
    assert now == [0, 2]


@pytest.mark.parametrize("options", [{"max_concurrent": 0}])
def test_options_out_of_range_are_refused(options: Any) -> None:
    failure = of(finds([]), **options).play().failure
    assert failure and (failure.code, failure.path) == ("S108", "/s")


def test_without_a_scout_it_is_refused() -> None:
    stage = Stage(lambda ctx: scout(ctx, "s", {}, finds([]), {"fix": finds(1)}))
    failure = stage.play().failure
    assert failure and failure.message == "there is no scout"


def test_a_person_may_decide_and_scouts_may_be_people_too() -> None:
    async def looks(scope: Context) -> Any:
        return await scope.ask("look", "What do you see?")

    async def decide(scope: Context, _findings: Any) -> Any:
        return await scope.ask("which", "What is to be built?", ["fix", "doc"])

    stage = of(decide, scouts={"a": looks, "b": looks})
    assert stage.play().waiting == ("/s/scouts/a/look", "/s/scouts/b/look")
    for who in "ba":
        stage.post("answer", path=f"/s/scouts/{who}/look", value=who)
    assert stage.resume().waiting == ("/s/decide/which",)
    stage.post("answer", path="/s/decide/which", value="doc")
    assert stage.resume().output["built"] == {"doc": "written"}


@pytest.mark.parametrize("path", ["/s", "/s/scouts", "/s/scouts/a"])
def test_it_is_cancelled_at_each_part(path: str) -> None:
    async def stop(scope: Context) -> None:
        await scope.step("stop", lambda: stage.execution.cancel(path))
        await scope.step("wait", asyncio.Event().wait)

    stage = of(finds([]), scouts={"a": stop})
    failure = stage.play().failure
    assert failure and ("StepCancelled" if path != "/s/scouts/a" else "JoinFailed") == failure.type


@pytest.mark.parametrize("decision", [["fix", "doc"], "roof", [], BROKEN])
def test_it_resumes_at_every_event(decision: Any) -> None:
    stage = of(finds(decision), scouts={"a": finds(1), "b": finds(BROKEN)})
    stage.play()
    check_resume(stage)


def test_it_nests_in_its_own_builder() -> None:
    async def inner(scope: Context, *_given: Any) -> Any:
        found = await scout(scope, "in", {"x": finds("x")}, finds("y"), {"y": finds("yes")})
        return found["built"]

    stage = of(finds("fix"), build={"fix": inner})
    assert stage.play().output["built"] == {"fix": {"y": "yes"}}
    check_resume(stage)

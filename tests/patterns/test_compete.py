"""`compete`: the same task by several approaches; a judge names the winner."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.errors import ExitFailed, InputInvalid
from maestri.kernel import codec
from maestri.kernel.context import Context
from maestri.kernel.events import SEALED, Event, Stored
from maestri.kernel.ports import Answer
from maestri.patterns import compete
from maestri.testing.play import RUN_ID, Stage, check_resume
from maestri.testing.scripted import ScriptedAgent
from maestri.values import Usage

DONE = {"added": ["x"], "changed": [], "deleted": []}
FILES: dict[str, Any] = {
    "*/copy": {"dir": "/copy/1", "files": 1},
    "*/copy#2": {"dir": "/copy/2", "files": 1},
    "*/changes*": DONE,
    "*/archive*": {**DONE, "artifact": {"artifact": "00"}},
    "*/apply": DONE,
    "*/clean": None,
}


def says(answer: Any) -> Any:
    async def body(ctx: Context, _dir: Any) -> Any:
        return await ctx.step("say", lambda: answer)

    return body


async def breaks(ctx: Context, _dir: Any) -> Any:
    return await ctx.step("bad", lambda: 1 // 0)


async def waits(ctx: Context, _dir: Any) -> Any:
    return await ctx.step("wait", asyncio.Event().wait)


def names(verdict: Any) -> Any:
    async def judge(ctx: Context, candidates: Any, criteria: Any) -> Any:
        return await ctx.step(
            "judge", lambda: verdict(candidates, criteria) if callable(verdict) else verdict
        )

    return judge


def staged(branches: Any, verdict: Any, criteria: Any = "the shortest", **options: Any) -> Stage:
    agent = ScriptedAgent(FILES)
    return Stage(lambda ctx: compete(ctx, "c", branches, names(verdict), criteria, **options), agent=agent)


def test_the_judge_sees_all_candidates_and_the_criteria_and_names_the_winner() -> None:
    seen: list[Any] = []

    def verdict(candidates: Any, criteria: Any) -> str:
        seen.append((candidates, criteria))
        return "b\n"

    ended = staged({"a": says(1), "b": says(2)}, verdict).play()
    assert (ended.output["winner"], ended.output["output"]) == ("b", 2)
    assert seen == [({"a": {"output": 1}, "b": {"output": 2}}, "the shortest")]


def test_the_judge_may_rank_and_say_why() -> None:
    said = {"winner": "a", "ranking": ["a", "b"], "reason": "shorter"}
    stage = staged({"a": says(1), "b": says(2)}, said)
    output = stage.play().output
    assert (output["ranking"], output["reason"], output["price"]) == (
        ["a", "b"],
        "shorter",
        {"a": {}, "b": {}, "total": {}},
    )
    record = next(event.body["value"] for event in stage.events if event.path == "/c/winner")
    assert record == {**said, "failed": {}}


def test_an_approach_that_fails_is_left_out() -> None:
    ended = staged({"a": breaks, "b": says(2), "c": says(3)}, lambda candidates, _c: min(candidates)).play()
    assert (ended.output["winner"], list(ended.output["failed"]), ended.handled) == ("b", ["a"], 1)


def test_when_all_fail_there_is_nothing_to_judge_and_a_resume_tries_them_again() -> None:
    stage = staged({"a": breaks, "b": breaks}, "a")
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P210", "/c")
    stage.resume()
    assert stage.paths("step.started").count("/c/a/bad") == 2


@pytest.mark.parametrize("said", ["z", None, 7, {"winner": "z"}, {"winner": "a", "ranking": ["a", "z"]}, {}])
def test_a_judge_who_names_no_candidate_is_told_so(said: Any) -> None:
    ended = staged({"a": says(1), "b": says(2)}, said).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P212", "/c")
    assert "`a`, `b`" in ended.failure.message


def test_a_judge_who_is_one_step_is_asked_again_by_a_resume() -> None:
    verdicts = iter(["z", "a"])

    async def judge(ctx: Context, *_: Any) -> Any:
        return await ctx.step("judge", lambda: next(verdicts))

    judge.is_one_step = True  # type: ignore[attr-defined]
    stage = Stage(lambda ctx: compete(ctx, "c", {"a": says(1), "b": says(2)}, judge, "any"))
    assert stage.play().status == "failed"
    assert stage.resume().output["winner"] == "a"


def test_the_price_of_each_approach_is_told_as_far_as_it_is_known() -> None:
    def priced(usd: float) -> Answer:
        return Answer("made", Usage(tokens_in=10, cost_usd=usd))

    async def two(ctx: Context, _dir: Any) -> Any:
        await ctx.agent("first", "Plan.", by="writer")
        return await ctx.scope("inner", lambda scope: scope.agent("second", "Write.", by="writer"))

    async def one(ctx: Context, _dir: Any) -> Any:
        return await ctx.agent("only", "Write.", by="writer")

    agent = ScriptedAgent({"*/first": priced(0.25), "*/second": priced(0.5), "*/only": priced(1)})
    stage = Stage(lambda ctx: compete(ctx, "c", {"a": two, "b": one}, names("a"), "cheap"), agent=agent)
    price = stage.play().output["price"]
    assert price["a"] == {"tokens_in": 20, "cost_usd": 0.75}
    assert price["total"] == {"tokens_in": 30, "cost_usd": 1.75}
    check_resume(stage)


def test_each_approach_gets_a_copy_and_the_work_of_the_winner_is_brought_back() -> None:
    dirs: list[Any] = []

    def noting(answer: Any) -> Any:
        async def body(ctx: Context, place: Any) -> Any:
            dirs.append(place)
            return await ctx.step("say", lambda: answer)

        return body

    stage = staged({"a": noting(1), "b": noting(2)}, "b", dir_="src")
    output = stage.play().output
    assert dirs == ["/copy/1", "/copy/2"]
    assert (output["added"], list(output["archived"])) == (["x"], ["a"])
    tasks = {path: path for path in stage.paths("step.succeeded")}
    assert list(tasks)[-3:] == ["/c/archive", "/c/apply", "/c/clean"]


@pytest.mark.parametrize(
    "options",
    [
        {"criteria": ""},
        {"criteria": []},
        {"criteria": None},
        {"max_concurrent": 0},
        {"branches": {"a": says(1)}},
        {"branches": {"a": says(1), "judge": says(2)}},
    ],
)
def test_a_contest_that_cannot_be_one_is_refused(options: Any) -> None:
    given = {"branches": {"a": says(1), "b": says(2)}, "verdict": "a", **options}
    ended = staged(**given).play()
    assert ended.failure and (ended.failure.type, ended.failure.path) == (InputInvalid.__name__, "/c")


@pytest.mark.covers("limit")
def test_at_the_deadline_those_are_judged_that_have_ended() -> None:
    stage = staged({"a": says(1), "b": waits, "c": breaks}, "a", deadline=5)
    assert stage.play().output["winner"] == "a"
    check_resume(stage)


def test_an_approach_that_ends_while_it_is_decided_without_it_is_of_no_matter() -> None:
    async def in_time(ctx: Context, _dir: Any) -> Any:
        await ctx.sleep(5)
        await ctx.step("say", lambda: 1)

    stage = staged({"a": says(1), "b": in_time, "c": in_time}, "a", deadline=5)
    assert stage.play().output["winner"] == "a"
    check_resume(stage)
    decided = next(event.seq for event in stage.events if event.path == "/c/entrants")
    late = [event for event in stage.events if event.seq > decided and event.path == "/c/b"]
    seal = late[0]._replace(kind=SEALED, body={"output": 1})
    cut = stage.cut(decided)
    asyncio.run(_with(cut, seal))
    assert cut.resume().output["winner"] == "a"


async def _with(stage: Stage, event: Stored) -> None:
    """Put one more event behind the last one of a run."""
    journal = await stage.engine.lease(RUN_ID)
    body = codec.encode(event.body)
    journal.append(Event(event.kind, event.scope, event.name, event.at, event.digest, body))
    await journal.close()


def test_the_price_is_read_from_a_journal_on_disk_too(tmp_path: Path) -> None:
    async def priced(ctx: Context, _dir: Any) -> Any:
        return await ctx.scope("inner", lambda scope: scope.agent("write", "Write.", by="writer"))

    state = StateDir(tmp_path / "state", {})
    state.prepare()
    agent = ScriptedAgent({"*": Answer("made", Usage(cost_usd=0.5))})
    branches = {"a": priced, "b": priced}

    def flow(ctx: Context) -> Any:
        return compete(ctx, "c", branches, names("a"), "cheap")

    ended = Stage(flow, agent=agent, engine=SqliteEngine(state)).play()
    assert ended.output["price"]["total"] == {"cost_usd": 1.0}


def test_it_is_cancelled_with_all_its_branches() -> None:
    async def stops(ctx: Context, _dir: Any) -> Any:
        await ctx.step("stop", lambda: stage.execution.cancel("/c"))
        return await waits(ctx, None)

    stage = staged({"a": stops, "b": waits}, "a")
    ended = stage.play()
    assert ended.failure and ended.failure.type == "StepCancelled"


def test_a_judge_that_fails_fails_it_and_the_approaches_are_not_tried_again() -> None:
    calls: list[int] = []

    def verdict(_candidates: Any, _criteria: Any) -> str:
        calls.append(1)
        if len(calls) == 1:
            raise ExitFailed("no idea", fix="think")
        return "a"

    stage = staged({"a": says(1), "b": says(2)}, verdict)
    assert stage.play().status == "failed"
    assert stage.resume().output["winner"] == "a"
    assert stage.paths("step.started").count("/c/a/say") == 1


def test_people_may_take_part_and_judge() -> None:
    async def judge(ctx: Context, candidates: Any, _criteria: Any) -> Any:
        return await ctx.ask("best", "Which?", list(candidates))

    def person(name: str) -> Any:
        async def body(ctx: Context, _dir: Any) -> Any:
            return await ctx.ask("do", f"{name}?")

        return body

    stage = Stage(lambda ctx: compete(ctx, "c", {"a": person("a"), "b": person("b")}, judge, "any"))
    assert stage.play().status == "waiting"
    stage.post("answer", path="/c/a/do", value="A")
    stage.post("answer", path="/c/b/do", value="B")
    assert stage.resume().status == "waiting"
    stage.post("answer", path="/c/judge/best", value="b")
    assert stage.resume().output["output"] == "B"


@pytest.mark.parametrize("options", [{}, {"dir_": "src"}, {"max_concurrent": 1}, {"deadline": 60}])
def test_it_resumes_at_every_event(options: Any) -> None:
    stage = staged({"a": says(1), "b": breaks} if options else {"a": says(1), "b": says(2)}, "a", **options)
    stage.play()
    check_resume(stage)

"""`repair`: check, fix, check again, in a copy; what is done with files is played by a script here."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.same.playing import compiled

from maestri.errors import DirectoryChanged, ExitFailed, InputInvalid
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import repair
from maestri.testing.play import Stage, check_resume
from maestri.testing.scripted import ScriptedAgent

CHANGED = {"added": [], "changed": ["a.py"], "deleted": []}
FILES: dict[str, Any] = {"*/copy": {"dir": "/copy", "files": 1}, "*/apply": CHANGED, "*/clean": None}


def passes_in(round_: int, words: str = "red") -> Callable[[Task, Attempt], Any]:
    def check(_task: Task, attempt: Attempt) -> Any:
        number = int(attempt.path.split("round")[1].split("/")[0].lstrip("#") or 1)
        return (
            "green" if number >= round_ else ExitFailed(words.format(number), fix="mend it", detail={"n": 1})
        )

    return check


async def run_check(ctx: Context, _round: int, place: str) -> Any:
    return await ctx.run("test", "make test", cwd=place)


async def run_fix(ctx: Context, failures: Any, number: int, place: str) -> Any:
    return await ctx.run("edit", "edit", cwd=place, env={"WHAT": failures[0]["message"], "N": str(number)})


def staged(answers: Any, **options: Any) -> Stage:
    agent = ScriptedAgent({"*/edit": "edited", **FILES, **answers})
    parts = {"check": run_check, "fix": run_fix, **options}
    stage = Stage(lambda ctx: repair(ctx, "r", **parts), agent=agent)
    stage.asked = agent  # type: ignore[attr-defined]
    return stage


def asked(stage: Stage) -> list[Task]:
    return stage.asked.tasks  # type: ignore[attr-defined,no-any-return]


def test_a_check_that_passes_at_once_needs_no_fix() -> None:
    stage = staged({"*/test": "green"})
    assert stage.play().output == {"rounds": 1, "output": "green", **CHANGED}
    assert stage.paths("step.succeeded") == [
        "/r/round/copy",
        "/r/round/check/test",
        "/r/round/apply",
        "/r/round/clean",
    ]


def test_the_fixer_gets_the_failures_and_works_in_the_copy() -> None:
    stage = staged({"*/test": passes_in(3, "red {}")})
    ended = stage.play()
    assert (ended.output["rounds"], ended.handled) == (3, 2)
    fixes = [task.request for task in asked(stage) if task.request.get("command") == "edit"]
    assert [(one["env"]["WHAT"], one["env"]["N"], one["cwd"]) for one in fixes] == [
        ("red 1", "1", "/copy"),
        ("red 2", "2", "/copy"),
    ]


def test_the_directory_is_named_to_the_steps_that_copy_and_bring_back() -> None:
    stage = staged({"*/test": "green"}, dir_="src")
    stage.play()
    assert [task.request.get("dir") for task in asked(stage) if task.agent == "directory"] == [
        "src",
        "src",
        None,
    ]


@pytest.mark.covers("limit")
def test_the_fixer_tries_so_often_and_the_last_word_is_a_check() -> None:
    stage = staged({"*/test": passes_in(9)}, max_rounds=2)
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P202", "/r")
    assert ended.failure.message == "the check still fails after 2 fixes"
    assert ended.failure.cause == "nothing was brought back; the copy is `/copy`"
    steps = [path.split("/")[-1] for path in stage.paths("step.started")]
    assert steps == ["copy", "test", "edit", "test", "edit", "test"]


def test_a_resume_of_a_repair_that_was_given_up_goes_on_in_the_same_copy() -> None:
    stage = staged({"*/test": passes_in(5)}, max_rounds=2)
    stage.play()
    assert stage.resume().output["rounds"] == 5
    assert len(stage.paths("step.started")) == len(set(stage.paths("step.started")))


def test_a_check_that_says_the_same_again_and_again_ends_it() -> None:
    ended = staged({"*/test": passes_in(9)}, no_progress=2).play()
    assert ended.failure and ended.failure.code == "P203"
    assert staged({"*/test": passes_in(4, "red {}")}, no_progress=2).play().status == "succeeded"


def test_an_output_that_is_not_accepted_is_a_failure_for_the_fixer() -> None:
    answers = {"/r/round/check/test": 3, "*/test": 0}
    stage = staged(answers, accept=lambda _scope, output: output == 0)
    assert stage.play().output["rounds"] == 2


def test_a_check_that_cannot_be_done_is_no_work_for_a_fixer() -> None:
    stage = staged({"*/test": InputInvalid("no such thing", fix="mend the check")})
    ended = stage.play()
    assert ended.failure and ended.failure.code == "S108"
    assert not [task for task in asked(stage) if task.request.get("command") == "edit"]


def test_a_directory_that_has_changed_fails_it_and_a_resume_tries_to_bring_back_again() -> None:
    changed = DirectoryChanged("`src` has changed", fix="undo that")
    tries: list[int] = []

    def apply(_task: Task, _attempt: Attempt) -> Any:
        tries.append(1)
        return changed if len(tries) == 1 else CHANGED

    stage = staged({"*/test": "green", "*/apply": apply})
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("P213", "/r/round/apply")
    assert stage.resume().output["changed"] == ["a.py"]


@pytest.mark.parametrize("part", ["copy", "edit", "clean"])
def test_a_part_that_fails_fails_it_and_is_done_again_by_a_resume(part: str) -> None:
    calls: list[str] = []

    def once(_task: Task, attempt: Attempt) -> Any:
        calls.append(attempt.path)
        return ExitFailed("broken", fix="mend it") if len(calls) == 1 else {"dir": "/copy"}

    stage = staged({"*/test": passes_in(2), f"*/{part}": once})
    assert stage.play().status == "failed"
    assert stage.resume().status == "succeeded"
    assert calls[0] == calls[1]


@pytest.mark.parametrize("options", [{"max_rounds": 0}, {"no_progress": 1}])
def test_numbers_that_are_too_small_are_refused(options: Any) -> None:
    ended = staged({}, **options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/r")


@pytest.mark.parametrize("part", ["check", "fix"])
def test_it_can_be_cancelled_in_each_part_and_then_brings_nothing_back(part: str) -> None:
    async def stops(ctx: Context, *_: Any) -> Any:
        await ctx.step("stop", lambda: stage.execution.cancel("/r"))
        return await ctx.sleep(10)

    stage = staged({"*/test": passes_in(2)}, **{part: stops})
    ended = stage.play()
    assert ended.failure and ended.failure.type == "StepCancelled"
    assert not [path for path in stage.paths("step.started") if path.endswith("/apply")]


def test_a_person_may_be_the_fixer() -> None:
    async def person(ctx: Context, failures: Any, _number: int, place: str) -> Any:
        return await ctx.ask("mended", f"{failures[0]['message']} in {place}")

    stage = staged({"*/test": passes_in(2)}, fix=person)
    assert stage.play().status == "waiting"
    stage.post("answer", path="/r/round/fix/mended", value="done")
    assert stage.resume().output["rounds"] == 2


@pytest.mark.parametrize("options", [{}, {"max_rounds": 1}, {"no_progress": 2}])
def test_it_resumes_at_every_event(options: Any) -> None:
    stage = staged({"*/test": passes_in(3)}, **options)
    stage.play()
    check_resume(stage)


def test_it_nests_in_itself() -> None:
    async def inner(ctx: Context, _failures: Any, _number: int, place: str) -> Any:
        return await repair(ctx, "in", run_check, run_fix, dir_=place)

    stage = staged({"/r/round/fix/*/test": passes_in(1), "*/test": passes_in(2)}, fix=inner)
    assert stage.play().output["rounds"] == 2
    check_resume(stage)


NESTED = """
workflow: nested
steps:
  outer:
    repair:
      check: {run: test}
      fix:
        parallel:
          branches:
            here: {run: here}
            below: {steps: {inner: {run: inner, cwd: sub}}}
            away: {run: away, cwd: /away}
            again: {repair: {dir: pkg, check: {run: again}, fix: {run: never}}}
"""


def test_in_yaml_all_that_is_below_works_in_the_copy() -> None:
    answers = {
        "/outer/round/check": ExitFailed("red", fix="mend it"),
        "*/fix/again/*/copy": {"dir": "/two/pkg"},
    }
    agent = ScriptedAgent({**answers, **FILES, "*": "done"})
    stage = Stage(lambda ctx: compiled(NESTED)(ctx, {}), agent=agent)
    assert stage.play().status == "succeeded"
    cwds = {task.request["command"]: task.request["cwd"] for task in agent.tasks if task.agent == "run"}
    assert cwds == {
        "test": "/copy",
        "here": "/copy",
        "inner": "/copy/sub",
        "away": "/away",
        "again": "/two/pkg",
    }
    assert [t.request.get("dir") for t in agent.tasks if t.request.get("verb") == "copy"] == [
        None,
        "/copy/pkg",
    ]

"""Steps in places of their own: what is asked for them, what a person decides, and the same in both forms."""

from __future__ import annotations

from typing import Any

import pytest
from tests.same.playing import Playing, facts
from tests.same.twins import Twin

from maestri.errors import ClaimBroken
from maestri.kernel.context import Context
from maestri.kernel.ports import Task
from maestri.patterns import loop
from maestri.patterns.in_workspace import ACCEPT, GIVE_UP, LEAVE_OUT, RECHECK, in_workspace
from maestri.testing.play import check_resume

MADE = {"dir": "/kept/tree", "copy": "/kept/tree", "claims": [], "notes": []}
DONE = {"commit": "c1", "stray": []}
STRAY = {"commit": "", "stray": [{"path": "docs/x.md", "why": "it is outside of the claims"}]}
ANSWERS = {"*/workspace": MADE, "*/commit*": DONE, "*/do": "done", "*/apply": {}, "*/clean": None}


def make(command: str) -> Any:
    def body(scope: Context, place: str) -> Any:
        return scope.perform("do", Task("run", {"command": command, "cwd": place}))

    body.is_one_step = True  # type: ignore[attr-defined]
    return body


_YAML = """
workflow: twin
steps:
  one: {run: make one, workspace: worktree, claims: [src/**]}
  two: {run: make two, workspace: copy, on_stray: block}
  again:
    loop:
      max_rounds: 2
      steps:
        three: {run: make three, workspace: worktree}
"""


async def _python(ctx: Context) -> Any:
    await in_workspace(ctx, "one", make("make one"), claims=["src/**"])
    await in_workspace(ctx, "two", make("make two"), workspace="copy", on_stray="block", after=["one"])

    async def round_of(scope: Context, _number: int, _last: Any) -> Any:
        return await in_workspace(scope, "three", make("make three"), after=["/one", "/two"])

    return await loop(ctx, "again", round_of, max_rounds=2)


TWIN = Twin("workspaces", _YAML, _python, ANSWERS)


def test_both_forms_write_the_same_journal() -> None:
    yaml, python = Playing(TWIN, "yaml"), Playing(TWIN, "python")
    assert yaml.play().output == python.play().output == "done"
    assert facts(yaml.events) == facts(python.events)


def test_it_resumes_from_every_event() -> None:
    stage = Playing(TWIN, "yaml")
    stage.play()
    check_resume(stage)


# --- what a definition asks for -------------------------------------------------------------------------


def played(steps: str, answers: dict[str, Any] | None = None) -> Playing:
    stage = Playing(
        Twin("t", f"workflow: twin\n{steps}", _python, ANSWERS | (answers or {}) | {"*": ""}), "yaml"
    )
    assert stage.play().status == "succeeded"
    return stage


def after(stage: Playing) -> dict[str, list[str]]:
    asked = zip(stage.asked.paths, stage.asked.tasks, strict=True)
    return {
        path: list(task.request["after"]) for path, task in asked if task.request.get("verb") == "prepare"
    }


def test_a_step_builds_on_all_that_stands_before_it_also_in_the_scopes_around() -> None:
    stage = played("""
steps:
  a: {run: x, workspace: worktree}
  group:
    parallel:
      branches:
        b: {run: x, workspace: worktree}
        c: {steps: {d: {run: x}, e: {run: x, workspace: worktree}}}
  f: {run: x, workspace: worktree}
""")
    assert after(stage) == {
        "/a/workspace": [],
        "/group/b/workspace": ["/a"],
        "/group/c/e/workspace": ["/a", "/group/c/d"],
        "/f/workspace": ["/a", "/group"],
    }


def test_a_step_of_a_graph_builds_on_what_it_needs_also_indirectly() -> None:
    stage = played("""
steps:
  g:
    graph:
      steps:
        a: {run: x, workspace: worktree}
        b: {run: x, workspace: worktree, needs: [a]}
        c: {run: x, workspace: worktree}
        d: {run: x, workspace: worktree, needs: [b]}
""")
    assert after(stage)["/g/d/workspace"] == ["/g/a", "/g/b"]
    assert after(stage)["/g/c/workspace"] == []


def test_the_phases_of_a_definition_build_on_those_before() -> None:
    stage = played("""
steps:
  p: {phases: {one: {run: x, workspace: worktree}, two: {run: x, workspace: worktree}}}
""")
    assert list(after(stage).values()) == [[], ["/p/one"]], after(stage)


def test_a_workflow_that_is_called_builds_on_what_was_done_before_the_call() -> None:
    stage = played("""
workflows:
  inner: {steps: {x: {run: x, workspace: worktree}}}
steps:
  a: {run: x, workspace: worktree}
  b: {workflow: inner}
""")
    assert after(stage)["/b/x/workspace"] == ["/a"]


def test_commands_agents_and_checks_inside_work_in_the_place() -> None:
    stage = played(
        """
agents: {builder: {backend: scripted, answer: done}}
steps:
  a: {agent: builder, prompt: Build it., workspace: worktree, verify: make test, requires: [Makefile]}
  b: {steps: {c: {run: x}, d: {run: y, cwd: sub}}, workspace: worktree}
""",
        {"*/check": {"exit_code": 0, "stdout": "", "stderr": ""}},
    )
    tasks = zip(stage.asked.paths, stage.asked.tasks, strict=True)
    places = {path: task.request["cwd"] for path, task in tasks if "cwd" in task.request}
    assert places == {
        "/a/do/requires": "/kept/tree",
        "/a/do/do": "/kept/tree",
        "/a/do/verify/check": "/kept/tree",
        "/b/do/c": "/kept/tree",
        "/b/do/d": "/kept/tree/sub",
    }


def test_claims_may_be_expressions() -> None:
    stage = played(
        'steps: {m: {run: x}, a: {run: x, workspace: worktree, claims: ["${m}/**"]}}', {"/m": "src"}
    )
    assert stage.asked.tasks[1].request["claims"] == ["src/**"]


# --- what is stray --------------------------------------------------------------------------------------


def stray(word: str, kind: str = "worktree") -> Playing:
    """Play a step whose work is stray until a person has spoken."""
    finds = {"*/commit": STRAY, "*/commit#2": DONE}
    steps = f"steps: {{a: {{run: x, workspace: {kind}, claims: [src/**], on_stray: block}}}}"
    stage = Playing(Twin("t", f"workflow: twin\n{steps}", _python, finds | ANSWERS), "yaml")
    stage.play()
    assert stage.state.status == "waiting"
    stage.post("answer", path="/a/stray", value=word)
    return stage


@pytest.mark.parametrize(("word", "said"), [(RECHECK, ""), (ACCEPT, ACCEPT), (LEAVE_OUT, LEAVE_OUT)])
def test_a_person_decides_about_stray_files_of_a_worktree(word: str, said: str) -> None:
    stage = stray(word)
    assert stage.resume().status == "succeeded"
    assert stage.asked.tasks[-1].request["stray"] == said


@pytest.mark.parametrize(("word", "left_out"), [(ACCEPT, None), (LEAVE_OUT, ["docs/x.md"])])
def test_a_person_decides_about_stray_files_of_a_copy(word: str, left_out: Any) -> None:
    stage = stray(word, "copy")
    stage.resume()
    apply = next(task for task in stage.asked.tasks if task.request.get("verb") == "apply")
    assert apply.request.get("leave_out") == left_out


@pytest.mark.parametrize("kind", ["worktree", "copy", "shared"])
def test_stray_files_that_are_given_up_fail_the_step(kind: str) -> None:
    stage = stray(GIVE_UP, kind)
    ended = stage.resume()
    assert (ended.status, ended.failure.code if ended.failure else "") == ("failed", ClaimBroken.code)


def test_with_fail_the_one_who_commits_is_told_to() -> None:
    stage = played("steps: {a: {run: x, workspace: worktree, claims: [src/**]}}")
    assert stage.asked.tasks[-1].request["stray"] == "fail"


def test_another_kind_of_workspace_is_refused() -> None:
    async def flow(ctx: Context) -> Any:
        return await in_workspace(ctx, "a", make("x"), workspace="cloud")  # type: ignore[arg-type]

    stage = Playing(Twin("t", _YAML, flow, ANSWERS), "python")
    assert stage.play().status == "failed"
    assert stage.asked.tasks == []

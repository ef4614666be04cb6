"""`phases`: each behind the gate of the one before."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import AgentUnavailable, ExitFailed, PhaseInvalid, VerdictUnclear
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import phases
from maestri.patterns._registry import Phase

YAML = """
it:
  phases:
    users:
      steps:
        write: {run: write, env: {WHY: '${default(problem, "new")}'}}
        read: {run: read, output: json}
      validate: {run: test, env: {N: "${output}"}, output: json}
      on_invalid: retry
      max_tries: 2
    tasks:
      steps: {move: {run: move, env: {N: "${users}"}, output: json}}
      validate: ${output > users}
    notes: {run: tidy}
"""


async def python(ctx: Context) -> Any:
    async def users(scope: Context, problem: Any, _done: Any) -> Any:
        await scope.run("write", "write", env={"WHY": problem or "new"})
        return await scope.run("read", "read", output="json")

    def test(scope: Context, output: Any, _done: Any) -> Any:
        return scope.run("test", "test", env={"N": str(output)}, output="json")

    async def tasks(scope: Context, _problem: Any, done: Any) -> Any:
        return await scope.run("move", "move", env={"N": str(done["users"])}, output="json")

    def notes(scope: Context, _problem: Any, _done: Any) -> Any:
        return scope.run("tidy", "tidy")

    test.is_one_step = notes.is_one_step = True  # type: ignore[attr-defined]
    bodies = {
        "users": Phase(users, test, on_invalid="retry", max_tries=2),
        "tasks": Phase(tasks, holds=lambda output, done: output > done["users"]),
        "notes": Phase(notes),
    }
    return await phases(ctx, "it", bodies)


def fails(_task: Task, _attempt: Attempt) -> Any:
    """Return a new error each time: it gets the path of its step."""
    return ExitFailed("it ended with exit code 1", fix="mend it")


def is_missing(_task: Task, _attempt: Attempt) -> Any:
    return AgentUnavailable("there is no such program", fix="install it")


CASE = Case(
    keyword="phases",
    yaml=YAML,
    python=python,
    answers={
        "/it/users/validate": {"passed": False, "problem": "no key"},
        "/it/users/validate#2": True,
        "/it/users/*/read": 3,
        "/it/tasks/*": 4,
        "/it/*": "done",
    },
    output={"users": 3, "tasks": 4, "notes": "done"},
    hole="it: {phases: {a: {steps: {b: {run: b}}, validate: BODY}, c: {steps: {d: BODY}}}}",
    failures={
        "a phase": ({"/it/users/steps/write": fails}, ExitFailed.code),
        "a validator once": ({"/it/users/validate": fails}, ""),
        "a validator always": ({"/it/users/validate*": fails}, PhaseInvalid.code),
        "a verdict": ({"/it/users/validate": {"passed": "?"}}, VerdictUnclear.code),
        "a missing validator": ({"/it/users/validate": is_missing}, AgentUnavailable.code),
        "a condition": ({"/it/tasks/*": 2}, PhaseInvalid.code),
    },
    is_ordered=True,
)

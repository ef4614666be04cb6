"""`scout`: scouts at once, one decision, and the builders that it names."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import DecisionInvalid, ExitFailed, JoinFailed
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import scout

YAML = """
it:
  scout:
    max_concurrent: 2
    scouts:
      code: {run: look}
      tests: {steps: {list: {run: list}, run: {run: [pytest]}}}
      history: {run: log}
    decide: {run: decide, env: {SEEN: "${findings.code}"}, output: json}
    build:
      fix: {run: fix, env: {TASK: "${task}"}}
      docs: {steps: {write: {run: write, env: {WHY: "${decision.reason}"}}}}
      never: {run: never}
"""


async def python(ctx: Context) -> Any:
    async def tests(scope: Context) -> Any:
        await scope.run("list", "list")
        return await scope.run("run", ["pytest"])

    def decide(scope: Context, findings: Any) -> Any:
        return scope.run("decide", "decide", env={"SEEN": findings["code"]}, output="json")

    def fix(scope: Context, task: Any, _findings: Any, _decision: Any) -> Any:
        return scope.run("fix", "fix", env={"TASK": task})

    async def docs(scope: Context, _task: Any, _findings: Any, decision: Any) -> Any:
        return await scope.run("write", "write", env={"WHY": decision["reason"]})

    def never(scope: Context, *_given: Any) -> Any:
        return scope.run("never", "never")

    decide.is_one_step = fix.is_one_step = never.is_one_step = True  # type: ignore[attr-defined]
    scouts: dict[str, Body[Any]] = {
        "code": OneStep(lambda c: c.run("code", "look")),
        "tests": tests,
        "history": OneStep(lambda c: c.run("history", "log")),
    }
    build = {"fix": fix, "docs": docs, "never": never}
    return await scout(ctx, "it", scouts, decide, build, max_concurrent=2)


def fails(_task: Task, _attempt: Attempt) -> Any:
    """Return a new error each time: it gets the path of its step."""
    return ExitFailed("it ended with exit code 1", fix="mend it")


DECISION = {"build": {"docs": None, "fix": "line 3"}, "reason": "a bug"}
CASE = Case(
    keyword="scout",
    yaml=YAML,
    python=python,
    answers={
        "/it/scouts/history": fails,
        "/it/scouts/*": "seen",
        "/it/decide": DECISION,
        "/it/build/*": "built",
    },
    output={
        "findings": {
            "code": "seen",
            "tests": "seen",
            "history": {
                "failed": {
                    "code": "S101",
                    "message": "it ended with exit code 1",
                    "path": "/it/scouts/history",
                }
            },
        },
        "decision": DECISION,
        "built": {"fix": "built", "docs": "built"},
    },
    hole="it: {scout: {scouts: {a: BODY, b: BODY}, decide: {run: c}, build: {d: BODY}}}",
    hole_answers={"/it/decide": "d"},
    failures={
        "all scouts": ({"/it/scouts/*": fails}, JoinFailed.code),
        "the decision": ({"/it/decide": fails}, ExitFailed.code),
        "a builder": ({"/it/build/fix": fails}, ExitFailed.code),
        "an unknown builder": ({"/it/decide": {"build": ["roof"], "reason": ""}}, DecisionInvalid.code),
    },
)

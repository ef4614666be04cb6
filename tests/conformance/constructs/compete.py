"""`compete`: the same task by several approaches, and a judge."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, NoneSucceeded, VerdictInvalid
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import compete

YAML = """
it:
  compete:
    dir: src
    criteria: [correct, short]
    branches:
      plain: {run: plain}
      clever:
        steps:
          think: {run: think}
          write: {run: write}
      broken: {run: broken}
    judge: {run: judge, stdin: "${len(candidates)} ${criteria[0]}", output: json}
"""


def plain(ctx: Context, place: Any) -> Any:
    return ctx.run("plain", "plain", cwd=place)


async def clever(ctx: Context, place: Any) -> Any:
    await ctx.run("think", "think", cwd=place)
    return await ctx.run("write", "write", cwd=place)


def broken(ctx: Context, place: Any) -> Any:
    return ctx.run("broken", "broken", cwd=place)


def judge(ctx: Context, candidates: Any, criteria: Any) -> Any:
    return ctx.run("judge", "judge", stdin=f"{len(candidates)} {criteria[0]}", output="json")


plain.is_one_step = broken.is_one_step = judge.is_one_step = True  # type: ignore[attr-defined]


async def python(ctx: Context) -> Any:
    branches = {"plain": plain, "clever": clever, "broken": broken}
    return await compete(ctx, "it", branches, judge, ["correct", "short"], dir_="src")


def fails(_task: Task, _attempt: Attempt) -> Any:
    """Return a new error each time: it gets the path of its step."""
    return ExitFailed("it ended with exit code 1", fix="mend it")


WORK = {"added": [], "changed": ["a.py"], "deleted": []}
CASE = Case(
    keyword="compete",
    yaml=YAML,
    python=python,
    answers={
        "/it/copy": {"dir": "/copy/1/src", "files": 3},
        "/it/copy#2": {"dir": "/copy/2/src", "files": 3},
        "/it/copy#3": {"dir": "/copy/3/src", "files": 3},
        "/it/plain": "p",
        "/it/clever/*": "c",
        "/it/broken": fails,
        "/it/changes*": WORK,
        "/it/judge": {"winner": "clever", "ranking": ["clever", "plain"], "reason": "short"},
        "/it/archive*": WORK,
        "/it/apply": WORK,
        "/it/clean": None,
    },
    output={
        "winner": "clever",
        "output": "c",
        "ranking": ["clever", "plain"],
        "reason": "short",
        "failed": {"broken": {"code": "S101", "message": "it ended with exit code 1", "path": "/it/broken"}},
        **WORK,
        "archived": {"plain": WORK, "broken": WORK},
        "price": {"plain": {}, "clever": {}, "broken": {}, "total": {}},
    },
    hole="it: {compete: {criteria: any, branches: {a: BODY, b: BODY}, judge: {run: judge}}}",
    hole_answers={"/it/judge": "a"},
    failures={
        "an approach": ({"/it/plain": "q", "/it/clever/think": fails, "/it/judge": "plain"}, ""),
        "all approaches": ({"/it/plain": fails, "/it/clever/think": fails}, NoneSucceeded.code),
        "the judge": ({"/it/judge": fails}, ExitFailed.code),
        "a verdict": ({"/it/judge": "broken"}, VerdictInvalid.code),
        "the copy": ({"/it/copy#2": fails}, ExitFailed.code),
    },
)

"""`repair`: check, fix, check again in a copy; what is done with files is answered by the script, too."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import DirectoryChanged, ExitFailed, RoundsExhausted
from maestri.kernel.context import Context
from maestri.patterns import repair

YAML = """
it:
  repair:
    dir: src
    max_rounds: 2
    check: {run: make test}
    fix:
      steps:
        look: {run: look, cwd: sub}
        edit: {run: edit, env: {WHAT: "${failures[0].message}", ROUND: "${round}"}}
"""


def check(ctx: Context, _round: int, place: str) -> Any:
    return ctx.run("check", "make test", cwd=place)


check.is_one_step = True  # type: ignore[attr-defined]


async def fix(ctx: Context, failures: Any, number: int, place: str) -> Any:
    await ctx.run("look", "look", cwd=f"{place}/sub")
    env = {"WHAT": failures[0]["message"], "ROUND": str(number)}
    return await ctx.run("edit", "edit", env=env, cwd=place)


async def python(ctx: Context) -> Any:
    return await repair(ctx, "it", check, fix, dir_="src", max_rounds=2)


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CHANGED = {"added": [], "changed": ["a.py"], "deleted": []}
FILES = {"/it/round/copy": {"dir": "/copy/src", "files": 3}, "/it/*/apply": CHANGED, "/it/*/clean": None}
CASE = Case(
    keyword="repair",
    yaml=YAML,
    python=python,
    answers={
        "/it/round#3/check": "green",
        "/it/*/check": BROKEN,
        "/it/*/look": "seen",
        "/it/*/edit": "edited",
        **FILES,
    },
    output={"rounds": 3, "output": "green", **CHANGED},
    hole="it: {repair: {check: {run: test}, fix: BODY}}",
    hole_answers={"/it/round/check": BROKEN, **FILES},
    failures={
        "the copy": ({"/it/round/copy": BROKEN}, ExitFailed.code),
        "a fix": ({"/it/round/fix/edit": BROKEN}, ExitFailed.code),
        "the check to the end": ({"/it/round#3/check": BROKEN}, RoundsExhausted.code),
        "bringing it back": ({"/it/*/apply": DirectoryChanged("`src` has changed")}, DirectoryChanged.code),
    },
    is_ordered=True,
)

"""`land`: branches are merged one after the other, and those that do not pass are left out."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import KilledBySignal, LandingRefused, TargetMoved
from maestri.kernel.context import Context
from maestri.landing.land import land

YAML = """
it: {land: {branches: [api, ui, docs], into: release, verify: make test}}
"""


async def python(ctx: Context) -> Any:
    return await land(ctx, "it", ["api", "ui", "docs"], "release", verify="make test")


def ended(stdout: str = "", code: int = 0, stderr: str = "") -> dict[str, Any]:
    return {"exit_code": code, "stdout": stdout, "stderr": stderr}


BROKEN = KilledBySignal("it was ended by a signal", fix="look why")
CASE = Case(
    keyword="land",
    yaml=YAML,
    python=python,
    answers={
        "/it/try/prepare": ended("/tmp/x/tree\nc0\nc0\na1\nu1\nd1\n"),
        "/it/try/merge": ended("c1\n"),
        "/it/try/verify": ended(),
        "/it/try/merge#2": ended("src/a.py\nsrc/b.py", code=24),
        "/it/try/merge#3": ended("c3\n"),
        "/it/try/verify#3": ended("1 failed", code=2),
        "/it/try/*": ended(),
    },
    output={
        "commit": "c1",
        "landed": ["api"],
        "left_out": [
            {"branch": "ui", "reason": "it conflicts with what is there: src/a.py, src/b.py"},
            {"branch": "docs", "reason": "`make test` ended with exit code 2: 1 failed"},
        ],
    },
    hole="before: BODY\nit: {land: {branches: [api], into: release}}",
    hole_answers={
        "/it/try/prepare": ended("/tmp/x/tree\nc0\nc0\na1\n"),
        "/it/try/merge": ended("c1\n"),
        "/it/try/*": ended(),
    },
    failures={
        "the repository": ({"/it/try/prepare": ended(code=20)}, LandingRefused.code),
        "a target that moved": ({"/it/try/move": ended("c9", code=25)}, TargetMoved.code),
        "a check that is killed leaves a branch out": ({"/it/try/verify": BROKEN}, ""),
    },
    is_ordered=True,
)

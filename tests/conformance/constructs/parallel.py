"""`parallel`: named branches at once."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import parallel

YAML = """
it:
  parallel:
    branches:
      one: {run: one}
      two:
        steps:
          a: {run: a}
          b: {run: b}
"""


async def python(ctx: Context) -> Any:
    async def two(scope: Context) -> Any:
        await scope.run("a", "a")
        return await scope.run("b", "b")

    return await parallel(ctx, "it", {"one": OneStep(lambda c: c.run("one", "one")), "two": two})


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="parallel",
    yaml=YAML,
    python=python,
    answers={"/it/one": 1, "/it/two/a": "a", "/it/two/b": 2},
    output={"one": 1, "two": 2},
    hole="it: {parallel: {branches: {a: {run: a}, b: BODY, c: BODY}}}",
    failures={
        "a branch of one step": ({"/it/one": BROKEN}, ExitFailed.code),
        "a step of a branch": ({"/it/two/b": BROKEN}, ExitFailed.code),
    },
)

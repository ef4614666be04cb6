"""`vote`: what the majority says."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, NoAgreement
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.patterns import vote

YAML = """
it:
  vote:
    branches:
      one: {run: one}
      two:
        steps:
          a: {run: a}
          b: {run: b}
      three: {run: three}
"""


async def python(ctx: Context) -> Any:
    async def two(scope: Context) -> Any:
        await scope.run("a", "a")
        return await scope.run("b", "b")

    branches: dict[str, Body[Any]] = {
        "one": OneStep(lambda c: c.run("one", "one")),
        "two": two,
        "three": OneStep(lambda c: c.run("three", "three")),
    }
    return await vote(ctx, "it", branches)


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="vote",
    yaml=YAML,
    python=python,
    answers={"/it/one": "x", "/it/two/*": "y", "/it/three": "x"},
    output="x",
    hole="it: {vote: {policy: 1, branches: {a: BODY, b: BODY}}}",
    failures={
        "one that is not needed": ({"/it/two/a": BROKEN}, ""),
        "one that is": ({"/it/one": BROKEN}, NoAgreement.code),
        "a tie": ({"/it/three": "z"}, NoAgreement.code),
    },
)

"""`fallback`: the next one when one has failed."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, NoneSucceeded
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.patterns import fallback

YAML = """
it:
  fallback:
    accept: ${output != "bad"}
    branches:
      first: {run: first}
      second:
        steps:
          a: {run: a}
          b: {run: b}
      third: {run: third}
"""


async def python(ctx: Context) -> Any:
    async def second(scope: Context) -> Any:
        await scope.run("a", "a")
        return await scope.run("b", "b")

    branches: dict[str, Body[Any]] = {
        "first": OneStep(lambda c: c.run("first", "first")),
        "second": second,
        "third": OneStep(lambda c: c.run("third", "third")),
    }
    return await fallback(ctx, "it", branches, accept=lambda _scope, output: output != "bad")


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="fallback",
    yaml=YAML,
    python=python,
    answers={"/it/first": BROKEN, "/it/second/a": "a", "/it/second/b": "bad", "/it/third": "good"},
    output="good",
    hole="it: {fallback: {branches: {a: {run: a}, b: BODY}}}",
    hole_answers={"/it/a": BROKEN},
    failures={
        "a step of a branch": ({"/it/second/a": BROKEN}, ""),
        "all of them": ({"/it/third": BROKEN}, NoneSucceeded.code),
    },
    is_ordered=True,
)

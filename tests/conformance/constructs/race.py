"""`race`: the first good answer wins."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, NoneSucceeded
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.patterns import race

YAML = """
it:
  race:
    accept: ${output != "bad"}
    branches:
      slow:
        steps:
          a: {run: a}
          b: {run: b}
          c: {run: c}
      quick: {run: quick}
      other: {run: other}
"""


async def python(ctx: Context) -> Any:
    async def slow(scope: Context) -> Any:
        await scope.run("a", "a")
        await scope.run("b", "b")
        return await scope.run("c", "c")

    branches: dict[str, Body[Any]] = {
        "slow": slow,
        "quick": OneStep(lambda c: c.run("quick", "quick")),
        "other": OneStep(lambda c: c.run("other", "other")),
    }
    return await race(ctx, "it", branches, accept=lambda _scope, output: output != "bad")


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="race",
    yaml=YAML,
    python=python,
    answers={"/it/quick": "good", "/it/other": "bad", "/it/slow/*": "good"},
    output="good",
    hole="it: {race: {branches: {a: BODY, b: BODY}}}",
    failures={
        "a branch": ({"/it/other": BROKEN}, ""),
        "the quick one": ({"/it/quick": BROKEN}, ""),
        "all of them": ({"/it/quick": BROKEN, "/it/slow/b": BROKEN}, NoneSucceeded.code),
    },
)

"""`steps`: one after the other, each seeing the outputs before it."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.context import Context
from maestri.patterns import sequence

YAML = """
it:
  steps:
    first: {run: make}
    second: {call: "builtins:str", args: ["${first}"]}
"""


async def python(ctx: Context) -> Any:
    async def inside(scope: Context) -> Any:
        first = await scope.run("first", "make")
        return await scope.call("second", "builtins:str", first)

    return await sequence(ctx, "it", inside)


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="steps",
    yaml=YAML,
    python=python,
    answers={"/it/first": "made", "/it/second": "said"},
    output="said",
    hole="it: {steps: {a: {run: a}, b: BODY, c: {run: c}}}",
    hole_answers={},
    failures={
        "the first": ({"/it/first": BROKEN}, ExitFailed.code),
        "the last": ({"/it/second": BROKEN}, ExitFailed.code),
    },
    is_ordered=True,
)

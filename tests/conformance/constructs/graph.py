"""`graph`: each step starts when those that it needs are done."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import graph
from maestri.patterns._registry import Need

YAML = """
it:
  graph:
    steps:
      root: {run: root}
      left: {needs: [root], run: left}
      right: {needs: [root], run: right}
      last: {needs: [left, right], call: "builtins:list", args: [["${left}", "${right}"]]}
"""


async def python(ctx: Context) -> Any:
    def one(name: str) -> OneStep[Any]:
        return OneStep(lambda c: c.run(name, name))

    last = OneStep(lambda c: c.call("last", "builtins:list", [1, 2]))

    steps = {
        "root": Need(one("root")),
        "left": Need(one("left"), ("root",)),
        "right": Need(one("right"), ("root",)),
        "last": Need(last, ("left", "right")),
    }
    return await graph(ctx, "it", steps)


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="graph",
    yaml=YAML,
    python=python,
    answers={"/it/root": 0, "/it/left": 1, "/it/right": 2, "/it/last": [1, 2]},
    output={"root": 0, "left": 1, "right": 2, "last": [1, 2]},
    hole="""
it:
  graph:
    steps:
      a: {run: a}
      b: {needs: [a], parallel: {branches: {x: BODY}}}
      c: {needs: [b], run: c}
""",
    failures={
        "the root": ({"/it/root": BROKEN}, ExitFailed.code),
        "a step in the middle": ({"/it/left": BROKEN}, ExitFailed.code),
        "the last": ({"/it/last": BROKEN}, ExitFailed.code),
    },
)

"""`each`: the same for every item, and a reduction."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.context import Context
from maestri.patterns import each

YAML = """
files: {run: git ls-files, output: lines}
it:
  each:
    items: ${files}
    as: file
    join: all
    max_concurrent: 2
    steps:
      count: {run: 'wc "$FILE"', env: {FILE: "${file}"}}
    reduce:
      steps:
        total: {call: "builtins:sum", args: ["${results}"]}
"""


async def python(ctx: Context) -> Any:
    async def one(scope: Context, file: str, _index: int) -> Any:
        return await scope.run("count", 'wc "$FILE"', env={"FILE": file})

    async def total(scope: Context, results: list[Any]) -> Any:
        return await scope.call("total", "builtins:sum", results)

    files = await ctx.run("files", "git ls-files", output="lines")
    return await each(ctx, "it", files, one, as_="file", join="all", max_concurrent=2, reduce=total)


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="each",
    yaml=YAML,
    python=python,
    answers={"/files": ["a", "b", "c"], "/it/*/count": 2, "/it/reduce/total": 6},
    output=6,
    hole="it: {each: {items: [1, 2, 3], max_concurrent: 2, steps: {a: {run: a}, b: {branch: {x: BODY}}}}}",
    failures={
        "an item": ({"/it/item#2/count": BROKEN}, ExitFailed.code),
        "the reduction": ({"/it/reduce/total": BROKEN}, ExitFailed.code),
    },
)

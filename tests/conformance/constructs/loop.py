"""`loop`: again until it is good."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, RoundsExhausted
from maestri.kernel.context import Context
from maestri.patterns import loop

YAML = """
it:
  loop:
    max_rounds: 4
    until: ${check == "clean"}
    steps:
      fix: {run: fix, env: {LAST: '${default(last, "")}'}}
      check: {run: check}
"""


async def python(ctx: Context) -> Any:
    async def a_round(scope: Context, _number: int, last: Any) -> Any:
        await scope.run("fix", "fix", env={"LAST": last or ""})
        return await scope.run("check", "check")

    return await loop(ctx, "it", a_round, until=lambda _s, _n, check: check == "clean", max_rounds=4)


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="loop",
    yaml=YAML,
    python=python,
    answers={"/it/round#3/check": "clean", "/it/*/check": "dirty", "/it/*/fix": "fixed"},
    output="clean",
    hole="it: {loop: {max_rounds: 2, steps: {a: {run: a}, b: {branch: {x: BODY}}}}}",
    failures={
        "a step": ({"/it/round#2/fix": BROKEN}, ExitFailed.code),
        "never good": ({"/it/round#3/check": "dirty"}, RoundsExhausted.code),
    },
    is_ordered=True,
)

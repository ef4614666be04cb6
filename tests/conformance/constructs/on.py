"""`on`: events of the run are handled as they come."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.context import Context
from maestri.patterns import on

YAML = """
one: {emit: ready, data: {n: 1}}
two: {emit: ready, data: {n: 1}}
it:
  on:
    max_events: 2
    max_concurrent: 1
    join: all
    handlers:
      ready:
        steps:
          check: {run: check, env: {N: "${event.data.n}"}}
          tell: {run: tell, env: {CHECKED: "${check}"}}
      gone: {run: log}
"""


async def ready(ctx: Context, event: Any) -> Any:
    checked = await ctx.run("check", "check", env={"N": str(event["data"]["n"])})
    return await ctx.run("tell", "tell", env={"CHECKED": checked})


def gone(ctx: Context, _event: Any) -> Any:
    return ctx.run("gone", "log")


gone.is_one_step = True  # type: ignore[attr-defined]


async def python(ctx: Context) -> Any:
    await ctx.emit("one", {"n": 1}, "ready")
    await ctx.emit("two", {"n": 1}, "ready")
    handlers = {"ready": ready, "gone": gone}
    return await on(ctx, "it", handlers, max_events=2, max_concurrent=1, join="all")


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
TOLD = {"event": "ready", "output": "told"}
CASE = Case(
    keyword="on",
    yaml=YAML,
    python=python,
    answers={"/it/*/check": "checked", "/it/*/tell": "told"},
    output={"count": 2, "unhandled": 0, "results": [TOLD, TOLD]},
    hole="tell: {emit: a}\nit: {on: {max_events: 1, handlers: {a: BODY}}}",
    failures={
        "the first handler": ({"/it/ready/check": BROKEN}, ExitFailed.code),
        "the second handler": ({"/it/ready#2/tell": BROKEN}, ExitFailed.code),
    },
    is_ordered=True,
)

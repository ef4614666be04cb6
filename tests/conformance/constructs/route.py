"""`route`: an event goes to the handler of its type."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.context import Context
from maestri.patterns import route

YAML = """
seen: {run: look, output: json}
it:
  route:
    event: ${seen}
    by: kind
    handlers:
      pushed:
        steps:
          build: {run: build, env: {REF: "${event.ref}"}}
          tell: {run: tell, env: {BUILT: "${build}"}}
      closed: {run: close}
    otherwise: {run: log}
"""


async def pushed(ctx: Context, event: Any) -> Any:
    built = await ctx.run("build", "build", env={"REF": event["ref"]})
    return await ctx.run("tell", "tell", env={"BUILT": built})


def closed(ctx: Context, _event: Any) -> Any:
    return ctx.run("closed", "close")


closed.is_one_step = True  # type: ignore[attr-defined]


def otherwise(ctx: Context, _event: Any) -> Any:
    return ctx.run("otherwise", "log")


otherwise.is_one_step = True  # type: ignore[attr-defined]


async def python(ctx: Context) -> Any:
    event = await ctx.run("seen", "look", output="json")
    handlers = {"pushed": pushed, "closed": closed}
    return await route(ctx, "it", event, handlers, by="kind", otherwise=otherwise)


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="route",
    yaml=YAML,
    python=python,
    answers={
        "/seen": {"kind": "pushed", "ref": "main"},
        "/it/pushed/build": "built",
        "/it/pushed/tell": "told",
        "/it/closed": "closed",
        "/it/otherwise": "logged",
    },
    output="told",
    hole="it: {route: {event: a, handlers: {a: BODY}}}",
    failures={
        "the handler": ({"/it/pushed/build": BROKEN}, ExitFailed.code),
        "an event of another type goes elsewhere": ({"/seen": {"kind": "new"}}, ""),
        "otherwise": ({"/seen": {"kind": "new"}, "/it/otherwise": BROKEN}, ExitFailed.code),
    },
    is_ordered=True,
)

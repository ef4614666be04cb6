"""`streams`: pipelines side by side, which meet at their `sync` points, and what integrates them."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, JoinFailed
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import streams
from maestri.patterns._registry import Stream

YAML = """
it:
  streams:
    branches:
      api:
        steps:
          contract: {run: contract, output: json}
          meet: {sync: contract}
          build: {run: build, env: {SKETCH: "${meet.ui}"}}
          done: {sync: tests}
      ui:
        steps:
          sketch: {run: sketch}
          met: {sync: contract}
          later: {when: "${met.api > 5}", sync: tests}
          draw: {run: draw, env: {VERSION: "${met.api}"}}
      checks:
        steps:
          ready: {sync: tests}
          test: {run: test, env: {WHAT: "${ready.api}"}}
      docs: {run: docs}
    integrate: {run: link, env: {DOCS: "${streams.docs}"}}
"""


async def python(ctx: Context) -> Any:
    async def api(scope: Context, meet: Any) -> Any:
        contract = await scope.run("contract", "contract", output="json")
        met = await meet(scope, "meet", "contract", contract)
        built = await scope.run("build", "build", env={"SKETCH": met["ui"]})
        return await meet(scope, "done", "tests", built)

    async def ui(scope: Context, meet: Any) -> Any:
        met = await meet(scope, "met", "contract", await scope.run("sketch", "sketch"))
        await scope.skip("later")
        meet.skip("tests")
        return await scope.run("draw", "draw", env={"VERSION": str(met["api"])})

    async def checks(scope: Context, meet: Any) -> Any:
        ready = await meet(scope, "ready", "tests")
        return await scope.run("test", "test", env={"WHAT": ready["api"]})

    def integrate(scope: Context, made: Any) -> Any:
        return scope.run("link", "link", env={"DOCS": made["docs"]})

    integrate.is_one_step = True  # type: ignore[attr-defined]
    branches: dict[str, Stream | Body[Any]] = {
        "api": Stream(api, ("contract", "tests")),
        "ui": Stream(ui, ("contract", "tests")),
        "checks": Stream(checks, ("tests",)),
        "docs": OneStep(lambda c: c.run("docs", "docs")),
    }
    return await streams(ctx, "it", branches, integrate=integrate)


def fails(_task: Task, _attempt: Attempt) -> Any:
    """Return a new error each time: it gets the path of its step."""
    return ExitFailed("it ended with exit code 1", fix="mend it")


CASE = Case(
    keyword="streams",
    yaml=YAML,
    python=python,
    answers={"/it/api/contract": 1, "/it/integrate": "whole", "/it/*": "done"},
    output="whole",
    hole="""
it:
  streams:
    branches:
      a: {steps: {b: BODY, meet: {sync: x}, c: BODY}}
      d: {steps: {e: {run: e}, meet: {sync: x}}}
      f: BODY
    integrate: BODY
""",
    failures={
        "a stream before it meets others": ({"/it/ui/sketch": fails}, ExitFailed.code),
        "a stream behind that": ({"/it/ui/draw": fails}, ExitFailed.code),
        "a stream that meets nobody": ({"/it/docs": fails}, ExitFailed.code),
        "several streams": ({"/it/docs": fails, "/it/ui/draw": fails}, JoinFailed.code),
        "the integration": ({"/it/integrate": fails}, ExitFailed.code),
    },
)

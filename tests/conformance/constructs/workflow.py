"""`workflow`: another workflow as one step."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.context import Context
from maestri.patterns import workflow

YAML = """
it: {workflow: greet, inputs: {name: world}}
"""
WORKFLOWS = """
workflows:
  greet:
    inputs: {name: text}
    steps:
      say: {run: 'say "$NAME"', env: {NAME: "${inputs.name}"}}
"""


async def python(ctx: Context) -> Any:
    async def greet(scope: Context, inputs: Mapping[str, Any]) -> Any:
        return await scope.run("say", 'say "$NAME"', env={"NAME": inputs["name"]})

    return await workflow(ctx, "it", greet, inputs={"name": "world"})


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="workflow",
    yaml=YAML,
    python=python,
    answers={"/it/say": "hello world"},
    output="hello world",
    hole="it: {workflow: inner}",
    failures={"its step": ({"/it/say": BROKEN}, ExitFailed.code)},
    is_ordered=True,
    workflows=WORKFLOWS,
    hole_workflows="workflows: {inner: {steps: {a: {run: a}, b: {branch: {x: BODY}}}}}",
)

"""`branch`: the first arm whose `when` holds."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.patterns import branch
from maestri.patterns._registry import Arm

YAML = """
look: {run: look}
it:
  branch:
    small: {when: '${look == "small"}', run: small}
    other: {run: other}
"""


async def python(ctx: Context) -> Any:
    look = await ctx.run("look", "look")

    def one(name: str) -> OneStep[Any]:
        return OneStep(lambda c: c.run(name, name))

    return await branch(
        ctx, "it", {"small": Arm(one("small"), lambda: look == "small"), "other": Arm(one("other"))}
    )


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="branch",
    yaml=YAML,
    python=python,
    answers={"/look": "large", "/it/other": "done", "/it/small": "not this one"},
    output="done",
    hole="""
look: {run: look}
it: {branch: {a: {when: '${look == "1"}', run: a}, b: BODY}}
""",
    failures={
        "the condition": ({"/look": None}, ""),
        "the arm": ({"/it/other": BROKEN}, ExitFailed.code),
    },
    is_ordered=True,
)

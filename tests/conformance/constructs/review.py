"""`review`: a primary, reviewers at once, and their verdicts back to it."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, NotApproved, VerdictUnclear
from maestri.kernel.codec import encode
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import review

YAML = """
it:
  review:
    primary: {run: write, env: {ROUND: "${round}", VERDICTS: "${verdicts}", LAST: '${default(last, "")}'}}
    reviewers:
      style: {run: style, env: {WORK: "${work}"}, output: json}
      safety:
        steps:
          look: {run: look, env: {ROUND: "${round}"}}
          judge: {run: judge, output: json}
      third: {run: third, output: json}
    policy: majority
    max_rounds: 2
"""


def primary(ctx: Context, number: int, verdicts: Any, last: Any) -> Any:
    said = encode(verdicts).replace(":", ": ").replace(",", ", ")
    return ctx.run("write", "write", env={"ROUND": str(number), "VERDICTS": said, "LAST": last or ""})


def style(ctx: Context, work: Any, _number: int) -> Any:
    return ctx.run("style", "style", env={"WORK": work}, output="json")


async def safety(ctx: Context, _work: Any, number: int) -> Any:
    await ctx.run("look", "look", env={"ROUND": str(number)})
    return await ctx.run("judge", "judge", output="json")


def third(ctx: Context, _work: Any, _number: int) -> Any:
    return ctx.run("third", "third", output="json")


primary.is_one_step = style.is_one_step = third.is_one_step = True  # type: ignore[attr-defined]


async def python(ctx: Context) -> Any:
    reviewers = {"style": style, "safety": safety, "third": third}
    return await review(ctx, "it", primary, reviewers, policy="majority", max_rounds=2)


def fails(_task: Task, _attempt: Attempt) -> Any:
    """Return a new error each time: it gets the path of its step."""
    return ExitFailed("it ended with exit code 1", fix="mend it")


NO = {"approved": False, "notes": "too long"}
CASE = Case(
    keyword="review",
    yaml=YAML,
    python=python,
    answers={
        "/it/round/primary": "draft",
        "/it/round#2/primary": "redraft",
        "/it/*/style": True,
        "/it/round/reviewers/safety/judge": NO,
        "/it/round/reviewers/third": False,
        "/it/*/judge": {"approved": True, "notes": "fine"},
        "/it/*/third": False,
        "/it/*/look": "seen",
    },
    output={
        "work": "redraft",
        "approved": True,
        "rounds": 2,
        "verdicts": {
            "style": {"approved": True},
            "safety": {"approved": True, "notes": "fine"},
            "third": {"approved": False},
        },
    },
    hole="it: {review: {primary: {run: a}, reviewers: {b: BODY, c: BODY}}}",
    failures={
        "the primary": ({"/it/round/primary": fails}, ExitFailed.code),
        "a reviewer": ({"/it/*/look": fails}, ExitFailed.code),
        "a verdict": ({"/it/*/style": "nice"}, VerdictUnclear.code),
        "the approval": ({"/it/*/style": NO}, NotApproved.code),
    },
)

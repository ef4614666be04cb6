"""`refine`: drafts and reviews, until one is accepted."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, RoundsExhausted
from maestri.kernel.context import Context
from maestri.patterns import refine

YAML = """
it:
  refine:
    max_rounds: 3
    until: ${review == 9}
    score: ${review}
    draft: {run: write, env: {LAST: '${default(last, "")}', REVIEW: '${default(review, "")}'}}
    review:
      steps:
        read: {run: read}
        judge: {run: judge, env: {DRAFT: "${draft}"}}
"""


def draft(ctx: Context, _round: int, last: Any, review: Any) -> Any:
    return ctx.run("draft", "write", env={"LAST": last or "", "REVIEW": str(review or "")})


draft.is_one_step = True  # type: ignore[attr-defined]


async def review(ctx: Context, made: Any, _round: int) -> Any:
    await ctx.run("read", "read")
    return await ctx.run("judge", "judge", env={"DRAFT": made})


async def python(ctx: Context) -> Any:
    return await refine(
        ctx,
        "it",
        draft,
        review,
        lambda _scope, found, _draft, _round: found == 9,
        score=lambda _scope, found, _draft: found,
        max_rounds=3,
    )


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
CASE = Case(
    keyword="refine",
    yaml=YAML,
    python=python,
    answers={
        "/it/round#3/draft": "third",
        "/it/*/draft": "draft",
        "/it/*/read": "read",
        "/it/round/review/judge": 5,
        "/it/round#2/review/judge": 4,
        "/it/round#3/review/judge": 9,
    },
    output="third",
    hole="it: {refine: {until: '${review == draft}', draft: BODY, review: BODY}}",
    failures={
        "a draft": ({"/it/round#2/draft": BROKEN}, ExitFailed.code),
        "a review": ({"/it/round/review/read": BROKEN}, ExitFailed.code),
        "never accepted": ({"/it/round#3/review/judge": 3}, RoundsExhausted.code),
    },
    is_ordered=True,
)

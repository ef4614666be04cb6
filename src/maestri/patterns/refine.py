"""Draft, review, and draft again with the review, until it is accepted; the best draft is kept.

Shape:    ┌────────────────────────────┐
          └─ draft ── review ── until? ── no: again
                                  └────── yes: on, with the best draft
Journal:  <name>/round#n/draft and <name>/round#n/review, one seal a round with draft, review and score, and
          one seal for <name>, which says the round whose draft was kept
Cost:     the rounds; a resume reads the last round only
When:     a text, a design or code that gets better with each review of it
Not:      nobody reviews it: `loop`; a command can tell right from wrong: `repair`
Source:   iterative refinement: seed documents 0.4, 1.4, 4 (incremental refinement); Madaan et al.,
          "Self-Refine" (2023)
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from maestri.errors import InputInvalid
from maestri.kernel.context import Context
from maestri.kernel.typed import build, return_type
from maestri.patterns._registry import Binds, BoundBody, Expression, Predicate, bind, pattern
from maestri.patterns._rounds import Limits, Round, check_limits, repeat


@pattern("refine")
async def refine(
    ctx: Context,
    name: str,
    draft: Annotated[BoundBody, Binds(("round", "last", "review"))],
    review: Annotated[BoundBody, Binds(("draft", "round"))],
    until: Annotated[Predicate, Binds(("review", "draft", "round"))],
    *,
    max_rounds: int = 5,
    score: Annotated[Expression, Binds(("review", "draft"))] | None = None,
    no_progress: int | None = None,
    on_cap: Literal["fail", "accept"] = "fail",
) -> Any:
    """Refine a draft.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        draft: Writes a draft, with `round` (from 1), `last` (the draft before) and `review` (what was said of
            that); the last two are null in the first round.
        review: Judges a draft, with `draft` and `round`.
        until: Whether a draft is accepted, judged on `review`, `draft` and `round`.
        max_rounds: The cap.
        score: How good a draft is, a number made of `review` and `draft`; higher is better.
        no_progress: Stop when this many drafts in a row were the same.
        on_cap: At the cap, or without progress: `fail`, or `accept` the best draft.

    Returns:
        The accepted draft; where none was accepted, the one with the highest score, or the last one without
        `score`. Of equal ones the later.

    Raises:
        RoundsExhausted: No draft was accepted, and `on_cap` is `fail`.
        NoProgress: The drafts did not change any more, and `on_cap` is `fail`.
        InputInvalid: `max_rounds` or `no_progress` is too small, or a score is no number.
    """
    limits = Limits(max_rounds, no_progress, on_cap, words="no draft was accepted in {} rounds")
    try:
        check_limits(limits)
    except InputInvalid as error:
        return await ctx.refuse(name, error)
    kind = return_type(draft)

    def typed(state: dict[str, Any]) -> Any:
        found = state.get("draft")
        return found if kind is None or found is None else build(kind, found)

    async def one(scope: Context, before: Round) -> Any:
        number, last = before.number + 1, _state(before.output)
        made = await scope.scope("draft", bind(draft, number, typed(last), last.get("review")))
        said = await scope.scope("review", bind(review, made, number))
        state = {"round": number, "draft": made, "review": said, "accepted": until(scope, said, made, number)}
        if score is not None:
            state["score"] = _number(score(scope, said, made))
            best = last.get("best", last)
            if not state["accepted"] and best.get("score", state["score"]) > state["score"]:
                state["best"] = {key: best[key] for key in ("round", "draft", "score")}
        return state

    async def inside(scope: Context) -> Any:
        at = await repeat(scope, one, limits, until=_is_accepted, compared=lambda state: state["draft"])
        last = _state(at.output)
        kept = last.get("best", last)
        marks = {key: kept[key] for key in ("round", "score") if key in kept}
        scope.remark = {**marks, "accepted": at.done}
        return typed(kept)

    inside.__wrapped__ = draft  # type: ignore[attr-defined]  # its output is of the type of a draft
    return await ctx.scope(name, inside, pattern="refine", total=max_rounds, of_rounds=True)


def _state(output: Any) -> dict[str, Any]:
    """Return what a round has left; a person who decides a round by hand may give just the draft."""
    return output if isinstance(output, dict) and "draft" in output else {"draft": output}


def _is_accepted(_scope: Context, _number: int, state: Any) -> bool:
    return bool(state["accepted"])


def _number(found: Any) -> float:
    """Return a score.

    Raises:
        InputInvalid: It is no number.
    """
    if isinstance(found, bool) or not isinstance(found, int | float):
        message = f"the score is {found!r:.60}, which is no number"
        raise InputInvalid(message, fix="let `score` give a number, and higher ones for better drafts")
    return found

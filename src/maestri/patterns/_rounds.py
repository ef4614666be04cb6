"""Rounds, one after the other, until one of them is done: what `loop`, `refine` and `repair` share.

Rule 1: a round's seal says how it was judged; a resume reads the last one only, however many there were.
Rule 2: the cap counts from where the rounds were given up last: a resume of such a run gets as many again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias

from maestri.errors import InputInvalid, NoProgress, RoundsExhausted
from maestri.kernel.codec import digest
from maestri.kernel.context import Context
from maestri.kernel.events import SEALED, SKIPPED, SUCCEEDED
from maestri.kernel.past import recorded_error
from maestri.kernel.path import split_segment
from maestri.kernel.typed import to_plain
from maestri.records import NamedTuple

OnCap: TypeAlias = Literal["fail", "accept"]
_CAPS = frozenset({NoProgress.__name__, RoundsExhausted.__name__})
_TWO = 2  # outputs that can be compared


class Round(NamedTuple):
    """Where the rounds stand after one: its number and output, how it was judged, and what failed so far.

    The cap counts from `base`: rounds that are taken up after they had reached their cap get as many anew.
    """

    number: int
    output: Any
    done: bool = False
    same: int = 1
    digest: str = ""
    failed: int = 0
    base: int = 0


class Limits(NamedTuple):
    """When to give up. `is_judged`: whether the rounds have a goal, so that reaching the cap is a failure.

    `words` say in a message what was not enough, with the number of rounds in the place of `{}`; `explain`
    gives the cause from the last output; where there is one, `on_cap` cannot be chosen.
    """

    max_rounds: int
    no_progress: int | None = None
    on_cap: OnCap = "fail"
    is_judged: bool = True
    words: str = "{} rounds were not enough"
    explain: Callable[[Any], str] | None = None


Body: TypeAlias = Callable[[Context, Round], Awaitable[Any]]
Judge: TypeAlias = Callable[[Context, int, Any], bool]


def check_limits(limits: Limits) -> None:
    """Refuse numbers that no rounds can meet.

    Raises:
        InputInvalid: `max_rounds` or `no_progress` is too small.
    """
    if limits.max_rounds < 1 or (limits.no_progress is not None and limits.no_progress < _TWO):
        message = "`max_rounds` counts from 1 and `no_progress` from 2"
        raise InputInvalid(message, fix="give larger numbers")


async def repeat(
    scope: Context,
    body: Body,
    limits: Limits,
    *,
    start: Any = None,
    before: Judge | None = None,
    until: Judge | None = None,
    compared: Callable[[Any], Any] | None = None,
) -> Round:
    """Do rounds in a scope that holds nothing else; return the last one.

    Args:
        scope: Their scope; a round is its child `round#n`.
        body: Does one round, given the one before it.
        limits: When to give up.
        start: The output before the first round.
        before: Judged before each round; the rounds end when it does not hold.
        until: Judged inside each round, on its output; the rounds end when it holds.
        compared: What of an output counts for `no_progress`; all of it without it.

    Raises:
        RoundsExhausted: The cap was reached and `on_cap` is `fail`.
        NoProgress: Nothing changed any more and `on_cap` is `fail`.
    """
    at = await _resumed(scope, start)
    while not at.done and (before is None or before(scope, at.number + 1, at.output)):
        problem = _problem(at, limits)
        if problem is not None and limits.on_cap == "fail":
            raise problem
        if problem is not None or at.number - at.base >= limits.max_rounds:
            break
        mark = None if limits.no_progress is None else compared or _whole
        at = await _round(scope, at, body, until, mark)
    return at


def _whole(output: Any) -> Any:
    return output


async def _resumed(scope: Context, start: Any) -> Round:
    """Return where the journal left the rounds, from the seal of the last one alone."""
    last = await scope.last_ended()
    if last is None:
        return Round(0, start)
    if last.kind not in {SEALED, SUCCEEDED, SKIPPED}:
        scope.add_failures(last.body.get("failed", 0))
        raise recorded_error(last)
    judged = last.body.get("remark", {})
    scope.add_failures(judged.get("failed", 0) + last.body.get("failed", 0))
    at = Round(split_segment(last.name)[1], last.body.get("output"), **judged)
    base = _rounds_before(scope)
    if base == at.number:
        at = at._replace(same=1, digest="")
    return at._replace(failed=scope.failed, base=base)


def _rounds_before(scope: Context) -> int:
    """Return the number of rounds after which they were given up, if they were reopened since."""
    failure = {} if scope.taken_back is None else scope.taken_back.body["failure"]
    rounds: int = (failure.get("detail") or {}).get("rounds", 0) if failure.get("type") in _CAPS else 0
    return rounds


async def _round(
    scope: Context, before: Round, body: Body, until: Judge | None, mark: Callable[[Any], Any] | None
) -> Round:
    number = before.number + 1
    judged: dict[str, Any] = {}

    async def one(inner: Context) -> Any:
        output = await body(inner, before)
        if until is not None and until(inner, number, output):
            judged["done"] = True
        if mark is not None:
            seen = digest(to_plain(mark(output)))
            judged["digest"] = seen
            judged["same"] = before.same + 1 if seen == before.digest else 1
        if before.failed:
            judged["failed"] = before.failed
        inner.remark = judged or None
        return output

    one.__wrapped__ = body  # type: ignore[attr-defined]  # a round's output is of the body's type
    output = await scope.enter(scope.claim("round", number), one)
    judged["failed"] = scope.failed
    return Round(number, output, base=before.base, **judged)


def _problem(at: Round, limits: Limits) -> NoProgress | RoundsExhausted | None:
    """Return why the rounds must not go on, if they must not."""
    detail = {"rounds": at.number}
    cause = "" if limits.explain is None else limits.explain(at.output)
    accepted = ", or `on_cap: accept` the last output" if limits.explain is None else ""
    if limits.no_progress is not None and at.same >= limits.no_progress:
        message = f"{at.same} rounds in a row gave the same output"
        return NoProgress(message, cause=cause, fix=f"look at what a round does{accepted}", detail=detail)
    if at.number - at.base >= limits.max_rounds and limits.is_judged:
        message = limits.words.format(limits.max_rounds)
        fix = f"resume the run for as many again; or raise `max_rounds`{accepted}"
        return RoundsExhausted(message, cause=cause, fix=fix, detail=detail)
    return None

"""Do steps in order; when one fails, undo in reverse order what was done, and then fail.

Shape:    a ── b ── c ── on
          undo a ── undo b ── undo c (in part done) ── failed
Journal:  <name>/<step>, <name>/failed (what failed, stored before anything is undone),
          <name>/undo/<step>/try#n, .../dead-letter (an undo that failed), .../decide (what a person says to
          that), <name>/again when it is resumed after it was undone, and one seal for <name>
Cost:     the sum of the steps; after a failure that of the undos
When:     steps change something outside that must be taken back when a later one fails
Not:      nothing outside of the run was changed: `steps`
Source:   the saga pattern: seed document 1.8; Garcia-Molina and Salem, "Sagas" (1987)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from maestri.errors import InputInvalid, RunError, SagaUndone, to_failure
from maestri.kernel.body import OneStep
from maestri.kernel.closing import stopped_error
from maestri.kernel.context import Context
from maestri.kernel.path import numbered
from maestri.kernel.run import LIMIT
from maestri.patterns._again import NAME, Again
from maestri.patterns._registry import Undoable, UndoableSteps, bind, pattern
from maestri.records import NamedTuple

RESERVED = frozenset({"undo", "failed", NAME})  # the saga's own records stand beside its steps
RETRY, SKIP = "retry", "skip"
_BY_HAND, _UNDONE = "by_hand", "undone"


class _Attempt(NamedTuple):
    """How far the steps have come: their outputs, those that were skipped, and the record of the failure."""

    done: dict[str, Any]
    skipped: set[str]
    failed: dict[str, Any] | None = None


@pattern("saga")
async def saga(ctx: Context, name: str, steps: UndoableSteps) -> Any:
    """Do steps in order, and undo them when one fails.

    A failed step is undone too, for what it has done in part; its `output` is null then. An undo that fails,
    after its own retry, is kept as a dead letter, and a person decides: `retry` it, or `skip` it because it
    was undone by hand. Cancelling a saga undoes nothing: it stops, and a resume goes on where it was. The
    `timeout` of the saga itself is a failure, and undoes.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        steps: The steps by name; each may have an `undo`, which sees the step's output as `output`.

    Returns:
        The output of the last step.

    Raises:
        SagaUndone: A step failed, and all that was done has been undone. A resume begins the saga anew.
        InputInvalid: A step has a name under which the saga keeps its own records.
    """
    taken = sorted(RESERVED.intersection(steps))
    if taken:
        message = f"`{taken[0]}` cannot be the name of a step: the saga keeps its own record there"
        return await ctx.refuse(name, InputInvalid(message, fix="give the step another name"))

    async def inside(scope: Context) -> Any:
        again = Again(scope)
        while True:
            attempt = await _forward(scope, steps, again.count + 1)
            if attempt.failed is None:
                if again.count:
                    scope.forget()  # a step that was undone may have been decided by hand since
                return next(reversed(attempt.done.values()), None)
            undo = partial(_undo, steps=steps, attempt=attempt, failed=attempt.failed)
            failure = _undone(attempt.failed, await scope.scope("undo", undo), again)
            if not await again.is_due(failure):
                raise failure

    return await ctx.scope(name, inside, pattern="saga", total=len(steps))


# --- forward --------------------------------------------------------------------------------------


async def _forward(scope: Context, steps: UndoableSteps, number: int) -> _Attempt:
    """Do the steps for the `number`-th time, up to the one that fails.

    A failure that is on record stays one: what was done is being undone, so that the step must not run now.
    """
    attempt = _Attempt({}, set())
    known = scope.recorded(numbered("failed", number))
    for name, step in steps.items():
        failed = known if known is not None and known["step"] == name else None
        if failed is None:
            failed = await _step(scope, name, step, number, attempt)
        else:
            scope.add_failures(failed["failures"])
        if failed is not None:
            await scope.decide("failed", partial(_same, failed), stored=True)
            return attempt._replace(failed=failed)
    return attempt


def _same(value: Any) -> Any:
    return value


async def _step(
    scope: Context, name: str, step: Undoable, number: int, attempt: _Attempt
) -> dict[str, Any] | None:
    """Do one step; return the record of its failure, if it fails."""
    before = dict(attempt.done)
    has_begun = False

    async def guarded(place: Context) -> Any:
        nonlocal has_begun
        if step.when is not None and not step.when(before):
            attempt.skipped.add(name)
            return await place.skip(name)
        has_begun = True
        return await place.scope(name, bind(step.body, before))

    failures = scope.failed
    try:
        attempt.done[name] = await scope.enter_body(scope.claim(name, number), OneStep(guarded))
    except RunError as found:
        error = found
    except asyncio.CancelledError:
        late = _time_is_up(scope)
        if late is None:
            raise
        error = late
    else:
        return None
    return {
        "step": name,
        "has_begun": has_begun,
        "failures": scope.failed - failures,
        "failure": to_failure(error).as_json(),
    }


def _time_is_up(scope: Context) -> RunError | None:
    """Return the failure of a saga whose own time is up, and let it go on, to undo; None for other ends."""
    live = scope.core.live.get(scope.path)
    if scope.core.is_parking or live is None or live.stopping is None or live.stopping.kind != LIMIT:
        return None
    stop = live.stopping
    live.release()
    return None if live.is_interrupted else stopped_error(scope.path, stop)


# --- back -----------------------------------------------------------------------------------------


async def _undo(
    scope: Context, *, steps: UndoableSteps, attempt: _Attempt, failed: Mapping[str, Any]
) -> dict[str, list[str]]:
    """Undo what was done, the last first; return the names of the steps by what became of them."""
    found: dict[str, list[str]] = {_UNDONE: [], _BY_HAND: [], "kept": []}
    order = list(steps)
    last = order.index(failed["step"]) + (1 if failed["has_begun"] else 0)
    for place in range(last - 1, -1, -1):
        name, undo = order[place], steps[order[place]].undo
        if name in attempt.skipped:
            continue
        if undo is None:
            found["kept"] += [name] if name in attempt.done else []
            continue
        before = {one: attempt.done[one] for one in order[:place]}
        body = bind(undo, attempt.done.get(name), before)
        how = await scope.scope(name, partial(_undo_step, name=name, body=body))
        found[how].append(name)
    return found


async def _undo_step(scope: Context, *, name: str, body: Any) -> str:
    """Undo one step, until it succeeds or a person says that it was done by hand."""
    while True:
        try:
            await scope.enter_body(scope.claim("try"), body)
        except RunError as error:
            failure = to_failure(error).as_json()
        else:
            return _UNDONE
        await scope.decide("dead-letter", partial(_same, {"undo": name, "failure": failure}), stored=True)
        if await _asked(scope, name, failure) == SKIP:
            return _BY_HAND


async def _asked(scope: Context, name: str, failure: Mapping[str, Any]) -> str:
    question = f"Undoing `{name}` has failed: {failure['message']} ({failure['code']} at {failure['path']})."
    question += f" `{RETRY}` it, or undo it by hand and `{SKIP}` it?"
    while True:
        answer = await scope.ask("decide", question, [RETRY, SKIP])
        if answer in {RETRY, SKIP}:
            return str(answer)


def _undone(failed: Mapping[str, Any], found: Mapping[str, list[str]], again: Again) -> SagaUndone:
    failure = failed["failure"]
    said = [f"undone: {', '.join(found[_UNDONE])}"] if found[_UNDONE] else []
    said += [f"undone by hand: {', '.join(found[_BY_HAND])}"] if found[_BY_HAND] else []
    said += [f"without an undo: {', '.join(found['kept'])}"] if found["kept"] else []
    message = f"`{failed['step']}` failed; {'; '.join(said) or 'there was nothing to undo'}"
    cause = f"{failure['code']} at {failure.get('path')}: {failure['message']}"
    fix = "mend what failed, then resume the run: the saga begins anew, with its first step"
    return SagaUndone(message, cause=cause, fix=fix, detail=again.detail(**failed, **found))

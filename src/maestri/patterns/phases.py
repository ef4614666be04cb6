"""Do phases in order; what each has done must pass its gate before the next one begins.

Shape:    a ── valid? ── b ── valid? ── on
                 └ no: stop, do it again, or ask a person
Journal:  <name>/<phase>/steps#n, <name>/<phase>/validate#n, <name>/<phase>/decide#n (a person's decision),
          one seal a phase, and one for <name>
Cost:     the sum of the phases and of their validators
When:     large work, like a migration, in parts of which each must hold before the next begins
Not:      there is nothing to judge a part by: `steps`
Source:   incremental with validation: seed documents 2.5, 3; the stage gate (Cooper 1990)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from maestri.errors import InputInvalid, PhaseInvalid, RunError, VerdictUnclear
from maestri.kernel.context import Context
from maestri.patterns._again import Again
from maestri.patterns._answers import as_data
from maestri.patterns._registry import Phase, Phases, bind, pattern
from maestri.patterns._verdict import words_of

GO_ON, REPEAT, STOP = "go on", "again", "stop"
_POLICIES = frozenset({"stop", "retry", "ask"})
_NO_VERDICT = frozenset({"cancelled", "unavailable", "input", "value"})  # these say nothing of the work


@pattern("phases")
async def phases(ctx: Context, name: str, bodies: Phases) -> dict[str, Any]:
    """Do phases in order, each behind the gate of the one before.

    A validator that succeeds lets its phase pass, unless it gives false or `{passed: false, …}`; one that
    fails does not. What it says is `problem` in the next try of the phase.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        bodies: The phases by name, in their order. Each has its `steps`, and may have `validate` (a
            condition, or a body that sees `output`) and `on_invalid`: `stop`, `retry` (up to `max_tries`
            times in all) or `ask` a person.

    Returns:
        The outputs by name.

    Raises:
        PhaseInvalid: A phase did not pass its gate.
        VerdictUnclear: A validator gave `passed` that is neither true nor false.
        InputInvalid: An option of a phase is out of range.
    """
    try:
        _check(bodies)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    async def inside(scope: Context) -> dict[str, Any]:
        done: dict[str, Any] = {}
        for phase, one in bodies.items():
            body = partial(_phase, name=phase, phase=one, done=dict(done))
            done[phase] = await scope.scope(phase, body)
        return done

    return await ctx.scope(name, inside, pattern="phases", total=len(bodies))


def _check(bodies: Phases) -> None:
    """Refuse options that no phase can meet.

    Raises:
        InputInvalid: Names the phase.
    """
    for name, phase in bodies.items():
        if phase.on_invalid not in _POLICIES:
            message = f"`on_invalid` of the phase `{name}` cannot be {phase.on_invalid!r:.60}"
            raise InputInvalid(message, fix="use `stop`, `retry` or `ask`")
        if phase.max_tries < 1:
            message = f"`max_tries` of the phase `{name}` counts from 1"
            raise InputInvalid(message, fix="give a larger number")


async def _phase(scope: Context, *, name: str, phase: Phase, done: Mapping[str, Any]) -> Any:
    """Do one phase until it passes.

    Raises:
        PhaseInvalid: It does not.
    """
    again = Again(scope)
    output = problem = None
    tries, is_to_do = 0, True
    while True:
        if is_to_do:
            output = await scope.enter_body(scope.claim("steps"), bind(phase.body, problem, done))
            tries += 1
        problem = await _problem(scope, name, phase, output, done, again)
        if problem is None:
            return output
        if phase.on_invalid == "retry" and tries < phase.max_tries:
            continue
        answer = STOP if phase.on_invalid != "ask" else await _asked(scope, name, problem)
        if answer == GO_ON:
            return output
        if answer == STOP:
            failure = _invalid(name, phase, problem, tries, again)
            if not await again.is_due(failure):
                raise failure
            tries = 0
        # What a person has mended by hand is only looked at again.
        is_to_do = answer == REPEAT or phase.on_invalid == "retry"


async def _problem(
    scope: Context, name: str, phase: Phase, output: Any, done: Mapping[str, Any], again: Again
) -> str | None:
    """Return why a phase does not pass, or None."""
    if phase.holds is not None and not phase.holds(output, done):
        return "its condition does not hold"
    while phase.validate is not None:
        try:
            found = await scope.enter_body(scope.claim("validate"), bind(phase.validate, output, done))
        except RunError as error:
            if error.kind in _NO_VERDICT:
                raise
            return _said(error)
        verdict = words_of(found, "passed")
        if isinstance(verdict, str) or verdict is None:
            return verdict
        failure = _unclear(name, found, again)
        if not await again.is_due(failure):
            raise failure
    return None


def _said(error: RunError) -> str:
    """Return what a validator that failed has said: of a command, also the end of what it wrote."""
    detail = error.detail if isinstance(error.detail, dict) else {}
    wrote = [detail[stream] for stream in ("stderr", "stdout_tail") if isinstance(detail.get(stream), str)]
    return "\n".join(text.strip() for text in (error.message, error.cause, *wrote) if text.strip())


def _unclear(name: str, found: Any, again: Again) -> VerdictUnclear:
    given: Any = as_data(found)
    message = f"the validator of the phase `{name}` gave {given['passed']!r:.60} for `passed`"
    fix = "let it give `passed: true` or `passed: false`, then resume the run: it is asked again"
    return VerdictUnclear(message, fix=fix, detail=again.detail(validator=name))


def _invalid(name: str, phase: Phase, problem: str, tries: int, again: Again) -> PhaseInvalid:
    message = f"the phase `{name}` does not pass its gate: {problem.splitlines()[0] if problem else 'false'}"
    fix = "mend what it has made by hand, then resume the run: it is validated again"
    cause = "the phases after it have not begun"
    if phase.on_invalid == "retry":
        cause = f"it was done {tries} times; the phases after it have not begun"
        fix = "resume the run for as many tries again, or raise `max_tries`"
    return PhaseInvalid(message, cause=cause, fix=fix, detail=again.detail(phase=name, problem=problem))


async def _asked(scope: Context, name: str, problem: str) -> str:
    """Return what a person has decided about a phase that does not pass."""
    question = f"The phase `{name}` does not pass its gate: {problem}"
    while True:
        answer = await scope.ask("decide", question, [GO_ON, REPEAT, STOP])
        if answer in {GO_ON, REPEAT, STOP}:
            return str(answer)

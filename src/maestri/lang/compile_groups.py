"""Compiles the steps of a saga, phases and streams, for the patterns that take them as records.

Rule 1: what is done after something else sees its output by name, also where that was only read back from the
journal; so the pattern hands over the outputs, and nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from maestri.kernel.body import Body, Opening
from maestri.kernel.context import Context
from maestri.kernel.path import join, parent
from maestri.lang.compile import Unit, body, bound_body
from maestri.lang.frames import Frame, truth
from maestri.lang.model import BodyDef, PhaseDef, PredicateDef, StepDef, SyncDef
from maestri.lang.scopes import MEMORY
from maestri.patterns._registry import BoundBody, Phase, Stream, Undoable
from maestri.values import Json

Done = Mapping[str, Any]


def undoable(unit: Unit, steps: tuple[StepDef, ...], frame: Frame) -> dict[str, Undoable]:
    """Return the steps of a saga."""
    return {step.name: _undoable(unit, step, frame) for step in steps}


def _undoable(unit: Unit, step: StepDef, frame: Frame) -> Undoable:
    when, undo = step.when, step.undo
    only = BodyDef((step._replace(when=None),), step.span, is_single=True)

    async def run(ctx: Context, done: Done) -> Json:
        seen = await _seen(unit, ctx, ctx.path, done, frame)
        return await bound_body(unit, only, seen)(ctx)  # type: ignore[no-any-return]

    run.is_one_step = True  # type: ignore[attr-defined]
    return Undoable(
        run,
        None if undo is None else _behind(unit, undo, frame),
        None if when is None else lambda done: truth(when.value, _over(done, frame), unit.definition.source),
    )


def phases(unit: Unit, given: Mapping[str, PhaseDef], frame: Frame) -> dict[str, Phase]:
    """Return the phases of a definition."""
    return {name: _phase(unit, one, frame) for name, one in given.items()}


def _phase(unit: Unit, phase: PhaseDef, frame: Frame) -> Phase:
    definition, validate = phase.body, phase.validate

    async def run(ctx: Context, problem: Json, done: Done) -> Json:
        own = ctx.path if definition.is_single else parent(ctx.path)[0]
        seen = await _seen(unit, ctx, parent(own)[0], done, frame)
        return await bound_body(unit, definition, seen)(ctx, problem)  # type: ignore[no-any-return]

    run.is_one_step = definition.is_single  # type: ignore[attr-defined]
    found = Phase(run, on_invalid=phase.on_invalid, max_tries=phase.max_tries)  # type: ignore[arg-type]
    if isinstance(validate, PredicateDef):
        return found._replace(holds=_condition(unit, validate, frame))
    return found if validate is None else found._replace(validate=_behind(unit, validate, frame))


def _condition(unit: Unit, definition: PredicateDef, frame: Frame) -> Callable[[Any, Done], bool]:
    def holds(output: Json, done: Done) -> bool:
        names = dict(zip(definition.binds, (output,), strict=True))
        return truth(definition.value, Frame(names, _over(done, frame)), unit.definition.source)

    return holds


def _behind(unit: Unit, definition: BodyDef, frame: Frame) -> BoundBody:
    """Return a body that sees the output of what it undoes or judges, and what was done before that."""

    def run(ctx: Context, output: Json, done: Done) -> Awaitable[Json]:
        return bound_body(unit, definition, _over(done, frame))(ctx, output)  # type: ignore[no-any-return]

    run.is_one_step = definition.is_single  # type: ignore[attr-defined]
    return run


def _over(done: Done, frame: Frame) -> Frame:
    return Frame(dict(done), frame)


async def _seen(unit: Unit, ctx: Context, scope: str, done: Done, frame: Frame) -> Frame:
    """Return the frame of what is done after some siblings, with what those have written into `memory`."""
    seen = _over(done, frame)
    seen.done = tuple(join(scope, name) for name in done)
    if unit.memory is not None:
        await unit.memory.behind(ctx, [join(scope, name) for name in done], seen)
    return seen


# --- streams --------------------------------------------------------------------------------------


def streams(unit: Unit, given: Mapping[str, BodyDef], frame: Frame) -> dict[str, Stream | Body[Json]]:
    """Return the streams of a definition."""
    return {name: _stream(unit, one, frame) for name, one in given.items()}


def _stream(unit: Unit, definition: BodyDef, frame: Frame) -> Stream | Body[Json]:
    points = tuple(step.action.point for step in definition.steps if isinstance(step.action, SyncDef))
    if not points:
        return body(unit._replace(meet=None), definition, frame)

    def run(ctx: Context, meet: Any) -> Awaitable[Json]:
        return bound_body(unit._replace(meet=meet), definition, frame)(ctx)  # type: ignore[no-any-return]

    run.is_one_step = definition.is_single  # type: ignore[attr-defined]
    return Stream(run, points)


def sync(unit: Unit, step: StepDef, action: SyncDef, frame: Frame) -> Callable[[Context], Awaitable[Json]]:
    """Return the call of a `sync`: the stream brings the output of the step before it."""
    opening = Opening(step.source(unit.definition.source), step.policy.step_timeout_s)
    names = [name for name in frame.names if name != MEMORY]
    before = frame.names[names[-1]] if names else None

    def run(ctx: Context) -> Awaitable[Json]:
        ctx.prepare(opening)
        return unit.meet(ctx, step.name, action.point, before)  # type: ignore[no-any-return]

    return run

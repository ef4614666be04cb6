"""Compiles `ask`, `wait` and `emit`: a person, a signal, a time, and a word to others in the same run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

from maestri.errors import InputInvalid
from maestri.kernel.context import Context
from maestri.lang.answers import refusal
from maestri.lang.compile import Unit
from maestri.lang.frames import Frame, text, value
from maestri.lang.model import AskDef, Dynamic, EmitDef, LateDef, StepDef, WaitDef
from maestri.values import Json


def waits(unit: Unit, step: StepDef, frame: Frame) -> Callable[[Context], Awaitable[Json]]:
    """Return the call that a step of these verbs makes.

    Raises:
        InputInvalid: One of its expressions has no value.
        TypeError: The step has another verb.
    """
    action, source = step.action, unit.definition.source
    if isinstance(action, EmitDef):
        data = None if action.data is None else value(action.data, frame, source)
        return lambda ctx: ctx.emit(step.name, data, action.event)
    if isinstance(action, AskDef):
        return _ask(unit, step, action, frame)
    if not isinstance(action, WaitDef):
        raise TypeError(step.verb)
    if action.signal is not None:
        limit = _limit(unit, action.timeout_s or step.policy.step_timeout_s, action.on_timeout, frame)
        return lambda ctx: ctx.signal(step.name, action.signal, **limit)
    if action.until is None:
        return partial(_sleep, step.name, action.delay_s or 0.0)
    return partial(_sleep_until, step.name, _time(unit, action.until, frame))


def _ask(unit: Unit, step: StepDef, action: AskDef, frame: Frame) -> Callable[[Context], Awaitable[Json]]:
    question, options = text(action.question, frame, unit.definition.source), list(action.options)
    limit = _limit(unit, step.policy.step_timeout_s, action.on_timeout, frame)
    schema: Any = None if action.schema is None else action.schema.schema

    def ask(ctx: Context) -> Awaitable[Json]:
        refuses = partial(refusal, options, schema) if options or schema is not None else None
        return ctx.ask(step.name, question, options or None, schema=schema, refuses=refuses, **limit)

    return ask


def _limit(unit: Unit, timeout_s: float | None, late: LateDef | None, frame: Frame) -> dict[str, Any]:
    """Return how long a wait may take, and what becomes of it then, as `Context` takes it."""
    if timeout_s is None or late is None:
        return {"timeout_s": timeout_s}
    default = None if late.default is None else value(late.default, frame, unit.definition.source)
    return {"timeout_s": timeout_s, "on_timeout": late.word, "default": default}


async def _sleep(name: str, delay_s: float, ctx: Context) -> None:
    await ctx.sleep(delay_s, name)


async def _sleep_until(name: str, due: float, ctx: Context) -> None:
    await ctx.sleep(due - ctx.core.clock.now(), name)


def _time(unit: Unit, dynamic: Dynamic, frame: Frame) -> float:
    """Return a point in time in seconds since 1970; one without an offset is local.

    Raises:
        InputInvalid: It is none.
    """
    source = unit.definition.source
    found = value(dynamic, frame, source)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    place = f"{source.name}:{dynamic.span.line}:{dynamic.span.col}"
    try:
        return datetime.fromisoformat(found if isinstance(found, str) else "").astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        message = f"`until` is no point in time: {found!r:.60}"
        fix = "give a text such as `2026-11-30T09:00:00+01:00`, or seconds since 1970"
        raise InputInvalid(message, cause=f"at {place}", fix=fix, detail={"at": place}) from None

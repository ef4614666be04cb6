"""Compiles a step with checks, files, memory or a cache to a call of `checked`, with the step itself inside.

Rule: what does not need the answer is evaluated when the step starts, as the step's own expressions are.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from maestri.errors import InputInvalid
from maestri.kernel.context import Context
from maestri.kernel.policy import DEFAULT, Policy
from maestri.lang.compile import Unit, bare, run_request, task_of
from maestri.lang.frames import Frame, text, truth, value
from maestri.lang.model import (
    AgentDef,
    CheckDef,
    Dynamic,
    Fixed,
    PatternDef,
    Properties,
    Record,
    StepDef,
    Templated,
)
from maestri.patterns.checked import Check, checked
from maestri.values import Json

OUTPUT = "output"


def checked_step(
    unit: Unit, step: StepDef, properties: Properties, frame: Frame
) -> Callable[[Context], Awaitable[Json]]:
    """Return the call that a step with checks makes.

    Raises:
        InputInvalid: One of its expressions has no value.
    """
    rendered = _rendered(unit, step, frame)
    first = bare(unit, rendered, frame)
    is_agent = isinstance(step.action, AgentDef)

    def body(ctx: Context, correction: str) -> Awaitable[Json]:
        return (bare(unit, _corrected(rendered, correction), frame) if correction else first)(ctx)

    body.is_one_step = True  # type: ignore[attr-defined]
    returns = properties.returns
    options: dict[str, Any] = {
        "requires": files(unit, properties.requires, frame),
        "reads": files(unit, properties.reads, frame),
        "delivers": files(unit, properties.delivers, frame),
        "returns": None if returns is None else returns.schema,
        "repair_turns": properties.repair_turns if is_agent else 0,
        "verify": [_check(unit, one, frame) for one in properties.verify],
        "handoff": {one.said: _check(unit, one, frame) for one in properties.handoff},
        "on_unmet": properties.on_unmet,
        "outputs": _values(unit, properties.outputs, frame),
        "max_age_s": properties.max_age_s,
        "policy": step.policy._replace(idle_timeout_s=None),
        "source": step.source(unit.definition.source),
        "folder": frame.folder or "",
    }
    if properties.cache:
        task = task_of(unit, rendered, frame)
        options["cache"] = [task.agent, task.request]
    write = _values(unit, properties.memory, frame)

    options["memory"] = None if write is None else unit.memory.writer(write)
    return lambda ctx: checked(ctx, step.name, body, **options)


def _rendered(unit: Unit, step: StepDef, frame: Frame) -> StepDef:
    """Return the step as it stands inside: its prompt evaluated, retry and limits left to the outside."""
    is_pattern = isinstance(step.action, PatternDef)
    policy = DEFAULT if is_pattern else Policy(idle_timeout_s=step.policy.idle_timeout_s)
    inner = step._replace(policy=policy)
    if not isinstance(step.action, AgentDef):
        return inner
    prompt = text(step.action.prompt, frame, unit.definition.source)
    return inner._replace(action=step.action._replace(prompt=Fixed(prompt, step.action.prompt.span)))


def _corrected(step: StepDef, correction: str) -> StepDef:
    if not isinstance(step.action, AgentDef) or not isinstance(step.action.prompt, Fixed):
        return step
    prompt = step.action.prompt._replace(value=f"{step.action.prompt.value}\n\n{correction}")
    return step._replace(action=step.action._replace(prompt=prompt))


def files(unit: Unit, patterns: tuple[Dynamic, ...], frame: Frame) -> list[str]:
    """Return patterns of files with their expressions evaluated.

    Raises:
        InputInvalid: One has no value, or a value makes it an absolute path that the author did not write.
    """
    found = []
    for one in patterns:
        path = text(one, frame, unit.definition.source)
        written = one.scalar.text if isinstance(one, Templated) else path
        if os.path.isabs(path) and not written.startswith("/"):  # noqa: PTH117 - a pattern, not a path
            message = f"`{path[:80]}` is an absolute path that comes from a value"
            fix = "write the absolute part in the definition, or hand over a relative path"
            raise InputInvalid(message, fix=fix)
        found.append(path)
    return found


def _check(unit: Unit, check: CheckDef, frame: Frame) -> Check:
    source, holds, run = unit.definition.source, check.holds, check.run
    if holds is not None:
        return Check(check.said, holds=lambda answer: truth(holds.value, _over(answer, frame), source))
    if run is None:
        return Check(check.said)
    return Check(check.said, command=lambda answer: run_request(run, _over(answer, frame), unit))


def _values(unit: Unit, record: Record | None, frame: Frame) -> Callable[[Any], Mapping[str, Any]] | None:
    if record is None:
        return None

    def found(answer: Any) -> Mapping[str, Any]:
        inner = _over(answer, frame)
        return {key: value(item, inner, unit.definition.source) for key, item in record.entries}

    return found


def _over(answer: Any, frame: Frame) -> Frame:
    return Frame({OUTPUT: answer}, frame)

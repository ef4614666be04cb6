"""The steps inside of a step, whatever its pattern."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from maestri.lang.model import ArmDef, BodyDef, PatternDef, PhaseDef, StepDef


def steps_of(value: Any) -> list[StepDef]:
    """Return the steps that an option of a pattern holds, without those inside of them."""
    if isinstance(value, BodyDef):
        return list(value.steps)
    if isinstance(value, ArmDef | PhaseDef):
        return list(value.body.steps)
    if isinstance(value, StepDef):
        return [value]
    if isinstance(value, Mapping):
        return [step for one in value.values() for step in steps_of(one)]
    if type(value) is tuple:
        return [step for one in value for step in steps_of(one)]
    return []


def steps_in(step: StepDef) -> Iterator[StepDef]:
    """Yield all steps inside of a step, at any depth."""
    if isinstance(step.action, PatternDef):
        for value in step.action.options.values():
            for one in steps_of(value):
                yield one
                yield from steps_in(one)

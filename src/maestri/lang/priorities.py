"""The priority of a step, evaluated when the step is ready."""

from __future__ import annotations

from maestri.errors import InputInvalid
from maestri.lang.frames import Frame, value
from maestri.lang.model import StepDef
from maestri.lang.source import Source
from maestri.values import plain_type


def priority_of(step: StepDef, frame: Frame, source: Source) -> float:
    """Return the priority of a step.

    Raises:
        InputInvalid: It is no number.
    """
    given = None if step.properties is None else step.properties.priority
    found = 0 if given is None else value(given, frame, source)
    if isinstance(found, bool) or not isinstance(found, int | float):
        place = step.source(source)
        message = f"the priority of `{step.name}` is a {plain_type(found)}, not a number"
        raise InputInvalid(message, cause=f"at {place}", fix="give a number", detail={"at": place})
    return float(found)

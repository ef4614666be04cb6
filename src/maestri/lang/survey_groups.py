"""Goes through the steps of a saga, phases and streams: what each sees, and the types of their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestri.lang import outputs
from maestri.lang.expressions.types import ANY, MAPPING, NULL, Type
from maestri.lang.model import BodyDef, PatternDef, PhaseDef, PredicateDef, StepDef, SyncDef
from maestri.lang.scopes import Level, View
from maestri.lang.survey import Link


def note_undoable(walk: Any, steps: tuple[StepDef, ...], view: View, name: str) -> Type:
    """Go through the steps of a saga, each with what undoes it; return the type of the last one's output.

    Args:
        walk: The walk through the definition (`survey.py`).
        steps: The steps.
        view: What is seen around the saga.
        name: The name of the saga.
    """
    level = Level("body", [step.name for step in steps])
    walk.beside(f"steps of `{name}`", [(step.name, step.span) for step in steps])
    last: Type = NULL
    for step in steps:
        seen = View(level, level.order[step.name], view)
        last = walk.step(step, seen, step.name)
        _note_undo(walk, step, last, seen)
        level.types[step.name] = last
        if step.when is not None:
            level.skippable.add(step.name)
        if isinstance(step.action, PatternDef) and outputs.may_lack(step.action):
            level.lacking.add(step.name)
    return last


def _note_undo(walk: Any, step: StepDef, output: Type, view: View) -> None:
    if step.undo is None:
        return
    certain, trail = walk.certain, walk.trail
    walk.certain = False
    # A step that has failed has done its work in part, and has no output.
    level = _judged(step.undo.binds, outputs.may_be_null(output))
    level.skippable.update(step.undo.binds)
    walk.body(step.undo, View(level, 0, view), f"the undo of `{step.name}`")
    walk.certain, walk.trail = certain, trail


def _judged(binds: tuple[str, ...], output: Type) -> Level:
    return Level("bound", binds, dict.fromkeys(binds, output))


def note_phases(walk: Any, phases: Mapping[str, PhaseDef], view: View, name: str) -> dict[str, Type]:
    """Go through phases, each with its validator; return the types of their outputs."""
    level = Level("body", phases)
    places = [(phase, one.body.name_span or one.body.span) for phase, one in phases.items()]
    walk.beside(f"phases of `{name}`", places)
    trail = walk.trail
    for phase, one in phases.items():
        walk.trail = (*trail, Link(phase, by_name=False))
        seen = View(level, level.order[phase], view)
        told = View(Level("bound", one.body.binds, dict.fromkeys(one.body.binds, ANY)), 0, seen)
        found, _ = walk.body(one.body, told, f"`{phase}`")
        _note_validator(walk, one, found, seen, phase)
        level.types[phase] = found
    walk.trail = trail
    return level.types


def _note_validator(walk: Any, phase: PhaseDef, output: Type, view: View, name: str) -> None:
    validate = phase.validate
    if isinstance(validate, PredicateDef):
        seen = View(_judged(validate.binds, output), 0, view)
        walk.value(validate.value, seen, f"`validate` of `{name}`", "boolean")
    elif validate is not None:
        seen = View(_judged(validate.binds, output), 0, view)
        walk.body(validate, seen, f"the validator of `{name}`")


def note_streams(walk: Any, streams: Mapping[str, BodyDef], view: View, name: str) -> dict[str, Type]:
    """Go through streams, with what their meetings give; return the types of their outputs."""
    around = walk.meetings
    walk.meetings = _meetings(streams)
    found: dict[str, Type] = walk.bodies(streams, view, name)
    walk.meetings = around
    return found


def _meetings(streams: Mapping[str, BodyDef]) -> dict[str, Type]:
    """Return the type of what each point gives: a mapping by stream, of which skipped ones are not part."""
    members: dict[str, list[str]] = {}
    open_points: set[str] = set()
    for stream, body in streams.items():
        for step in body.steps:
            if isinstance(step.action, SyncDef):
                members.setdefault(step.action.point, []).append(stream)
                open_points.update({step.action.point} if step.when is not None else ())
    return {
        point: MAPPING if point in open_points else outputs.by_name(dict.fromkeys(names, ANY))
        for point, names in members.items()
    }

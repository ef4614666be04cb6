"""Goes through `ask`, `wait` and `emit`: their values, and the types of what they give."""

from __future__ import annotations

from typing import Any

from maestri.lang import outputs
from maestri.lang.expressions.types import ANY, NULL, TEXT, Type, either
from maestri.lang.model import AskDef, EmitDef, StepDef, WaitDef
from maestri.lang.scopes import View

_NOT_NULL = "boolean|number|text|list|mapping"


def note_waits(walk: Any, step: StepDef, view: View) -> Type:
    """Go through a step of these verbs; return the type of its output.

    Args:
        walk: The walk through the definition (`survey.py`).
        step: The step.
        view: What is seen where it stands.
    """
    action = step.action
    if isinstance(action, EmitDef):
        data = NULL if action.data is None else walk.value(action.data, view, "`data`")
        return outputs.by_name({"name": TEXT, "data": data})
    if isinstance(action, WaitDef) and action.signal is None:
        if action.until is not None:
            walk.value(action.until, view, "`until`", "text|number")
        return NULL
    found = ANY
    if isinstance(action, AskDef):
        walk.value(action.question, view, "`ask`", _NOT_NULL)
        found = TEXT if action.schema is None else ANY
    return _late(walk, action, found, view)


def _late(walk: Any, action: Any, found: Type, view: View) -> Type:
    """Return the type of what a wait gives, also when its time was up."""
    late = action.on_timeout
    if late is None or late.word == "fail":
        return found
    if late.default is None:
        return outputs.may_be_null(found)
    certain, walk.certain = walk.certain, False
    default = walk.value(late.default, view, "`default`")
    walk.certain = certain
    return either((found, default))

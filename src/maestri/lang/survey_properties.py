"""Goes through the properties of a step: what they see, and what they make of its output."""

from __future__ import annotations

from typing import Any, Final

from maestri.lang import outputs
from maestri.lang.expressions.types import ANY, LIST, MAPPING, NULL, NUMBER, TEXT, Type
from maestri.lang.model import CheckDef, RunDef, StepDef
from maestri.lang.scopes import Level, View

OUTPUT: Final = "output"
_PATH: Final = "text|number"
_KINDS: Final = {
    "object": MAPPING,
    "array": LIST,
    "string": TEXT,
    "number": NUMBER,
    "integer": NUMBER,
    "boolean": Type("boolean"),
    "null": NULL,
}


def note_properties(walk: Any, step: StepDef, view: View, found: Type) -> Type:
    """Note the values of a step's properties; return the type of its output.

    Args:
        walk: The walk through the definition (`survey.py`).
        step: A step that has properties.
        view: What its own expressions see.
        found: The type of what its verb gives.
    """
    own = step.properties
    if own is None:
        return found
    for key in ("requires", "reads", "delivers", "claims"):
        for one in getattr(own, key):
            walk.value(one, view, f"`{key}`", _PATH)
    if own.priority is not None:
        walk.value(own.priority, view, "`priority`", "number")
    answer = found if own.returns is None else of_schema(own.returns.schema)
    behind = View(Level("bound", [OUTPUT], {OUTPUT: answer}), 0, view)
    for check in own.verify:
        _check(walk, check, behind)
    output = answer
    if own.outputs is not None:
        parsed = answer if own.returns is not None else ANY  # a text that holds JSON is read
        inside = View(Level("bound", [OUTPUT], {OUTPUT: parsed}), 0, view)
        fields = {name: walk.value(one, inside, f"the output `{name}`") for name, one in own.outputs.entries}
        output = outputs.by_name(fields)
    behind = View(Level("bound", [OUTPUT], {OUTPUT: output}), 0, view)
    for check in own.handoff:
        _check(walk, check, behind)
    for name, one in () if own.memory is None else own.memory.entries:
        walk.value(one, behind, f"`memory.{name}`")
    return output


def _check(walk: Any, check: CheckDef, view: View) -> None:
    if check.holds is not None:
        walk.value(check.holds.value, view, "this check", "boolean")
    elif isinstance(check.run, RunDef):
        walk.command(check.run, view)


def of_schema(schema: Any) -> Type:
    """Return the type that a JSON Schema promises, as far as that is certain."""
    if not isinstance(schema, dict) or not isinstance(schema.get("type"), str):
        return ANY
    return _KINDS.get(schema["type"], ANY)

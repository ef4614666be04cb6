"""The inputs of a workflow: texts of a command line become values, defaults are filled in, all is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from maestri.errors import DefinitionError, Diagnostic, InputInvalid, Span
from maestri.lang.source import suggest
from maestri.values import Json, plain_type

_EXAMPLE = {"list": '["a", "b"]', "mapping": '{"a": 1}', "number": "1.5", "integer": "3", "boolean": "true"}


class InputDef(NamedTuple):
    """One input of a workflow. `type` is text, number, integer, boolean, list, mapping, path or any."""

    name: str
    type: str = "any"
    required: bool = True
    default: Json = None
    description: str = ""
    span: Span | None = None


def complete(name: str, inputs: Mapping[str, InputDef], given: Mapping[str, Json]) -> dict[str, Json]:
    """Return the inputs of a call with the defaults filled in.

    Raises:
        InputInvalid: One is missing, unknown or of a wrong type.
    """
    problems = problems_of(inputs, given)
    if problems:
        first = problems[0]
        raise InputInvalid(f"workflow `{name}`: {first.message}", fix=first.fix)
    return {key: given.get(key, one.default) for key, one in inputs.items()}


def problems_of(inputs: Mapping[str, InputDef], given: Mapping[str, Json]) -> list[Diagnostic]:
    """Return everything that is wrong with the values given for some inputs."""
    found = [
        Diagnostic(
            "C010", f"unknown input `{name}`", fix=suggest(name, list(inputs)) or "the workflow has no inputs"
        )
        for name in given
        if name not in inputs
    ]
    for name, one in inputs.items():
        if name not in given:
            if one.required:
                what = f" ({one.description})" if one.description else ""
                fix = f"give it: `-i {name}={_EXAMPLE.get(one.type, 'VALUE')}`"
                found.append(Diagnostic("C011", f"the input `{name}`{what} is missing", fix=fix))
        elif not fits(given[name], one.type):
            message = f"the input `{name}` is a {plain_type(given[name])}, and should be a {one.type}"
            fix = f"give it like `-i {name}={_EXAMPLE.get(one.type, 'VALUE')}`"
            found.append(Diagnostic("C012", message, fix=fix))
    return found


def checked(inputs: Mapping[str, InputDef], given: Mapping[str, Json], typed: type[str]) -> dict[str, Json]:
    """Return the inputs of a run: defaults filled in, all of them checked.

    Args:
        inputs: What the workflow takes.
        given: The values; a text of the class `typed` is still to be read as its input's type.
        typed: The class of such texts.

    Raises:
        InputsWrong: With everything that is wrong.
    """
    found = dict(given)
    for name, value in given.items():
        if isinstance(value, typed):
            found[name] = from_text(value, inputs[name].type if name in inputs else "any")
    problems = problems_of(inputs, found)
    if problems:
        raise InputsWrong(problems)
    return {name: found.get(name, one.default) for name, one in inputs.items()}


class InputsWrong(DefinitionError):
    """The inputs of a run are wrong; holds all findings."""

    code = "C010"


def from_text(text: str, kind: str) -> Json:
    """Return the value of a text from a command line: as the input's type says, else JSON, else the text."""
    if kind in {"text", "path"}:
        return text
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return value


def fits(value: Json, kind: str) -> bool:
    """Tell whether a value is of an input's type."""
    if kind in {"text", "path"}:
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "list":
        return isinstance(value, list)
    return kind != "mapping" or isinstance(value, dict)


def _refuse(word: str) -> None:
    raise ValueError(word)

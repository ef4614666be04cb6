"""The inputs of a workflow: texts of a command line become values, defaults are filled in, all is checked."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Final

from maestri.errors import DefinitionError, Diagnostic, InputInvalid, Span
from maestri.lang.source import Source, suggest
from maestri.records import NamedTuple
from maestri.values import Json, plain_type

UNKNOWN: Final = "C010"
MISSING: Final = "C011"
WRONG_TYPE: Final = "C012"

_EXAMPLES: Final = {
    "list": '["a", "b"]',
    "mapping": '{"a": 1}',
    "number": "1.5",
    "integer": "3",
    "boolean": "true",
    "path": "src",
}
_NOUNS: Final = {"integer": "a whole number", "path": "a path", "boolean": "true or false"}
_SHOWN: Final = 60  # characters of a value in a message


class InputDef(NamedTuple):
    """One input of a workflow. `type` is text, number, integer, boolean, list, mapping, path or any."""

    name: str
    type: str = "any"
    required: bool = True
    default: Json = None
    description: str = ""
    span: Span | None = None


class Declared(NamedTuple):
    """Where the inputs of a workflow are declared: the text, the place of them all, and that of each."""

    source: Source
    span: Span
    each: Mapping[str, Span]


class Problem(NamedTuple):
    """What is wrong with one input; `example` is a value that would do, `meant` what to write instead."""

    code: str
    name: str
    message: str
    cause: str
    example: str = ""
    meant: str = ""


def complete(name: str, inputs: Mapping[str, InputDef], given: Mapping[str, Json]) -> dict[str, Json]:
    """Return the inputs of a call with the defaults filled in.

    Raises:
        InputInvalid: One is missing, unknown or of a wrong type.
    """
    problems = problems_of(inputs, given)
    if problems:
        first = problems[0]
        fix = first.meant or f"give it by `inputs: {{{first.name}: {first.example}}}`"
        raise InputInvalid(f"workflow `{name}`: {first.message}", cause=first.cause, fix=fix)
    return {key: given.get(key, one.default) for key, one in inputs.items()}


def problems_of(inputs: Mapping[str, InputDef], given: Mapping[str, Json]) -> list[Problem]:
    """Return everything that is wrong with the values given for some inputs."""
    found = [_unknown(name, inputs) for name in given if name not in inputs]
    for name, one in inputs.items():
        example = _EXAMPLES.get(one.type, "VALUE")
        if name in given and not fits(given[name], one.type):
            kind = _noun(plain_type(given[name]))
            message = f"the input `{name}` must be {_noun(one.type)}, and this is {kind}"
            cause = f"it is declared as `{one.type}`, and `{_shown(given[name])}` was given"
            found.append(Problem(WRONG_TYPE, name, message, cause, example))
        elif name not in given and one.required:
            about = f" ({one.description})" if one.description else ""
            cause = "it is declared without a default, so that it must be given"
            found.append(Problem(MISSING, name, f"the input `{name}`{about} is missing", cause, example))
    return found


def _unknown(name: str, inputs: Mapping[str, InputDef]) -> Problem:
    cause = "a workflow takes the inputs that it declares, and no others"
    meant = suggest(name, list(inputs))
    if not inputs:
        cause, meant = "this workflow declares no inputs", "take it out, or declare it under `inputs:`"
    return Problem(UNKNOWN, name, f"unknown input `{name[:80]}`", cause, meant=meant)


def _noun(kind: str) -> str:
    return kind if kind == "null" else _NOUNS.get(kind, f"a {kind}")


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def checked(
    inputs: Mapping[str, InputDef],
    given: Mapping[str, Json],
    typed: type[str],
    declared: Callable[[], Declared],
) -> dict[str, Json]:
    """Return the inputs of a run: defaults filled in, all of them checked.

    Args:
        inputs: What the workflow takes.
        given: The values; a text of the class `typed` is still to be read as its input's type.
        typed: The class of such texts.
        declared: Gives the place of the declarations; asked only where something is wrong.

    Raises:
        InputsWrong: With everything that is wrong.
    """
    found = dict(given)
    for name, value in given.items():
        if isinstance(value, typed):
            found[name] = from_text(value, inputs[name].type if name in inputs else "any")
    problems = problems_of(inputs, found)
    if problems:
        place = declared()
        raise InputsWrong([_finding(problem, place) for problem in problems])
    return {name: found.get(name, one.default) for name, one in inputs.items()}


def _finding(problem: Problem, declared: Declared) -> Diagnostic:
    """Return a problem at the place where the input is declared, or where it could be."""
    span = declared.each.get(problem.name, declared.span)
    fix = problem.meant or f"give it: `-i {shlex.quote(f'{problem.name}={problem.example}')}`"
    return declared.source.diagnostic(problem.code, problem.message, span, cause=problem.cause, fix=fix)


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

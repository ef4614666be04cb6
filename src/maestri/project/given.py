"""Inputs as somebody has written them down: strict JSON, from a file or standard input, and its limits."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maestri.errors import ConfigError, DefinitionError, Diagnostic
from maestri.values import Json

STANDARD_INPUT = "-"
LARGEST_NUMBER = 2**63
_FIX = 'give a JSON object such as `{"name": "value"}`'


def read_inputs(file: str) -> dict[str, Json]:
    """Return the inputs of a JSON file; `-` is standard input.

    Raises:
        ConfigError: It cannot be read, or holds no JSON object, or a name twice.
    """
    name = "standard input" if file == STANDARD_INPUT else file
    try:
        data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
        found = json.loads(data.decode(), object_pairs_hook=_once_each, parse_constant=_refuse)
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise ConfigError(f"the inputs cannot be read: {error}", fix=_FIX, file=name) from error
    if not isinstance(found, dict):
        raise ConfigError("the inputs are no JSON object", fix=_FIX, file=name)
    return found


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            message = f"`{name[:80]}` is given twice"
            raise ValueError(message)
        found[name] = value
    return found


def _refuse(word: str) -> None:
    message = f"`{word}` is not JSON"
    raise ValueError(message)


def refuse_not_portable(inputs: Mapping[str, Json]) -> None:
    """Refuse inputs that other programs would read as something else.

    Raises:
        DefinitionError: An integer has more than 64 bits, or a text holds bytes that are no text.
    """
    found = [
        Diagnostic("C012", f"the input `{name}` {problem}", fix=fix)
        for name, value in inputs.items()
        for problem, fix in [_problem(value)]
        if problem
    ]
    if found:
        raise DefinitionError(found)


def _problem(value: Json) -> tuple[str, str]:
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and not one.isascii() and not _is_text(one):
            return "holds bytes that are not UTF-8", "give text; what is binary belongs into a file"
        if isinstance(one, int) and not -LARGEST_NUMBER <= one < LARGEST_NUMBER:
            return (
                "holds an integer of more than 64 bits",
                "give it as a text, or as a number with a fraction",
            )
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
    return "", ""


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

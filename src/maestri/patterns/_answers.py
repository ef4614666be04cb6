"""Answers against what was promised: JSON Schema, without ever fetching anything, and bounded in its work.

The library is imported when the first schema is used: most runs have none.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from maestri.errors import OutputInvalid
from maestri.kernel.typed import build
from maestri.values import Json

MAX_REFERENCES: Final = 10_000  # that one validation may follow: a few nested ones stand for 2**30
SHOWN: Final = 5
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)


class TooMuch(Exception):
    """A schema asks for more work than any that is meant."""


def fitted(value: Json, wanted: Any) -> tuple[Json, list[str]]:
    """Return an answer as what was promised, and what keeps it from being that.

    A text that holds JSON (an agent's answer, also between fences) is read where a text does not fit.

    Args:
        value: The answer.
        wanted: A JSON Schema, a type of Python, or None.
    """
    problems = _problems(value, wanted)
    if problems and isinstance(value, str):
        try:
            read = json.loads(_FENCE.sub(r"\1", value))
        except (ValueError, RecursionError) as error:
            return value, [f"it is a text and no JSON: {error}"]
        return read, _problems(read, wanted)
    return value, problems


def as_data(value: Json) -> Json:
    """Return the JSON that a text holds, also between fences; what holds none as it is."""
    if not isinstance(value, str):
        return value
    try:
        found: Json = json.loads(_FENCE.sub(r"\1", value))
    except (ValueError, RecursionError):
        return value
    return found


def schema_problem(schema: Any) -> str:
    """Return why something is no JSON Schema that can be used; an empty text where it is one."""
    library = importlib.import_module("jsonschema")
    try:
        library.Draft202012Validator.check_schema(schema)
    except library.SchemaError as error:
        place = "".join(f".{part}" for part in error.absolute_path)
        return f"{place.lstrip('.') or 'it'}: {_short(error.message)}"
    except RecursionError:
        return "it is nested too deep"
    for reference in references(schema):
        problem = _reference_problem(reference, schema)
        if problem:
            return problem
    return ""


def references(schema: Any) -> Iterator[str]:
    """Yield every `$ref` of a schema."""
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            found = one.get("$ref")
            if isinstance(found, str):
                yield found
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _reference_problem(reference: str, schema: Any) -> str:
    if not reference.startswith("#"):
        return f"`$ref: {reference}` leads out of it, and nothing is ever fetched"
    place = schema
    for part in reference.removeprefix("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if key and not (isinstance(place, Mapping) and key in place):
            return f"`$ref: {reference}` leads to nothing"
        place = place[key] if key else place
    return ""


def _problems(value: Json, wanted: Any) -> list[str]:
    if wanted is None:
        return []
    if not isinstance(wanted, Mapping):
        try:
            build(wanted, value)
        except OutputInvalid as error:
            return [error.message]
        return []
    try:
        return [_said(error) for error in _first(_validator(_key(wanted)).iter_errors(value))]
    except TooMuch:
        return [f"its schema follows more than {MAX_REFERENCES:,} references for this answer"]
    except RecursionError:
        return ["it is nested too deep"]


def _key(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, sort_keys=True)


@lru_cache(maxsize=64)
def _validator_class() -> Any:
    library = importlib.import_module("jsonschema")
    plain = library.Draft202012Validator
    follow = plain.VALIDATORS["$ref"]

    def counted(validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[Any]:
        budget = validator.format_checker  # of ours: the only thing that a validator hands down unchanged
        budget.left -= 1
        if budget.left < 0:
            raise TooMuch
        yield from follow(validator, reference, instance, schema) or ()

    return library.validators.extend(plain, {"$ref": counted})


class _Budget:
    """How many references may still be followed; stands where a checker of formats would."""

    def __init__(self) -> None:
        self.left = MAX_REFERENCES

    def check(self, instance: object, format: str) -> None:  # noqa: A002 - the name of the library
        """Accept every format: the standard says that they are only notes."""


def _validator(key: str) -> Any:
    empty = importlib.import_module("referencing").Registry()  # without it the library would fetch
    return _validator_class()(json.loads(key), registry=empty, format_checker=_Budget())


def _first(errors: Iterator[Any]) -> list[Any]:
    found = []
    for error in errors:
        found.append(error)
        if len(found) >= SHOWN:
            break
    return sorted(found, key=lambda error: [str(part) for part in error.absolute_path])


def _said(error: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"`{place.lstrip('.')}`: {_short(error.message)}" if place else _short(error.message)


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"

"""Python types on top of JSON: a value becomes JSON to be kept, and the same type again to be used.

Rule: what a caller gets is always built from the JSON form, live and on replay alike.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from maestri.errors import OutputInvalid
from maestri.kernel import codec

_PLAIN = (str, int, float, bool, type(None))
_AS_IT_IS = frozenset(_PLAIN)
_TEXT = frozenset({str})


def to_plain(value: Any) -> Any:
    """Return JSON data for a dataclass, NamedTuple, enum or pydantic model; other values as they are."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is dict:  # most outputs are flat, and need no copy
        if _AS_IT_IS.issuperset(map(type, value.values())):
            return value
        return {key: to_plain(item) for key, item in value.items()}
    if kind is list:
        return value if _AS_IT_IS.issuperset(map(type, value)) else [to_plain(i) for i in value]
    return _unusual_to_plain(value)


def settle(value: Any) -> tuple[str, Any]:
    """Return what code of a user gave as JSON text, and the value that this text decodes to.

    Raises:
        ValueRefused: JSON cannot carry it.
    """
    try:
        copy = _copied(value)
    except (_Unusual, RecursionError):
        return codec.settle(to_plain(value))
    return codec.encode(copy), copy


class _Unusual(Exception):
    """A value is not made of what JSON has alone."""


def _copied(value: Any) -> Any:
    """Return a copy of plain data: what its text decodes to, for less than decoding it.

    Raises:
        _Unusual: The value is something else.
    """
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is dict and _TEXT.issuperset(map(type, value)):
        if _AS_IT_IS.issuperset(map(type, value.values())):
            return value.copy()
        return {key: _copied(item) for key, item in value.items()}
    if kind is list:
        return value.copy() if _AS_IT_IS.issuperset(map(type, value)) else [_copied(i) for i in value]
    raise _Unusual


def _unusual_to_plain(value: Any) -> Any:
    if isinstance(value, _PLAIN) and not isinstance(value, Enum):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: to_plain(item) for key, item in value._asdict().items()}
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "model_dump"):  # pydantic, without importing it
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def build(wanted: Any, value: Any) -> Any:
    """Return a value of a type, built from its JSON form.

    Understands dataclasses, NamedTuples, enums, pydantic models, `list[T]`, `dict[str, T]`, unions and
    plain types; an unknown type gets the JSON value as it is.

    Raises:
        OutputInvalid: The JSON does not fit the type.
    """
    try:
        return _build(wanted, value)
    except (TypeError, ValueError, KeyError) as error:
        name = getattr(wanted, "__name__", str(wanted))
        message = f"the output does not fit `{name}`: {error}"
        raise OutputInvalid(message, fix=f"give every field of `{name}` a value of its type") from error


def _build(wanted: Any, value: Any) -> Any:
    if wanted in (Any, None, type(None), object) or isinstance(wanted, str | typing.TypeVar):
        return value
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _build_union(get_args(wanted), value)
    if origin in (list, dict) and get_args(wanted)[-1:] == (Any,):
        return _expect(origin, value)
    if origin is list and get_args(wanted):
        return [_build(get_args(wanted)[0], item) for item in _expect(list, value)]
    if origin is dict and get_args(wanted):
        return {key: _build(get_args(wanted)[1], item) for key, item in _expect(dict, value).items()}
    if isinstance(wanted, type):
        return _build_class(wanted, value)
    return value


def _build_union(options: tuple[Any, ...], value: Any) -> Any:
    if value is None and type(None) in options:
        return None
    problem: Exception | None = None
    for option in options:
        try:
            return _build(option, value)
        except (TypeError, ValueError, KeyError) as error:
            problem = error
    raise problem or TypeError("no type of the union fits")


def _build_class(wanted: type, value: Any) -> Any:
    if dataclasses.is_dataclass(wanted) or (issubclass(wanted, tuple) and hasattr(wanted, "_fields")):
        fields = _hints(wanted)
        given = _expect(dict, value)
        unknown = sorted(set(given) - set(fields))
        if unknown:
            message = f"it has no field `{unknown[0]}`"
            raise TypeError(message)
        return wanted(**{key: _build(fields[key], item) for key, item in given.items()})
    if hasattr(wanted, "model_validate"):
        return wanted.model_validate(value)
    if issubclass(wanted, Enum):
        return wanted(value)
    if wanted is float and type(value) is int:
        return value
    if wanted in (str, int, float, bool, list, dict):
        return _expect(wanted, value)
    return value


def _expect(wanted: type, value: Any) -> Any:
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is int):
        message = f"{value!r:.60} is not a {wanted.__name__}"
        raise TypeError(message)
    return value


@lru_cache(maxsize=256)
def _hints(wanted: type) -> dict[str, Any]:
    return get_type_hints(wanted)


def needs_building(wanted: Any) -> bool:
    """Tell whether values of a type differ from their JSON form."""
    if isinstance(wanted, type):
        return not issubclass(wanted, _PLAIN) and wanted not in (list, dict, object)
    return get_origin(wanted) is not None


_return_types: dict[types.CodeType | None, Any] = {}


def return_type(function: Callable[..., Any]) -> Any:
    """Return the declared return type of a body, where its values must be built, else None."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    if "return" not in getattr(function, "__annotations__", ()):
        return None
    code = getattr(function, "__code__", None)  # closures of one function share it
    if code not in _return_types:
        try:
            wanted = get_type_hints(function).get("return")
        except (NameError, TypeError):
            wanted = None
        _return_types[code] = wanted if needs_building(wanted) else None
    return _return_types[code]

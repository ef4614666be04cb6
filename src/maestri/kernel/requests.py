"""The requests that steps make: what a digest is of, whichever door a step comes through.

Rule: a request holds only what was given, so that the same step in YAML and in Python has one digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import FunctionType, UnionType
from typing import Any, Union, get_args, get_origin

from maestri.kernel.policy import DEFAULT, Policy
from maestri.kernel.ports import Task
from maestri.kernel.typed import to_plain


def command(command: str | list[str], options: Mapping[str, Any], policy: Policy = DEFAULT) -> Task:
    """Return the task of a command: a text for the shell, or a list of arguments."""
    return Task("run", {"command": command, **options}, policy)


def call(
    function: str | Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    policy: Policy = DEFAULT,
    returns: type | None = None,
) -> Task:
    """Return the task of a function: the callable itself, or `module:qualname`."""
    if isinstance(function, str):
        request: dict[str, Any] = {"function": function}
        bound = None
    else:
        request = {"function": address(function)}
        bound = partial(function, *args, **kwargs)
    if args:
        request["args"] = to_plain(list(args))
    if kwargs:
        request["kwargs"] = to_plain(dict(kwargs))
    return Task("call", request, policy, bound, returns)


def address(function: Callable[..., Any]) -> str:
    """Return `module:qualname` of a function: what a digest and another process know it by."""
    if type(function) is FunctionType:
        return f"{function.__module__}:{function.__qualname__}"
    owner = getattr(function, "__func__", function)
    return f"{getattr(owner, '__module__', '?')}:{getattr(owner, '__qualname__', type(function).__name__)}"


def type_name(wanted: Any) -> str:
    """Return the name of a type in a digest, without its module, which depends on who imports it."""
    origin = get_origin(wanted)
    if origin is None:
        return str(getattr(wanted, "__qualname__", wanted))
    names = [type_name(one) for one in get_args(wanted)]
    return " | ".join(names) if origin in (Union, UnionType) else f"{type_name(origin)}[{', '.join(names)}]"


def opening(pattern: str, total: int | None, source: str) -> dict[str, Any]:
    """Return the body of the event that opens a pattern's scope."""
    fields: dict[str, Any] = {"pattern": pattern}
    if total is not None:
        fields["total"] = total
    if source:
        fields["source"] = source
    return fields

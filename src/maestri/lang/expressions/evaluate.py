"""The value of an expression.

Total and pure: it ends, it changes nothing, and its only outcomes are a JSON value and a `BadExpression`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from maestri.lang.expressions.functions import ANYTHING, FUNCTIONS
from maestri.lang.expressions.operations import (
    Refusal,
    add,
    arithmetic,
    compare,
    contains,
    equal,
    is_failure,
    kind_of,
    refuse_kind,
    truth,
)
from maestri.lang.expressions.references import subtraction_hint
from maestri.lang.expressions.terms import (
    Binary,
    Call,
    Choice,
    Expr,
    Field,
    Index,
    Listed,
    Literal,
    Logic,
    Name,
    Unary,
    Values,
)
from maestri.lang.expressions.tokens import BadExpression
from maestri.lang.source import suggest
from maestri.values import Json

Names: TypeAlias = Callable[[str], Json]


class Missing(BadExpression):
    """A name or a part that is not there; `default` and `exists` take it for an answer."""


class FailedStep(Missing):
    """A part of what a failed step left behind."""


def evaluate(expr: Expr, names: Names) -> Json:
    """Return the value of an expression.

    Args:
        expr: The parsed expression.
        names: Gives the value of a name, or raises KeyError.

    Raises:
        BadExpression: It has no value: something is missing, or types do not fit.
    """
    try:
        return _EVALUATE[type(expr)](expr, names)
    except RecursionError:
        raise BadExpression("a value is nested too deep", expr.start, expr.end) from None


def _refused(refusal: Refusal, expr: Expr, operands: tuple[Expr, ...] = ()) -> BadExpression:
    place = operands[refusal.operand] if refusal.operand is not None and operands else expr
    return BadExpression(refusal.message, place.start, place.end, fix=refusal.fix)


def _literal(expr: Literal, _names: Names) -> Json:
    return expr.value


def _listed(expr: Listed, names: Names) -> Json:
    return [_EVALUATE[type(item)](item, names) for item in expr.items]


def _name(expr: Name, names: Names) -> Json:
    try:
        return names(expr.name)
    except KeyError:
        hint = subtraction_hint(expr.name, lambda part: _is_known(part, names))
        fix = hint or "use the name of an earlier step, `inputs`, or what the pattern around it binds"
        message = f"nothing is called `{expr.name}` here"
        raise Missing(message, expr.start, expr.end, fix=fix) from None


def _is_known(name: str, names: Names) -> bool:
    try:
        names(name)
    except KeyError:
        return False
    return True


# --- parts ----------------------------------------------------------------------------------------


def _field(expr: Field, names: Names) -> Json:
    value = _EVALUATE[type(expr.of)](expr.of, names)
    return _part(value, expr.key, expr.of, expr.key_start, expr.end)


def _index(expr: Index, names: Names) -> Json:
    value = _EVALUATE[type(expr.of)](expr.of, names)
    key = _EVALUATE[type(expr.key)](expr.key, names)
    if isinstance(key, bool) or not isinstance(key, int | str):
        raise _refused(refuse_kind(key, "a whole number or a text"), expr.key)
    return _part(value, key, expr.of, expr.key.start, expr.end)


def _part(value: Json, key: str | int, of: Expr, start: int, end: int) -> Json:
    if isinstance(value, dict) and isinstance(key, str):
        if key in value:
            return value[key]
        if not is_failure(value):
            raise _no_field(value, key, start, end)
    elif isinstance(value, list) and isinstance(key, int):
        if -len(value) <= key < len(value):
            return value[key]
        message = f"there is no item [{key}] in a list of {len(value)}"
        fix = "items count from 0; write `default(x[0], ...)` where it may be missing"
        raise Missing(message, start, end, fix=fix)
    raise _no_part(value, key, of, start, end)


def _no_field(value: dict[str, Json], key: str, start: int, end: int) -> BadExpression:
    hint = subtraction_hint(key, value.__contains__, rest_may_be_names=True)
    fix = hint or suggest(key, value) or "it is an empty mapping; write `default(x, ...)`"
    return Missing(f"there is no field `{key[:80]}`", start, end, fix=fix)


def _no_part(value: Json, key: str | int, of: Expr, start: int, end: int) -> BadExpression:
    if value is None:
        fix = "a step that `when` skipped gives null: write `default(x, ...)`"
        return Missing("this is null and has no parts", of.start, of.end, fix=fix)
    if is_failure(value):
        message = f"there is no `{key}` here: the step failed"
        return FailedStep(message, start, end, fix="ask `failed(x)` first, or write `default(x, ...)`")
    kind = kind_of(value)
    what = f"field `{key[:80]}`" if isinstance(key, str) else f"item [{key}]"
    fix = "items of a list are `[0]`, `[1]`" if kind == "list" else ""
    return BadExpression(f"a {kind} has no {what}", start, end, fix=fix)


def _values(expr: Values, names: Names) -> Json:
    value = _EVALUATE[type(expr.of)](expr.of, names)
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and not is_failure(value):
        return list(value.values())
    if value is None or is_failure(value):
        raise _no_part(value, "*", expr.of, expr.start, expr.end)
    raise _refused(refuse_kind(value, "a mapping or a list"), expr.of)


# --- operators ------------------------------------------------------------------------------------


def _truth(expr: Expr, names: Names, where: str) -> bool:
    value = _EVALUATE[type(expr)](expr, names)
    if value is True or value is False:
        return value
    try:
        return truth(value, where)
    except Refusal as refusal:
        raise _refused(refusal, expr) from None


def _unary(expr: Unary, names: Names) -> Json:
    if expr.sign == "not":
        return not _truth(expr.of, names, "behind `not`")
    try:
        return arithmetic("-", 0, _EVALUATE[type(expr.of)](expr.of, names))
    except Refusal as refusal:
        raise _refused(refusal, expr.of) from None


def _logic(expr: Logic, names: Names) -> Json:
    decisive = expr.sign == "or"
    where = f"beside `{expr.sign}`"
    return next((decisive for item in expr.items if _truth(item, names, where) is decisive), not decisive)


def _choice(expr: Choice, names: Names) -> Json:
    chosen = expr.yes if _truth(expr.condition, names, "behind `if`") else expr.no
    return _EVALUATE[type(chosen)](chosen, names)


def _binary(expr: Binary, names: Names) -> Json:
    left = _EVALUATE[type(expr.left)](expr.left, names)
    right = _EVALUATE[type(expr.right)](expr.right, names)
    try:
        return _BINARY[expr.sign](left, right)
    except Refusal as refusal:
        operands = (expr.right, expr.left) if "in" in expr.sign else (expr.left, expr.right)
        raise _refused(refusal, expr, operands) from None


_BINARY: dict[str, Callable[[Json, Json], Json]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": lambda left, right: compare(left, right) < 0,
    "<=": lambda left, right: compare(left, right) <= 0,
    ">": lambda left, right: compare(left, right) > 0,
    ">=": lambda left, right: compare(left, right) >= 0,
    "in": lambda left, right: contains(right, left),
    "not in": lambda left, right: not contains(right, left),
    "+": add,
    "-": lambda left, right: arithmetic("-", left, right),
    "*": lambda left, right: arithmetic("*", left, right),
    "/": lambda left, right: arithmetic("/", left, right),
    "%": lambda left, right: arithmetic("%", left, right),
}


# --- functions ------------------------------------------------------------------------------------


def _call(expr: Call, names: Names) -> Json:
    lazy = _LAZY.get(expr.name)
    if lazy is not None:
        return lazy(expr, names)
    function = FUNCTIONS[expr.name]
    args = [_EVALUATE[type(arg)](arg, names) for arg in expr.args]
    for index, value in enumerate(args):
        takes = function.takes[min(index, len(function.takes) - 1)]
        if takes != ANYTHING and kind_of(value) not in takes.split("|"):
            wanted = f"a {takes.replace('|', ' or a ')}"
            raise _refused(refuse_kind(value, wanted), expr.args[index])
    try:
        return function.apply(*args) if function.apply is not None else None
    except Refusal as refusal:
        raise _refused(refusal, expr, expr.args) from None


def _present(expr: Expr, names: Names) -> tuple[bool, Json]:
    """Return whether an expression has a value that can be used, and that value."""
    try:
        value = _EVALUATE[type(expr)](expr, names)
    except Missing:
        return False, None
    return value is not None and not is_failure(value), value


def _default(expr: Call, names: Names) -> Json:
    is_present, value = _present(expr.args[0], names)
    return value if is_present else _EVALUATE[type(expr.args[1])](expr.args[1], names)


def _exists(expr: Call, names: Names) -> Json:
    return _present(expr.args[0], names)[0]


def _failed(expr: Call, names: Names) -> Json:
    try:
        return is_failure(_EVALUATE[type(expr.args[0])](expr.args[0], names))
    except FailedStep:
        return True
    except Missing:
        return False


_LAZY: dict[str, Callable[[Call, Names], Json]] = {
    "default": _default,
    "exists": _exists,
    "failed": _failed,
}

_EVALUATE: dict[type[Any], Callable[[Any, Names], Json]] = {
    Literal: _literal,
    Listed: _listed,
    Name: _name,
    Field: _field,
    Index: _index,
    Values: _values,
    Unary: _unary,
    Binary: _binary,
    Logic: _logic,
    Choice: _choice,
    Call: _call,
}

"""What the signs do with JSON values: equality, order, arithmetic, membership.

Rule 1: nothing is true or false but booleans; nothing has an order but two numbers or two texts.
Rule 2: null, and what a failed step left behind, are refused rather than compared.
Rule 3: what comes out is bounded: numbers below 2^63, texts of 64 KB, lists of 100,000 items.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from typing import Final

from maestri.lang.expressions.tokens import NUMBER_LIMIT
from maestri.values import Json, plain_type

MAX_TEXT_CHARS: Final = 64 * 1024
MAX_ITEMS: Final = 100_000


class Refusal(Exception):
    """An operation that these values do not have; `operand` says which one is wrong, if only one is."""

    def __init__(self, message: str, fix: str = "", *, operand: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.operand = operand


def is_failure(value: Json) -> bool:
    """Tell whether a value is what a failed step left behind: `{failed: {code, message, path}}`."""
    if type(value) is not dict or len(value) != 1:
        return False
    inner = value.get("failed")
    return type(inner) is dict and "code" in inner and "message" in inner


def kind_of(value: Json) -> str:
    """Return the word for a value's type; a failed step's output is a `failure`."""
    return "failure" if is_failure(value) else plain_type(value)


def refuse_kind(value: Json, wanted: str, *, operand: int | None = None) -> Refusal:
    """Return why a value cannot be used where another type is wanted."""
    kind = kind_of(value)
    if kind == "failure":
        fix = "ask `failed(x)` first, or write `default(x, ...)`"
        return Refusal("this is not there: its step failed", fix, operand=operand)
    if kind == "null":
        return Refusal(f"this is null, where {wanted} is needed", "write `default(x, ...)`", operand=operand)
    return Refusal(f"this is a {kind}, where {wanted} is needed", operand=operand)


def truth(value: Json, where: str) -> bool:
    """Return a boolean as it is.

    Raises:
        Refusal: It is anything else.
    """
    if value is True or value is False:
        return value
    refusal = refuse_kind(value, "a boolean")
    refusal.message += f" ({where})"
    refusal.fix = refusal.fix or "compare it: `x != 0`, `len(x) > 0`, `x == 'yes'`"
    raise refusal


def same(left: Json, right: Json) -> bool:
    """Tell whether two values are equal as JSON: 1 is 1.0, and true is not 1."""
    if type(left) is type(right):
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(same, left, right))
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
        return left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    return isinstance(left, int | float) and isinstance(right, int | float) and left == right


def equal(left: Json, right: Json) -> bool:
    """Return what `==` gives.

    Raises:
        Refusal: One side is what a failed step left behind.
    """
    for operand, value in enumerate((left, right)):
        if is_failure(value):
            raise refuse_kind(value, "a value", operand=operand)
    return same(left, right)


def compare(left: Json, right: Json) -> int:
    """Return -1, 0 or 1 for the order of two numbers or two texts.

    Raises:
        Refusal: They have no order.
    """
    if not _is_number(left) or not _is_number(right):
        for operand, value in enumerate((left, right)):
            if not isinstance(value, str) and not _is_number(value):
                raise refuse_kind(value, "a number or a text", operand=operand)
        if not (isinstance(left, str) and isinstance(right, str)):
            message = f"a {plain_type(left)} and a {plain_type(right)} have no order"
            raise Refusal(message, "turn the text into a number: `number(x)`")
    return (left > right) - (left < right)  # type: ignore[operator]  # two numbers or two texts


def contains(whole: Json, part: Json) -> bool:
    """Return what `part in whole` gives: an item of a list, a key of a mapping, a piece of a text.

    Raises:
        Refusal: The types do not fit.
    """
    if isinstance(whole, list):
        if is_failure(part):
            raise refuse_kind(part, "a value", operand=1)
        return any(same(part, item) for item in whole)
    if is_failure(whole) or not isinstance(whole, str | dict):
        raise refuse_kind(whole, "a list, a mapping or a text", operand=0)
    if not isinstance(part, str):
        raise refuse_kind(part, "a text", operand=1)
    return part in whole


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- arithmetic -----------------------------------------------------------------------------------


def add(left: Json, right: Json) -> Json:
    """Return a sum, two texts in a row, or two lists in a row.

    Raises:
        Refusal: The types do not fit, or the result is too large.
    """
    if isinstance(left, str) and isinstance(right, str):
        return bounded_text(left + right) if len(left) + len(right) <= MAX_TEXT_CHARS else too_long()
    if isinstance(left, list) and isinstance(right, list):
        return bounded_list(left + right)
    if isinstance(left, str) != isinstance(right, str) and (_is_number(left) or _is_number(right)):
        message = f"a {plain_type(left)} and a {plain_type(right)} cannot be added"
        raise Refusal(message, "write `text(x)` to join texts, `number(x)` to add numbers")
    if isinstance(left, str | list):
        raise refuse_kind(right, f"a {plain_type(left)}", operand=1)
    return arithmetic("+", left, right)


def arithmetic(sign: str, left: Json, right: Json) -> int | float:
    """Return what `+ - * / %` give on two numbers. A quotient that is whole stays whole.

    Raises:
        Refusal: A side is no number, a division by zero, or a result that is out of range.
    """
    for operand, value in enumerate((left, right)):
        if not _is_number(value):
            raise refuse_kind(value, "a number", operand=operand)
    try:
        return bounded_number(_ARITHMETIC[sign](left, right))
    except ZeroDivisionError:
        fix = "ask first: `0 if b == 0 else a / b`"
        raise Refusal("this is a division by zero", fix, operand=1) from None
    except OverflowError:
        raise _out_of_range() from None


def _divided(left: float, right: float) -> int | float:
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


_ARITHMETIC: dict[str, Callable[..., int | float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divided,
    "%": lambda left, right: left % right,
}


def bounded_number(number: float) -> int | float:
    """Return a number that JSON can carry everywhere.

    Raises:
        Refusal: It is out of range.
    """
    if isinstance(number, int):
        if -NUMBER_LIMIT < number < NUMBER_LIMIT:
            return number
    elif isfinite(number):
        return number
    raise _out_of_range()


def _out_of_range() -> Refusal:
    return Refusal("the result is out of range: whole numbers lie between -2^63 and 2^63")


def bounded_text(text: str) -> str:
    """Return a text that was put together.

    Raises:
        Refusal: It is longer than 64 KB.
    """
    return text if len(text) <= MAX_TEXT_CHARS else too_long()


def too_long() -> str:
    """Refuse a text that would be too long.

    Raises:
        Refusal: Always.
    """
    message = f"the text would have more than {MAX_TEXT_CHARS:,} characters"
    raise Refusal(message, "put it together in a step")


def bounded_list(items: list[Json]) -> list[Json]:
    """Return a list that was put together.

    Raises:
        Refusal: It has more than 100,000 items.
    """
    if len(items) > MAX_ITEMS:
        message = f"the list would have more than {MAX_ITEMS:,} items"
        raise Refusal(message, "put it together in a step")
    return items


def as_text(value: Json) -> str:
    """Return a value as it stands inside a text: texts as they are, everything else as JSON.

    Raises:
        Refusal: It is null, or has no JSON form.
    """
    if isinstance(value, str):
        return value
    if value is None:
        raise Refusal("null has no text", 'write `default(x, "")` for an empty text')
    return as_json(value)


def as_json(value: Json) -> str:
    """Return the JSON text of a value.

    Raises:
        Refusal: It has none: nested too deep, or not a finite number.
    """
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise Refusal("this value cannot be written as JSON") from None

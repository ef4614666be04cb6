"""The functions of expressions: one table, which the parser, the type check and the reference page read.

All are total: bounded in time by their arguments, and with a refusal for what they do not take. `default`,
`exists` and `failed` look at their first argument themselves, because it may be missing (see `evaluate`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from maestri.lang.expressions.operations import (
    MAX_ITEMS,
    MAX_TEXT_CHARS,
    Refusal,
    as_json,
    as_text,
    bounded_list,
    bounded_number,
    bounded_text,
    compare,
    contains,
    refuse_kind,
    too_long,
    truth,
)
from maestri.records import NamedTuple
from maestri.values import Json

ANYTHING = "any"
MANY = 100  # the most arguments that `min` and `max` take

_NUMBER = r"[-+]?[0-9]+(?P<rest>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"


class Function(NamedTuple):
    """One function.

    `takes` has the kinds of each argument (`text|list`); the last one holds for all further arguments.
    `apply` is None where the evaluator looks at the arguments itself.
    """

    usage: str
    about: str
    takes: tuple[str, ...]
    gives: str
    least: int
    most: int
    apply: Callable[..., Json] | None = None

    def arity(self) -> str:
        """Return how many arguments it takes, in words."""
        if self.least == self.most:
            return "one argument" if self.least == 1 else f"{self.least} arguments"
        return f"{self.least} to {self.most} arguments"


def _any(items: list[Json]) -> Json:
    checked = [truth(item, "an item of the list") for item in items]  # all of them, not up to the first
    return any(checked)


def _all(items: list[Json]) -> Json:
    checked = [truth(item, "an item of the list") for item in items]
    return all(checked)


def _extreme(sign: int, args: tuple[Json, ...]) -> Json:
    items = args[0] if len(args) == 1 and isinstance(args[0], list) else list(args)
    if not items:
        fix = "ask first: `0 if len(x) == 0 else max(x)`"
        raise Refusal("an empty list has neither a smallest nor a largest item", fix)
    best = items[0]
    try:
        for item in items:  # the first, too: one item alone must have an order
            best = item if compare(item, best) == sign else best
    except Refusal as refusal:
        refusal.operand = None  # it counts within a comparison, not among the arguments
        raise
    return best


def _min(*args: Json) -> Json:
    return _extreme(-1, args)


def _max(*args: Json) -> Json:
    return _extreme(1, args)


def _sum(items: list[Json]) -> Json:
    total: int | float = 0
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise refuse_kind(item, "a number")
        try:
            total = bounded_number(total + item)
        except OverflowError:
            raise Refusal("the sum is out of range") from None
    return total


def _join(items: list[Json], separator: str) -> Json:
    texts = []
    length = 0
    for item in items:
        if isinstance(item, list | dict):
            raise refuse_kind(item, "a text or a number")
        texts.append(as_text(item))
        length += len(texts[-1]) + len(separator)
        if length > MAX_TEXT_CHARS + len(separator):
            return too_long()
    return bounded_text(separator.join(texts))


def _split(text: str, separator: str | None = None) -> Json:
    if separator == "":
        raise Refusal("a text cannot be split at an empty text", operand=1)
    parts: list[Json] = [*text.split(separator, MAX_ITEMS)]
    return bounded_list(parts)


def _number(value: str | float) -> Json:
    if not isinstance(value, str):
        return value
    text = value.strip()
    found = re.fullmatch(_NUMBER, text)
    if found is None or len(text) > 400:
        raise Refusal(f"`{value[:40]}` is not a number")
    try:
        return bounded_number(float(text) if found["rest"] else int(text))
    except OverflowError:
        raise Refusal(f"`{value[:40]}` is out of range") from None


def _round(number: float, digits: float = 0) -> Json:
    if not isinstance(digits, int) or not 0 <= digits <= 15:
        raise Refusal("the number of digits is a whole number from 0 to 15", operand=1)
    try:
        return bounded_number(round(number, digits) if digits else round(number))
    except OverflowError:
        raise Refusal("the result is out of range") from None


FUNCTIONS: dict[str, Function] = {
    "len": Function(
        "len(x)", "how many characters, items or keys", ("text|list|mapping",), "number", 1, 1, len
    ),
    "any": Function("any(list)", "whether one of the booleans is true", ("list",), "boolean", 1, 1, _any),
    "all": Function("all(list)", "whether all of the booleans are true", ("list",), "boolean", 1, 1, _all),
    "contains": Function(
        "contains(whole, part)",
        "the same as `part in whole`",
        ("text|list|mapping", ANYTHING),
        "boolean",
        2,
        2,
        contains,
    ),
    "default": Function(
        "default(x, y)",
        "x; or y where x, or a part on the way to it, is missing or null, or its step failed",
        (ANYTHING, ANYTHING),
        ANYTHING,
        2,
        2,
    ),
    "exists": Function("exists(x)", "whether `default(x, y)` would give x", (ANYTHING,), "boolean", 1, 1),
    "failed": Function(
        "failed(x)", "whether x is what a failed step left behind", (ANYTHING,), "boolean", 1, 1
    ),
    "min": Function(
        "min(list)", "the smallest number or text; also `min(a, b)`", (ANYTHING,), ANYTHING, 1, MANY, _min
    ),
    "max": Function(
        "max(list)", "the largest number or text; also `max(a, b)`", (ANYTHING,), ANYTHING, 1, MANY, _max
    ),
    "sum": Function("sum(list)", "the sum; 0 for an empty list", ("list",), "number", 1, 1, _sum),
    "keys": Function("keys(mapping)", "the keys, in order", ("mapping",), "list", 1, 1, list),
    "join": Function("join(list, separator)", "the items as one text", ("list", "text"), "text", 2, 2, _join),
    "lower": Function(
        "lower(text)", "in small letters", ("text",), "text", 1, 1, lambda text: bounded_text(text.lower())
    ),
    "upper": Function(
        "upper(text)", "in capitals", ("text",), "text", 1, 1, lambda text: bounded_text(text.upper())
    ),
    "trim": Function(
        "trim(text)", "without blanks and line breaks around it", ("text",), "text", 1, 1, str.strip
    ),
    "split": Function(
        "split(text, separator)",
        "the parts; at blanks and line breaks where there is no separator",
        ("text", "text"),
        "list",
        1,
        2,
        _split,
    ),
    "starts_with": Function(
        "starts_with(text, start)", "whether it begins so", ("text", "text"), "boolean", 2, 2, str.startswith
    ),
    "ends_with": Function(
        "ends_with(text, end)", "whether it ends so", ("text", "text"), "boolean", 2, 2, str.endswith
    ),
    "number": Function(
        "number(text)", "the number that a text holds", ("text|number",), "number", 1, 1, _number
    ),
    "text": Function(
        "text(x)",
        "x as it stands inside a text",
        (ANYTHING,),
        "text",
        1,
        1,
        lambda value: bounded_text(as_text(value)),
    ),
    "json": Function(
        "json(x)", "x as JSON", (ANYTHING,), "text", 1, 1, lambda value: bounded_text(as_json(value))
    ),
    "round": Function(
        "round(number, digits)",
        "rounded, to a whole number without `digits`; halves go to the even neighbour",
        ("number", "number"),
        "number",
        1,
        2,
        _round,
    ),
}

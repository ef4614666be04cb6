"""What an unquoted word of a definition means: the core schema of YAML 1.2, and nothing of YAML 1.1.

`null`, `~` and nothing are null; `true` and `false` (also `True`, `TRUE`) are booleans; `12`, `-3`, `0x1F`,
`0o17`, `1.5` and `1e3` are numbers. Everything else is text: `yes`, `no`, `on`, `off`, `1_000`, `12:30`,
`2024-01-31`. One deviation, on purpose: digits that begin with a needless zero (`0777`, `007`, `01.5`) are
text, because they are file modes, numbers of tickets or postal codes, and reading them as decimal numbers
would change them.

Source: YAML 1.2.2, section 10.3.2.
"""

from __future__ import annotations

import re
from math import isfinite

from maestri.values import Json

LIMIT = 2**63  # numbers stay below this, so that every reader of JSON keeps them exactly
_LONGEST = 64  # digits; a number with more is out of range or more exact than a float can be

_WORDS: dict[str, Json] = {"": None, "~": None}
_WORDS |= dict.fromkeys(("null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)

_DECIMAL = r"[-+]?(?:0|[1-9][0-9]*)"
_HEX = r"0x[0-9a-fA-F]+"
_OCTAL = r"0o[0-7]+"
_FLOAT = r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_SPECIAL = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_NUMERIC_STARTS = frozenset("+-.0123456789")


class OutOfRange(ValueError):
    """A number that could not be kept exactly; the text says what it may be instead."""


def resolve(text: str) -> Json:
    """Return the value of an unquoted word.

    Raises:
        OutOfRange: It is a number that JSON, or a 64-bit reader of it, cannot carry.
    """
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMERIC_STARTS else text


def _number(text: str) -> Json:
    for pattern, base in ((_DECIMAL, 10), (_HEX, 16), (_OCTAL, 8)):
        if re.fullmatch(pattern, text):
            return _integer(text, base)
    if re.fullmatch(_SPECIAL, text):
        message = "infinity and not-a-number do not exist in JSON"
        raise OutOfRange(message)
    if not re.fullmatch(_FLOAT, text):
        return text
    number = float(text)
    if not isfinite(number):
        message = "numbers are smaller than 1.8e308"
        raise OutOfRange(message)
    return number


def _integer(text: str, base: int) -> int:
    # The length is looked at first: reading a million digits takes long, and Python refuses to.
    number = int(text, base) if len(text) <= _LONGEST else LIMIT
    if abs(number) >= LIMIT:
        message = "whole numbers lie between -2^63 and 2^63"
        raise OutOfRange(message)
    return number

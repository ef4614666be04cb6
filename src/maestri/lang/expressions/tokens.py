"""An expression's text to its tokens.

Rule 1: `a-b` is one name, as steps are named; a subtraction of names needs spaces.
Rule 2: every mistake has a place; where people mean another language's sign, the message says ours.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

from maestri.records import NamedTuple
from maestri.values import Json

MAX_CHARS: Final = 4096
MAX_TOKENS: Final = 1000
NUMBER_LIMIT: Final = 2**63

NUMBER: Final = "number"
TEXT: Final = "text"
NAME: Final = "name"
WORD: Final = "word"  # a word that the grammar keeps
SIGN: Final = "sign"
END: Final = "end"

# Upper case is taken for the three that other systems write so.
_OPERATORS = {"and": "and", "or": "or", "not": "not", "AND": "and", "OR": "or", "NOT": "not"}
_WORDS = _OPERATORS | {word: word for word in ("in", "if", "else", "true", "false", "null")}
RESERVED: Final = frozenset(_WORDS)  # a step of such a name could not be referred to

# Patterns are compiled when they are first used: not every definition has expressions.
_WORD_OR_SIGN = r"""(?xs)[ \t\r\n]*(?:
    (?P<name>[A-Za-z_][A-Za-z0-9_-]*)
    |(?P<sign>==|!=|<=|>=|&&|\|\||[<>+\-*/%()\[\].,=!&|?:{}$^])
    |(?P<number>[0-9](?:[eE][+-](?=[0-9])|\.(?=[0-9])|[A-Za-z0-9_])*)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<quote>['"])
    |(?P<end>\Z)
    |(?P<other>.)
    )"""
OPEN_QUOTE: Final = "a quote begins a text, and no other one ends it within the expression"
_NUMBER = r"(?:0|[1-9][0-9]*)(?P<rest>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
_ESCAPE = r"(?s)\\(?:u([0-9a-fA-F]{4})|(.))"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/"}
_MEANT = {
    "=": "write `==` to compare; an expression cannot assign",
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "|": "there are no filters: write a function, such as `len(x)`; `or` for either of two",
    "!": "write `not`",
    "?": "write `a if condition else b`",
    ":": "write `a if condition else b`; a part of a list or text cannot be cut out",
    "{": "mappings cannot be written in an expression",
    "}": "mappings cannot be written in an expression",
    "$": "inside `${...}` names stand without a `$`",
    "^": "there are no powers",
}


class BadExpression(Exception):
    """An expression that cannot be read, or cannot be evaluated.

    Args:
        message: What is wrong.
        start: Where it begins, as an offset in the text that the expression was taken from.
        end: Where it ends; exclusive.
        cause: Why it is so.
        fix: What to write instead.
    """

    def __init__(self, message: str, start: int, end: int, *, cause: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.cause = cause
        self.fix = fix


class Unreadable(BadExpression):
    """An expression that cannot be read; unlike one without a value, it is a finding about a file."""

    def __init__(self, message: str, start: int, end: int, *, cause: str, fix: str) -> None:
        super().__init__(message, start, end, cause=cause, fix=fix)


class Token(NamedTuple):
    """One word, sign or literal.

    `value` is what a literal means, or the text as written; `sign` what the grammar asks about: the sign,
    or the word in small letters; empty for names and literals.
    """

    kind: str
    value: Json
    start: int
    end: int
    sign: str = ""


def tokenize(text: str, at: int = 0) -> list[Token]:
    """Return the tokens of an expression, the last one of kind `END`.

    Args:
        text: The expression, without `${` and `}`.
        at: What is added to every offset: where the expression stands in a longer text.

    Raises:
        Unreadable: A character or literal that cannot be read, or too much of it.
    """
    if len(text) > MAX_CHARS:
        message = f"an expression of {len(text):,} characters is too long"
        fix = "compute it in a step"
        raise Unreadable(message, at, at + len(text), cause=f"the limit is {MAX_CHARS:,}", fix=fix)
    tokens: list[Token] = []
    for found in re.finditer(_WORD_OR_SIGN, text):
        kind = found.lastgroup or ""
        if kind == "end":
            break
        tokens.append(_token(kind, found[kind], found.start(kind) + at))
        if len(tokens) > MAX_TOKENS:
            message = f"an expression of more than {MAX_TOKENS:,} words and signs is too long"
            cause = "an expression is bounded, so that looking at it cannot take long"
            raise Unreadable(message, at, at + len(text), cause=cause, fix="compute it in a step")
    tokens.append(Token(END, None, at + len(text), at + len(text)))
    return tokens


def _token(kind: str, raw: str, start: int) -> Token:
    end = start + len(raw)
    if kind == "name":
        word = _WORDS.get(raw)
        return Token(NAME, raw, start, end) if word is None else Token(WORD, raw, start, end, word)
    if kind == "sign" and raw not in _MEANT:
        return Token(SIGN, raw, start, end, raw)
    if kind == "number":
        return Token(NUMBER, _number(raw, start), start, end)
    if kind == "text":
        return Token(TEXT, _text(raw, start), start, end)
    raise _unexpected(raw, start)


def _unexpected(raw: str, start: int) -> Unreadable:
    if raw in {"'", '"'}:
        message = f"the text that begins with {raw} is not closed"
        cause, fix = OPEN_QUOTE, f"add {raw} at its end; write \\{raw} inside it"
        return Unreadable(message, start, start + 1, cause=cause, fix=fix)
    if raw.isalpha():
        message = f"`{raw}` cannot stand in a name"
        cause = "a name has the letters a to z, digits, `_` and `-`"
        fix = 'write other letters in quotes: x["größe"]'
        return Unreadable(message, start, start + len(raw), cause=cause, fix=fix)
    message = f"`{raw}` cannot stand here" if raw.isprintable() else f"U+{ord(raw):04X} cannot stand here"
    cause = "it is a sign of other languages" if raw in _MEANT else "expressions have no such sign"
    return Unreadable(message, start, start + len(raw), cause=cause, fix=_MEANT.get(raw, "remove it"))


def _number(raw: str, start: int) -> int | float:
    end = start + len(raw)
    found = re.fullmatch(_NUMBER, raw)
    if found is None:
        fix = "write decimal digits, such as 12 or 1.5; put a text in quotes"
        message = f"`{raw[:40]}` is not a number"
        cause = "what begins with a digit is read as a number"
        raise Unreadable(message, start, end, cause=cause, fix=fix)
    is_whole = not found["rest"]
    # Long runs of digits are not read at all: Python refuses to, and they are out of range.
    number: int | float = (int(raw) if len(raw) < 20 else NUMBER_LIMIT) if is_whole else float(raw)
    if (is_whole and number >= NUMBER_LIMIT) or not isfinite(number):
        message = f"the number {raw[:40]} is too large"
        cause, fix = "whole numbers stay below 2^63", "write a smaller one, or put it in quotes as a text"
        raise Unreadable(message, start, end, cause=cause, fix=fix)
    return number


def _text(raw: str, start: int) -> str:
    inner = raw[1:-1]
    if "\\" not in inner:
        return inner

    def decoded(found: re.Match[str]) -> str:
        char = chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], "")
        if not char or "\ud800" <= char <= "\udfff":
            where = start + 1 + found.start()
            fix = "use \\n, \\t, \\r, \\\\, \\', \\\" or \\u with four digits; write \\\\ for a backslash"
            message, cause = f"`{found[0]}` is not an escape", "in a text, a backslash begins an escape"
            raise Unreadable(message, where, where + len(found[0]), cause=cause, fix=fix)
        return char

    return re.sub(_ESCAPE, decoded, inner)

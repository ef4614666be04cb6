"""What a parsed expression is made of. `start` and `end` are offsets in the text it was taken from."""

from __future__ import annotations

from typing import TypeAlias

from maestri.records import NamedTuple
from maestri.values import Json


class Literal(NamedTuple):
    """A number, a text, true, false or null."""

    value: Json
    start: int
    end: int


class Listed(NamedTuple):
    """A list that is written out: `[a, b]`."""

    items: tuple[Expr, ...]
    start: int
    end: int


class Name(NamedTuple):
    """A name: a step, `inputs`, or what a pattern binds."""

    name: str
    start: int
    end: int


class Field(NamedTuple):
    """A part with a written key: `.field`, `["field"]`, `[0]`, `[-1]`. `start` is that of the whole."""

    of: Expr
    key: str | int
    start: int
    end: int
    key_start: int


class Index(NamedTuple):
    """A part with a computed key: `[a + 1]`."""

    of: Expr
    key: Expr
    start: int
    end: int


class Values(NamedTuple):
    """All values: `.*`."""

    of: Expr
    start: int
    end: int


class Unary(NamedTuple):
    """`not a` or `-a`."""

    sign: str
    of: Expr
    start: int
    end: int


class Binary(NamedTuple):
    """Arithmetic, a comparison, `in` or `not in`."""

    sign: str
    left: Expr
    right: Expr
    start: int
    end: int


class Logic(NamedTuple):
    """`and` or `or` over two or more, looked at from left to right until one decides."""

    sign: str
    items: tuple[Expr, ...]
    start: int
    end: int


class Choice(NamedTuple):
    """`yes if condition else no`."""

    yes: Expr
    condition: Expr
    no: Expr
    start: int
    end: int


class Call(NamedTuple):
    """A function with its arguments."""

    name: str
    args: tuple[Expr, ...]
    start: int
    end: int


Expr: TypeAlias = Literal | Listed | Name | Field | Index | Values | Unary | Binary | Logic | Choice | Call

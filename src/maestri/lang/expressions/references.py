"""What an expression names: the checks look names up in it, the compiler finds what a step waits for."""

from __future__ import annotations

from collections.abc import Callable

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
from maestri.records import NamedTuple

_GUARDS = frozenset({"default", "exists", "failed"})


class Reference(NamedTuple):
    """One use of a name.

    `path` are the literal parts that follow (`a.b[0]` is `("b", 0)`). A `guarded` one stands in the first
    argument of `default`, `exists` or `failed`, where it may be missing.
    """

    name: str
    path: tuple[str | int, ...]
    guarded: bool
    start: int
    end: int


def names(expr: Expr) -> list[Reference]:
    """Return the references of an expression, from left to right."""
    found: list[Reference] = []
    _collect(expr, found, guarded=False)
    return sorted(found, key=lambda reference: reference.start)


def _collect(expr: Expr, found: list[Reference], *, guarded: bool) -> None:
    if isinstance(expr, Name | Field):
        _collect_path(expr, found, guarded=guarded)
        return
    if isinstance(expr, Call) and expr.name in _GUARDS:
        _collect(expr.args[0], found, guarded=True)
        for arg in expr.args[1:]:
            _collect(arg, found, guarded=guarded)
        return
    for part in parts(expr):
        _collect(part, found, guarded=guarded)


def _collect_path(expr: Name | Field, found: list[Reference], *, guarded: bool) -> None:
    path: list[str | int] = []
    of: Expr = expr
    while isinstance(of, Field):
        path.append(of.key)
        of = of.of
    if isinstance(of, Name):
        found.append(Reference(of.name, tuple(reversed(path)), guarded, expr.start, expr.end))
    else:
        _collect(of, found, guarded=guarded)


def parts(expr: Expr) -> tuple[Expr, ...]:
    """Return the expressions that an expression is directly made of."""
    match expr:
        case Literal() | Name():
            return ()
        case Field() | Values() | Unary():
            return (expr.of,)
        case Index():
            return (expr.of, expr.key)
        case Binary():
            return (expr.left, expr.right)
        case Choice():
            return (expr.yes, expr.condition, expr.no)
        case Listed() | Logic():
            return expr.items
        case Call():
            return expr.args


def subtraction_hint(name: str, is_known: Callable[[str], bool], *, rest_may_be_names: bool = False) -> str:
    """Return how to write a subtraction, where an unknown `a-b` was most likely meant as one.

    Args:
        name: The unknown name.
        is_known: Tells whether a part of it is a name; numbers always are.
        rest_may_be_names: Only the first part must be known: the others stand in another scope.
    """
    pieces = name.split("-")
    if len(pieces) < 2 or not is_known(pieces[0]):
        return ""
    rest = [piece for piece in pieces[1:] if piece]
    if not rest_may_be_names and not all(piece.isdigit() or is_known(piece) for piece in rest):
        return ""
    return f"`{name}` is one name; a subtraction needs spaces: `{' - '.join(pieces)}`"

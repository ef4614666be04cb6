"""Types of expressions, inferred lightly: only what is certain to fail is reported.

What is not known is `ANY` and fits everywhere; so a workflow without schemas has no findings here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from maestri.lang.expressions.functions import ANYTHING, FUNCTIONS
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
from maestri.lang.source import suggest
from maestri.records import NamedTuple
from maestri.values import plain_type


class Type(NamedTuple):
    """What a value is known to be.

    `kind` is any, null, boolean, number, text, list or mapping. A list may know its `item`, a mapping some
    of its `fields`; a `closed` mapping has no others.
    """

    kind: str
    item: Type | None = None
    fields: Mapping[str, Type] | None = None
    closed: bool = False


ANY = Type("any")
NULL = Type("null")
BOOLEAN = Type("boolean")
NUMBER = Type("number")
TEXT = Type("text")
LIST = Type("list")
MAPPING = Type("mapping")
_GIVEN = {
    "any": ANY,
    "boolean": BOOLEAN,
    "number": NUMBER,
    "text": TEXT,
    "list": Type("list", item=TEXT),  # all functions that give a list give one of texts
}

TypeOf: TypeAlias = Callable[[str], Type | None]


class Problem(NamedTuple):
    """Something that is certain to fail, with its place in the text that the expression was taken from."""

    start: int
    end: int
    message: str
    cause: str
    fix: str


def may_be(found: Type, kinds: str) -> bool:
    """Tell whether a value of this type can be one of some kinds, written `text|list`."""
    return found.kind == "any" or kinds == ANYTHING or found.kind in kinds.split("|")


def either(types: Iterable[Type]) -> Type:
    """Return what is known of a value that has one of these types."""
    known = list(types)
    if not known or any(one.kind != known[0].kind for one in known):
        return ANY
    return known[0] if all(one == known[0] for one in known) else Type(known[0].kind)


def infer(expr: Expr, type_of: TypeOf) -> tuple[Type, list[Problem]]:
    """Return the type of an expression, and what is certain to fail in it, from left to right.

    Args:
        expr: The parsed expression.
        type_of: Gives the type of a name; None where nothing is known of it.
    """
    inference = _Inference(type_of)
    found = inference.of(expr)
    return found, sorted(inference.problems)


class _Inference:
    def __init__(self, type_of: TypeOf) -> None:
        self.type_of = type_of
        self.problems: list[Problem] = []
        self.guards = 0  # how many `default`, `exists` or `failed` stand around this place

    def of(self, expr: Expr) -> Type:
        found: Type = _INFER[type(expr)](self, expr)
        return found

    def clash(self, expr: Expr, message: str, cause: str, fix: str) -> Type:
        self.problems.append(Problem(expr.start, expr.end, message, cause, fix))
        return ANY

    def need(self, expr: Expr, kinds: str, where: str) -> Type:
        """Infer an expression that must be of some kinds."""
        found = self.of(expr)
        if may_be(found, kinds):
            return found
        wanted = " or ".join(f"a {kind}" for kind in kinds.split("|"))
        message = f"this is {_with_article(found.kind)}, but {where} needs {wanted}"
        return self.clash(expr, message, _NEVER_TURNED, _instead(found.kind, wanted))

    # --- values and their parts -------------------------------------------------------------------

    def literal(self, expr: Literal) -> Type:
        return Type(plain_type(expr.value))

    def listed(self, expr: Listed) -> Type:
        items = [self.of(item) for item in expr.items]
        return Type("list", item=either(items))

    def name(self, expr: Name) -> Type:
        return self.type_of(expr.name) or ANY

    def field(self, expr: Field) -> Type:
        found = self.of(expr.of)
        if found.kind == "any":
            return ANY
        if found.kind == "mapping" and isinstance(expr.key, str):
            return self.known_field(expr, expr.key, found)
        if found.kind == "list" and isinstance(expr.key, int):
            return found.item or ANY
        if found.kind == "null" and self.guards:
            return NULL
        what = f"field `{expr.key}`" if isinstance(expr.key, str) else f"item [{expr.key}]"
        message = f"{_with_article(found.kind)} has no {what}"
        cause = "only lists have items, and only mappings have fields"
        fix = "use it as it is; a command that prints JSON needs `output: json`"
        if found.kind != "text":
            fix = "items of a list are `[0]`, `[1]`" if found.kind == "list" else "use it as it is"
        self.problems.append(Problem(expr.key_start, expr.end, message, cause, fix))
        return ANY

    def known_field(self, expr: Field, key: str, found: Type) -> Type:
        fields = found.fields or {}
        # Any mapping may turn out to be what a failed step left behind.
        if key in fields or not found.closed or key == "failed" or self.guards:
            return fields.get(key, ANY)
        message = f"there is no field `{key}`"
        cause = "all the fields of this mapping are known before the run"
        fix = suggest(key, fields) or "it has no fields: take this out"
        self.problems.append(Problem(expr.key_start, expr.end, message, cause, fix))
        return ANY

    def index(self, expr: Index) -> Type:
        of = self.need(expr.of, "list|mapping", "`[...]`")
        self.need(expr.key, "number|text", "`[...]`")
        return of.item or ANY

    def values(self, expr: Values) -> Type:
        # Null has no values, but within `default` that is an answer.
        of = self.need(expr.of, "list|mapping|null" if self.guards else "list|mapping", "`.*`")
        if of.kind == "mapping" and of.closed and of.fields:
            return Type("list", item=either(of.fields.values()))
        return of if of.kind == "list" else LIST

    # --- operators --------------------------------------------------------------------------------

    def unary(self, expr: Unary) -> Type:
        kind = "boolean" if expr.sign == "not" else "number"
        self.need(expr.of, kind, f"`{expr.sign}`")
        return Type(kind)

    def logic(self, expr: Logic) -> Type:
        for item in expr.items:
            self.need(item, "boolean", f"`{expr.sign}`")
        return BOOLEAN

    def choice(self, expr: Choice) -> Type:
        self.need(expr.condition, "boolean", "`if`")
        return either((self.of(expr.yes), self.of(expr.no)))

    def binary(self, expr: Binary) -> Type:
        if expr.sign in {"==", "!="}:
            return self.equality(expr)
        if expr.sign in {"in", "not in"}:
            return self.membership(expr)
        if expr.sign == "+":
            return self.sum(expr)
        if expr.sign in {"-", "*", "/", "%"}:
            self.need(expr.left, "number", f"`{expr.sign}`")
            self.need(expr.right, "number", f"`{expr.sign}`")
            return NUMBER
        left = self.need(expr.left, "number|text", f"`{expr.sign}`")
        right = self.need(expr.right, "number|text", f"`{expr.sign}`")
        if "any" not in {left.kind, right.kind} and left.kind != right.kind:
            message = f"a {left.kind} and a {right.kind} have no order"
            cause = "two numbers have an order, and two texts have one"
            self.clash(expr, message, cause, "turn the text into a number: `number(x)`")
        return BOOLEAN

    def equality(self, expr: Binary) -> Type:
        left, right = self.of(expr.left), self.of(expr.right)
        if left.kind != right.kind and not {left.kind, right.kind} & {"any", "null"}:
            message = f"{_with_article(left.kind)} and {_with_article(right.kind)} are never equal"
            self.clash(expr, message, _NEVER_TURNED, "compare values of one type")
        return BOOLEAN

    def membership(self, expr: Binary) -> Type:
        whole = self.need(expr.right, "list|mapping|text", f"`{expr.sign}`")
        if whole.kind in {"mapping", "text"}:
            self.need(expr.left, "text", f"`{expr.sign}` with a {whole.kind}")
        else:
            self.of(expr.left)
        return BOOLEAN

    def sum(self, expr: Binary) -> Type:
        left = self.need(expr.left, "number|text|list", "`+`")
        right = self.need(expr.right, "number|text|list", "`+`")
        if left.kind == right.kind:
            return either((left, right))
        if "any" in {left.kind, right.kind}:
            return Type(right.kind if left.kind == "any" else left.kind)
        message = f"a {left.kind} and a {right.kind} cannot be added"
        fix = "write `text(x)` to join texts, `number(x)` to add numbers"
        return self.clash(expr, message, "`+` takes two numbers, two texts or two lists", fix)

    # --- functions --------------------------------------------------------------------------------

    def call(self, expr: Call) -> Type:
        if expr.name in {"default", "exists", "failed"}:
            return self.guard(expr)
        function = FUNCTIONS[expr.name]
        found = [
            self.need(arg, function.takes[min(index, len(function.takes) - 1)], f"`{expr.name}`")
            for index, arg in enumerate(expr.args)
        ]
        self.items(expr, found[0])
        if expr.name == "contains" and found[0].kind in {"mapping", "text"} and not may_be(found[1], "text"):
            message = f"a {found[0].kind} contains texts only"
            cause = f"this is {_with_article(found[1].kind)}"
            self.clash(expr.args[1], message, cause, "look for a text: `text(x)` makes one")
        if expr.name == "text" and found[0].kind == "null":
            cause = "nothing is not an empty text"
            self.clash(expr.args[0], "null has no text", cause, 'write `default(x, "")`')
        return _GIVEN[function.gives]

    def items(self, expr: Call, found: Type) -> None:
        """Check what the items of a list are, where a function asks for it."""
        kinds = {"any": "boolean", "all": "boolean", "sum": "number", "join": "text|number|boolean"}
        wanted = kinds.get(expr.name)
        if wanted is not None and found.item is not None and not may_be(found.item, wanted):
            message = f"the items are of type {found.item.kind}, but `{expr.name}` needs {wanted}"
            fix = f"give a list of {wanted.replace('|', ' or ')} items"
            self.clash(expr.args[0], message, _NEVER_TURNED, fix)

    def guard(self, expr: Call) -> Type:
        self.guards += 1
        first = self.of(expr.args[0])
        self.guards -= 1
        if expr.name != "default":
            return BOOLEAN
        second = self.of(expr.args[1])
        return second if first.kind == "null" else either((first, second))


_NEVER_TURNED = "a value is never turned into one of another type by itself"


def _instead(kind: str, wanted: str) -> str:
    """Return what to write where a value of another type is wanted."""
    if kind == "null":
        return "write `default(x, ...)`"
    if kind == "text" and "a number" in wanted:
        return "turn it into a number: `number(x)`"
    if "a boolean" in wanted:
        return "compare it: `x != 0`, `len(x) > 0`, `x == 'yes'`"
    return f"give {wanted}"


def _with_article(kind: str) -> str:
    return kind if kind == "null" else f"a {kind}"


_INFER: dict[type[Any], Callable[[_Inference, Any], Type]] = {
    Literal: _Inference.literal,
    Listed: _Inference.listed,
    Name: _Inference.name,
    Field: _Inference.field,
    Index: _Inference.index,
    Values: _Inference.values,
    Unary: _Inference.unary,
    Binary: _Inference.binary,
    Logic: _Inference.logic,
    Choice: _Inference.choice,
    Call: _Inference.call,
}

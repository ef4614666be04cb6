"""Tokens to a term: a Pratt parser.

From loosest to tightest: `a if c else b`, `or`, `and`, `not`, comparisons and `in` (never chained), `+ -`,
`* / %`, `-a`, and what stands behind a value (`.field`, `[0]`, `.*`, `(...)`).

Rule: both the nesting of brackets and the height of the term are bounded, so that nothing that walks a term
can run out of stack.

Source: Pratt, "Top Down Operator Precedence" (POPL 1973).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from maestri.lang.expressions.functions import FUNCTIONS
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
from maestri.lang.expressions.tokens import (
    END,
    NAME,
    NUMBER,
    SIGN,
    TEXT,
    WORD,
    Token,
    Unreadable,
    tokenize,
)
from maestri.lang.source import suggest

MAX_NESTING: Final = 40
MAX_HEIGHT: Final = 100

_COMPARISON = 4
_POWER = {
    "or": 1, "and": 2,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4, "not": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_NOT = 3
_MINUS = 7
_CONSTANTS = {"true": True, "false": False, "null": None}
FOREIGN: Final = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false", "None": "null"}
_NO_VALUE = "a value is a name, a number, a text in quotes, a list, or one of these in an operation"
_TWO_VALUES = "two values stand beside each other, and no operator says what to do with them"
# Operators of other languages, and what to write instead.
_FOREIGN_SIGNS = {
    "**": "there is no power operator: multiply, `x * x`",
    "//": "write `/`, and `round(x)` where a whole number is needed",
    "is": "write `==`, or `!=` for `is not`",
    "then": "write `a if condition else b`",
}


def parse(text: str, at: int = 0) -> Expr:
    """Return the term of an expression.

    Args:
        text: The expression, without `${` and `}`.
        at: Where it begins in the text that it was taken from; all offsets count from there.

    Raises:
        Unreadable: It cannot be read.
    """
    try:
        return _parse(text, at)
    except RecursionError:
        message = "the expression is nested too deep for the call it stands in"
        cause = "the stack has no room left to read it"
        raise Unreadable(message, at, at + len(text), cause=cause, fix="compute it in a step") from None


# The same few expressions are parsed by the checks, the compiler and every run of a body.
@lru_cache(maxsize=512)
def _parse(text: str, at: int) -> Expr:
    return _Parser(tokenize(text, at)).whole()


class _Parser:
    """Reads tokens from left to right. `height` is that of the term which was returned last."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.token = tokens[0]
        self.nesting = 0
        self.height = 0

    def whole(self) -> Expr:
        if self.token.kind == END:
            at = self.token.start
            cause, fix = "nothing stands between `${` and `}`", "write a name or a value"
            raise Unreadable("an expression is missing", at, at, cause=cause, fix=fix)
        term = self.choice()
        if self.token.kind != END:
            raise self.unexpected()
        return term

    # --- moving -----------------------------------------------------------------------------------

    def advance(self) -> Token:
        token = self.token
        self.position += 1
        self.token = self.tokens[self.position]
        return token

    def expect(self, sign: str, why: str) -> Token:
        if self.token.sign != sign:
            raise self.unexpected(f"`{sign}` is needed before it", f"add `{sign}` {why}")
        return self.advance()

    def unexpected(self, cause: str = "", fix: str = "") -> Unreadable:
        token = self.token
        if token.kind == END:
            cause, fix = cause or "a value is still to come here", fix or "write a name or a value"
            return Unreadable("the expression ends too early", token.start, token.end, cause=cause, fix=fix)
        shown = f"`{token.value}`" if token.kind in {NAME, SIGN, WORD} else f"this {token.kind}"
        if not cause:
            cause, fix = self.slip() or (_NO_VALUE, fix or "remove it, or add a value")
        cause, fix = self.foreign() or (cause, fix)
        return Unreadable(f"{shown} cannot stand here", token.start, token.end, cause=cause, fix=fix)

    def foreign(self) -> tuple[str, str] | None:
        """Return cause and fix where an operator of other languages stands here."""
        token, before = self.token, self.tokens[max(self.position - 1, 0)]
        sign = f"{before.sign}{token.sign}" if before.end == token.start else str(token.value)
        fix = _FOREIGN_SIGNS.get(sign)
        return None if fix is None else (f"`{sign}` is an operator of other languages", fix)

    def slip(self) -> tuple[str, str] | None:
        """Return cause and fix where a value stands behind another one."""
        token, before = self.token, self.tokens[max(self.position - 1, 0)]
        name = str(before.value)
        if token.kind not in {NAME, NUMBER, TEXT}:
            return None
        if before.kind == NAME and name.endswith("-"):
            fix = f"a subtraction needs spaces: `{name.rstrip('-')} - ...`"
            return f"`{name}` was read as a name, which may have hyphens", fix
        return _TWO_VALUES, "put an operator or a comma before it"

    def deeper(self) -> None:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            message = f"the expression is nested more than {MAX_NESTING} deep"
            cause, fix = "what evaluates it must not run out of stack", "compute it in a step"
            raise Unreadable(message, self.token.start, self.token.end, cause=cause, fix=fix)

    def grown(self, height: int, start: int, end: int) -> None:
        self.height = height
        if height > MAX_HEIGHT:
            message = f"more than {MAX_HEIGHT} operations follow one another"
            cause = "what evaluates it must not run out of stack"
            fix = "compute it in a step, or use `join` or `sum`"
            raise Unreadable(message, start, end, cause=cause, fix=fix)

    # --- operators --------------------------------------------------------------------------------

    def choice(self) -> Expr:
        self.deeper()
        yes = self.infix(1)
        if self.token.sign == "if":
            height = self.height
            self.advance()
            condition = self.infix(1)
            height = max(height, self.height)
            self.expect("else", "and what holds otherwise: `a if condition else b`")
            no = self.choice()
            yes = Choice(yes, condition, no, yes.start, no.end)
            self.grown(max(height, self.height) + 1, yes.start, yes.end)
        self.nesting -= 1
        return yes

    def infix(self, least: int) -> Expr:
        left = self.prefix(least)
        while True:
            sign = self.token.sign
            power = _POWER.get(sign, 0)
            if power < least or power == 0:
                return left
            height = self.height
            read = self.logic if power < _COMPARISON else self.binary
            left = read(sign, power, left)
            self.grown(max(height, self.height) + 1, left.start, left.end)
            if power == _COMPARISON and _POWER.get(self.token.sign) == _COMPARISON:
                raise self.chained()

    def chained(self) -> Unreadable:
        message = "comparisons cannot be chained"
        cause = "a comparison gives true or false, which has no order and is no member"
        fix = "write `a < b and b < c`, or add parentheses"
        return Unreadable(message, self.token.start, self.token.end, cause=cause, fix=fix)

    def logic(self, sign: str, power: int, first: Expr) -> Expr:
        items = [first]
        tallest = 0
        while self.token.sign == sign:
            self.advance()
            items.append(self.infix(power + 1))
            tallest = max(tallest, self.height)
        self.height = tallest
        return Logic(sign, tuple(items), first.start, items[-1].end)

    def binary(self, sign: str, power: int, left: Expr) -> Expr:
        self.advance()
        if sign == "not":
            self.expect("in", "to ask whether something is missing: `a not in b`")
            sign = "not in"
        right = self.infix(power + 1)
        return Binary(sign, left, right, left.start, right.end)

    def prefix(self, least: int) -> Expr:
        sign = self.token.sign
        if sign == "not" and least <= _COMPARISON:
            return self.unary("not", _NOT)
        if sign == "-":
            return self.unary("-", _MINUS)
        return self.postfix(self.value())

    def unary(self, sign: str, power: int) -> Expr:
        self.deeper()
        start = self.advance().start
        of = self.infix(power)
        self.nesting -= 1
        if sign == "-" and isinstance(of, Literal) and type(of.value) in {int, float}:
            return Literal(-of.value, start, of.end)  # type: ignore[operator]  # a number, see above
        self.grown(self.height + 1, start, of.end)
        return Unary(sign, of, start, of.end)

    # --- values -----------------------------------------------------------------------------------

    def value(self) -> Expr:
        token = self.token
        self.height = 1
        if token.kind in {NUMBER, TEXT}:
            self.advance()
            return Literal(token.value, token.start, token.end)
        if token.kind == NAME:
            return self.name()
        if token.sign in _CONSTANTS:
            self.advance()
            return Literal(_CONSTANTS[token.sign], token.start, token.end)
        if token.sign == "(":
            self.advance()
            inner = self.choice()
            self.expect(")", "to close the parenthesis")
            return inner
        if token.sign == "[":
            self.advance()
            items, end = self.listed("]", "to close the list")
            return Listed(items, token.start, end)
        raise self.unexpected()

    def listed(self, closing: str, why: str) -> tuple[tuple[Expr, ...], int]:
        """Read terms with commas up to a closing sign; returns them and where the sign ends."""
        items: list[Expr] = []
        tallest = 0
        while self.token.sign != closing:
            items.append(self.choice())
            tallest = max(tallest, self.height)
            if self.token.sign != ",":
                break
            self.advance()
        end = self.expect(closing, why).end
        self.grown(tallest + 1, end - 1, end)
        return tuple(items), end

    def name(self) -> Expr:
        token = self.advance()
        name = str(token.value)
        if self.token.sign == "(":
            return self.call(name, token)
        if name in FOREIGN:
            fix = f"write `{FOREIGN[name]}`"
            cause = "it is a word of Python or of YAML 1.1"
            raise Unreadable(f"`{name}` is not a word here", token.start, token.end, cause=cause, fix=fix)
        return Name(name, token.start, token.end)

    def call(self, name: str, token: Token) -> Expr:
        function = FUNCTIONS.get(name)
        if function is None:
            message, cause = f"there is no function `{name}`", "a name before `(` is that of a function"
            raise Unreadable(message, token.start, token.end, cause=cause, fix=suggest(name, FUNCTIONS))
        self.advance()
        args, end = self.listed(")", f"to close `{name}(`")
        if not function.least <= len(args) <= function.most:
            message = f"`{name}` takes {function.arity()}, not {len(args)}"
            cause = f"`{function.usage}` is {function.about}"
            raise Unreadable(message, token.start, end, cause=cause, fix=f"write `{function.usage}`")
        return Call(name, args, token.start, end)

    def postfix(self, term: Expr) -> Expr:
        while True:
            sign = self.token.sign
            if sign == ".":
                height = self.height
                self.advance()
                term = self.dotted(term)
            elif sign == "[":
                height = self.height
                self.advance()
                term = self.indexed(term)
                height = max(height, self.height)
            elif sign == "(":
                raise self.unexpected("a value is no function", "only functions can be called: `len(x)`")
            else:
                return term
            self.grown(height + 1, term.start, term.end)

    def dotted(self, of: Expr) -> Expr:
        token = self.token
        if token.kind in {NAME, WORD}:
            self.advance()
            if self.token.sign == "(":
                raise self.method(token)
            return Field(of, str(token.value), of.start, token.end, token.start)
        if token.sign == "*":
            self.advance()
            return Values(of, of.start, token.end)
        fix = 'write a name behind the dot; an item is `[0]`, a field of another name is `["a b"]`'
        raise self.unexpected("behind a dot stands the name of a field, or `*`", fix)

    def method(self, token: Token) -> Unreadable:
        name = str(token.value)
        fix = f"write `{FUNCTIONS[name].usage}`" if name in FUNCTIONS else suggest(name, FUNCTIONS)
        cause = "values are plain data, and functions stand before them"
        return Unreadable(f"values have no method `{name}`", token.start, token.end, cause=cause, fix=fix)

    def indexed(self, of: Expr) -> Expr:
        key_start = self.token.start
        key = self.choice()
        end = self.expect("]", "to close the bracket").end
        if isinstance(key, Literal) and type(key.value) in {int, str}:
            return Field(of, key.value, of.start, end, key_start)  # type: ignore[arg-type]  # see above
        return Index(of, key, of.start, end)

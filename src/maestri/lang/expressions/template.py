"""Texts with `${...}` in them.

Rule 1: `$${` stands for the two characters `${`.
Rule 2: a text that is exactly one `${...}` keeps the type of its value; anything else is text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from maestri.lang.expressions.evaluate import Names, evaluate
from maestri.lang.expressions.operations import Refusal, as_text
from maestri.lang.expressions.parse import parse
from maestri.lang.expressions.references import Reference
from maestri.lang.expressions.references import names as names_in
from maestri.lang.expressions.terms import Expr
from maestri.lang.expressions.tokens import MAX_CHARS, OPEN_QUOTE, BadExpression, Unreadable
from maestri.records import NamedTuple
from maestri.values import Json

MAX_RENDERED_CHARS: Final = 1024 * 1024

_OPENING = re.compile(r"\$\$\{|\$\{")
_INSIDE = re.compile(r"""[^{}'"]+|[{}]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"|['"]""", re.DOTALL)


class Part(NamedTuple):
    """One `${...}`, from its `$` to behind its `}`."""

    expr: Expr
    start: int
    end: int


class Template(NamedTuple):
    """A text in pieces: literal texts and expressions, in order."""

    pieces: tuple[str | Part, ...]
    is_single: bool

    @property
    def parts(self) -> list[Part]:
        """The expressions."""
        return [piece for piece in self.pieces if isinstance(piece, Part)]

    @property
    def is_literal(self) -> bool:
        """Whether there is no expression in it."""
        return not any(isinstance(piece, Part) for piece in self.pieces)

    def references(self) -> list[Reference]:
        """Return what its expressions name, from left to right."""
        return [reference for part in self.parts for reference in names_in(part.expr)]


@lru_cache(maxsize=128)
def parse_template(text: str) -> Template:
    """Return a text in pieces. All offsets count from its beginning.

    Raises:
        Unreadable: An expression in it cannot be read, or a `${` is not closed.
    """
    pieces: list[str | Part] = []
    literal = ""
    position = 0
    for opening in _OPENING.finditer(text):
        if opening.start() < position:
            continue  # inside a text within the expression before
        literal += text[position : opening.start()]
        position = opening.end()
        if opening.group() == "$${":
            literal += "${"
            continue
        if literal:
            pieces.append(literal)
            literal = ""
        end = _closing(text, opening.start())
        pieces.append(Part(parse(text[position : end - 1], position), opening.start(), end))
        position = end
    if literal + text[position:]:
        pieces.append(literal + text[position:])
    return Template(tuple(pieces), is_single=len(pieces) == 1 and isinstance(pieces[0], Part))


def _closing(text: str, start: int) -> int:
    """Return the offset behind the brace that closes the `${` at `start`."""
    open_braces = 1
    limit = min(len(text), start + MAX_CHARS + 3)
    for found in _INSIDE.finditer(text, start + 2, limit):
        piece = found.group()
        if piece == "{":
            open_braces += 1
        elif piece == "}":
            open_braces -= 1
            if not open_braces:
                return found.end()
        elif piece in {"'", '"'}:
            message = f"the text that begins with {piece} is not closed"
            fix = f"add {piece} at its end; write \\{piece} inside it"
            raise Unreadable(message, found.start(), found.end(), cause=OPEN_QUOTE, fix=fix)
    cause = "no `}` in this text closes it"
    if limit < len(text):
        cause = f"no `}}` follows within {MAX_CHARS:,} characters"
    fix = "add `}`; write `$${` for the two characters themselves; a ` #` without quotes begins a comment"
    raise Unreadable("this `${` is not closed", start, start + 2, cause=cause, fix=fix)


def render(template: Template, names: Names) -> Json:
    """Return the value of a template: of its one expression, or the text that it makes.

    Args:
        template: The parsed text.
        names: Gives the value of a name, or raises KeyError.

    Raises:
        BadExpression: An expression has no value, or null stands in a text, or the text is too long.
    """
    if template.is_single and isinstance(template.pieces[0], Part):
        return evaluate(template.pieces[0].expr, names)
    texts: list[str] = []
    size_chars = 0
    for piece in template.pieces:
        texts.append(piece if isinstance(piece, str) else _rendered(piece, names))
        size_chars += len(texts[-1])
        if size_chars > MAX_RENDERED_CHARS and isinstance(piece, Part):
            message = f"the text would have more than {MAX_RENDERED_CHARS:,} characters"
            raise BadExpression(message, piece.start, piece.end, fix="hand large values on in a file")
    return "".join(texts)


def _rendered(part: Part, names: Names) -> str:
    value = evaluate(part.expr, names)
    try:
        return as_text(value)
    except Refusal as refusal:
        raise BadExpression(refusal.message, part.start, part.end, fix=refusal.fix) from None

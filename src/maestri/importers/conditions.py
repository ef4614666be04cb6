"""References and conditions of other systems as our expressions: `${score} < 30 AND ${x.y}` and the like."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from maestri.lang.expressions.template import parse_template
from maestri.lang.expressions.tokens import Unreadable
from maestri.records import NamedTuple

_PATH: Final = r"[A-Za-z_][\w-]*(?:\.(?:\*|[A-Za-z_][\w-]*)|\[-?\d+\]|\[\"[^\"\]]*\"\])*"
_TOKEN: Final = re.compile(
    rf"""\s+|\$\{{(?P<inner>[^{{}}]*)\}}|(?P<text>'[^']*'|"[^"]*")|(?P<number>-?\d+(?:\.\d+)?%?)"""
    rf"""|(?P<word>{_PATH})|(?P<sign>===|!==|&&|\|\||==|!=|<=|>=|<>|[<>=!≥≤≠()+*/%,\[\]-])"""
)
_SIGNS: Final = {"===": "==", "!==": "!=", "<>": "!=", "=": "==", "&&": "and", "||": "or", "!": "not ",
                 "≥": ">=", "≤": "<=", "≠": "!="}  # fmt: skip
_KEPT: Final = frozenset({"and", "or", "not", "in", "true", "false", "null"})
_CALLS: Final = frozenset(
    {"len", "any", "all", "default", "exists", "failed", "min", "max", "sum", "lower", "upper"}
)
REFERENCE: Final = re.compile(r"\$\{\s*(" + _PATH + r")\s*\}")


class Value(NamedTuple):
    """Where a name of theirs is found here; `maybe`: it may be null, and then `other` stands for it."""

    path: str
    maybe: bool = False
    other: str = ""

    def expression(self, rest: str = "") -> str:
        """Return it, with a path behind it, as an expression."""
        if not self.maybe:
            return self.path + rest
        other = f"{self.other}{rest}" if self.other else "null"
        return f"default({self.path}{rest}, {other})"


class Names:
    """The names of one body; what it does not have, the one around it may."""

    def __init__(self, outer: Names | None = None) -> None:
        """Begin with none."""
        self.own: dict[str, Value] = {}
        self.outer = outer

    def find(self, name: str) -> Value | None:
        """Return where a name is found."""
        if name in self.own:
            return self.own[name]
        return None if self.outer is None else self.outer.find(name)

    def split(self, path: str) -> tuple[Value, str] | None:
        """Return where the longest known beginning of a path is found, and the rest of the path."""
        ends = [len(path), *(found.start() for found in reversed([*re.finditer(r"[.\[]", path)]))]
        for end in ends:
            value = self.find(path[:end])
            if value is not None:
                return value, path[end:]
        return None


Missing = Callable[[str], str]  # gives the expression for a path that nothing is known of


def reference(path: str, names: Names, missing: Missing) -> str:
    """Return the expression for a path such as `stage.output.field`."""
    found = names.split(path)
    return missing(path) if found is None else found[0].expression(found[1])


def condition(words: str, names: Names, missing: Missing) -> str:
    """Return a condition as one expression, without the braces.

    Raises:
        Unreadable: It holds what no condition can hold.
    """
    made = _read(words, names, missing)
    parse_template("${" + made + "}")
    return made


def _read(words: str, names: Names, missing: Missing) -> str:
    pieces: list[str] = []
    at = 0
    while at < len(words):
        found = _TOKEN.match(words, at)
        if found is None:
            message = f"`{words[at : at + 20]}` cannot stand in a condition"
            raise Unreadable(
                message, at, at + 1, cause="it is neither a name, a value nor a comparison", fix=""
            )
        at = found.end()
        piece = _piece(found, words[at:], pieces, names, missing)
        if piece:
            pieces.append(piece)
    return (
        re.sub(r"\( ", "(", " ".join(pieces)).replace(" )", ")").replace(" ,", ",").replace("not  ", "not ")
    )


def _piece(found: re.Match[str], after: str, before: list[str], names: Names, missing: Missing) -> str:
    if found["inner"] is not None:
        inner = found["inner"].strip()
        made = _read(inner, names, missing)
        return made if re.fullmatch(_PATH, inner) or len(before) + len(after.strip()) == 0 else f"({made})"
    if found["text"] is not None:
        return found["text"]
    if found["number"] is not None:
        digits = found["number"]
        return f"{float(digits[:-1]) / 100:g}" if digits.endswith("%") else digits
    if found["sign"] is not None:
        return _SIGNS.get(found["sign"], found["sign"])
    word = found["word"] or ""
    return _word(word, after, before, names, missing) if word else ""


def _word(word: str, after: str, before: list[str], names: Names, missing: Missing) -> str:
    if word.lower() in _KEPT:
        return word.lower()
    if word in _CALLS and after.lstrip().startswith("("):
        return word
    if names.split(word) is None and before and before[-1] in {"==", "!="}:
        return f"'{word}'"  # `${severity} == critical`: a text without its quotes
    return reference(word, names, missing)


def negated(expression: str) -> str:
    """Return the opposite of a condition."""
    return f"not ({expression})"


def template(words: str, names: Names, missing: Missing) -> str:
    """Return a text whose references are ours; what may be null is an empty text there."""

    def one(found: re.Match[str]) -> str:
        path = found[1]
        known = names.split(path)
        if known is None:
            return "${" + missing(path) + "}"
        value, rest = known
        return "${" + (f"default({value.path}{rest}, '')" if value.maybe else value.expression(rest)) + "}"

    out, at = "", 0
    for found in REFERENCE.finditer(words):
        out += words[at : found.start()].replace("${", "$${") + one(found)
        at = found.end()
    return out + words[at:].replace("${", "$${")

"""Writes our YAML from plain values, and says for each line which line of the user's file it comes from."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from maestri.records import NamedTuple

_PLAIN: Final = re.compile(r"[A-Za-z_][\w-]*(?:[ ./][\w./-]+)*\Z")
_EXPRESSION: Final = re.compile(r"\$\{[^\n]*\}\Z")
_WORDS: Final = frozenset({"true", "false", "null", "~"})
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_FLAT: Final = ("returns", "retry", "estimate", "memory", "inputs", "args", "wait")  # on one line if it fits
_WIDTH: Final = 100


class At(NamedTuple):
    """A value with the line it comes from and a comment above it."""

    value: Any
    line: int = 0
    comment: str = ""


class Written(NamedTuple):
    """A text of ours; `lines` has, for each of its lines, the line that it comes from."""

    text: str
    lines: tuple[int, ...]


def written(document: dict[str, Any], header: list[str]) -> Written:
    """Return a document as YAML.

    Args:
        document: Mappings, lists, scalars, and `At` around any of them.
        header: Comments that stand above it.
    """
    page = _Page()
    for words in header:
        page.add(f"# {words}", 1)
    page.entries(document, 0, 1)
    return Written("\n".join(page.lines) + "\n", tuple(page.origins))


class _Page:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.origins: list[int] = []

    def add(self, text: str, origin: int) -> None:
        self.lines.append(text)
        self.origins.append(origin)

    def entries(self, table: dict[str, Any], indent: int, origin: int) -> None:
        for key, given in table.items():
            value, line, comment = given if isinstance(given, At) else At(given)
            here = line or origin
            pad = " " * indent
            if isinstance(given, At) and isinstance(value, dict) and line not in {0, 1, origin}:
                self.add(f"{pad}# line {line}", here)
            for words in comment.splitlines():
                self.add(f"{pad}# {words}", here)
            self.entry(f"{pad}{scalar(key)}:", key, value, indent, here)

    def entry(self, start: str, key: str, value: Any, indent: int, origin: int) -> None:
        if isinstance(value, dict) and value:
            flat = f"{start} {_flow(value)}" if key in _FLAT else ""
            if flat and len(flat) <= _WIDTH:
                self.add(flat, origin)
                return
            self.add(start, origin)
            self.entries(value, indent + 2, origin)
        elif isinstance(value, list) and not (_is_flat(value) and len(start + _flow(value)) <= _WIDTH):
            self.add(start, origin)
            for item in value:
                self.item(item, indent + 2, origin)
        elif isinstance(value, str) and "\n" in value and _fits_a_block(value):
            self.add(f"{start} |-", origin)
            for line in value.split("\n"):
                self.add(f"{' ' * (indent + 2)}{line}" if line else "", origin)
        else:
            self.add(f"{start} {_flow(value) if isinstance(value, list | dict) else scalar(value)}", origin)

    def item(self, given: Any, indent: int, origin: int) -> None:
        value, line, _ = given if isinstance(given, At) else At(given)
        here = line or origin
        self.add(f"{' ' * indent}- {_flow(value) if isinstance(value, list | dict) else scalar(value)}", here)


def scalar(value: Any) -> str:
    """Return a value as it stands in a block of YAML."""
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = _PLAIN.match(value) and value.lower() not in _WORDS
    is_single = _EXPRESSION.match(value) and ": " not in value and " #" not in value
    return value if is_plain or is_single else _text(value)


def _text(value: str) -> str:
    found = json.dumps(value, ensure_ascii=False)
    return _UNSEEN.sub(lambda one: f"\\u{ord(one.group()):04x}", found)


def _flow(value: Any) -> str:
    if isinstance(value, At):
        return _flow(value.value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(inner) for inner in value)}]"
    if isinstance(value, str) and "${" in value:
        return _text(value)
    return scalar(value)


def _is_flat(items: list[Any]) -> bool:
    return not any(isinstance(one.value if isinstance(one, At) else one, dict | list) for one in items)


def _fits_a_block(text: str) -> bool:
    first = text.split("\n", 1)[0]
    return (
        bool(first.strip())
        and not first.startswith((" ", "\t"))
        and not _UNSEEN.search(text)
        and text[-1] != "\n"
    )

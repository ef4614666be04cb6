"""What a definition file is after loading: texts, sequences and mappings, each with its place.

Rule 1: a scalar keeps the text as written beside its value, so that `1.10` can still be read as text.
Rule 2: one tree may stand in several places (an alias); trees are never changed.
"""

from __future__ import annotations

from typing import TypeAlias

from maestri.errors import Span
from maestri.lang.positions import origins
from maestri.lang.source import Source
from maestri.records import NamedTuple
from maestri.values import Json


class Scalar(NamedTuple):
    """One value.

    `value` is what YAML 1.2 says it is, `text` what stands in the file after quotes and folding are undone.
    `plain` scalars have no quotes; `block` scalars begin with `|` or `>`.
    """

    value: Json
    text: str
    span: Span
    plain: bool = True
    block: bool = False


class Sequence(NamedTuple):
    """A list of values in order."""

    items: list[Tree]
    span: Span


class Entry(NamedTuple):
    """A key of a mapping and what it stands for."""

    key: Scalar
    value: Tree


class Mapping(NamedTuple):
    """Values by key, in the order of the file. Of a key that stands twice, only the first is kept."""

    entries: list[Entry]
    span: Span

    def get(self, key: str) -> Tree | None:
        """Return the value of a key, or None where the mapping does not have it."""
        for entry in self.entries:
            if entry.key.text == key:
                return entry.value
        return None

    def entry(self, key: str) -> Entry | None:
        """Return key and value, for messages that point at the key; None where there is none."""
        for entry in self.entries:
            if entry.key.text == key:
                return entry
        return None

    def keys(self) -> list[str]:
        """Return the keys as texts, in the order of the file."""
        return [entry.key.text for entry in self.entries]


Tree: TypeAlias = Scalar | Sequence | Mapping


def to_json(tree: Tree) -> Json:
    """Return the value of a tree without its places. The loader has bounded the depth."""
    if isinstance(tree, Scalar):
        return tree.value
    if isinstance(tree, Sequence):
        return [to_json(item) for item in tree.items]
    return {entry.key.text: to_json(entry.value) for entry in tree.entries}


def position_in(scalar: Scalar, source: Source, offset: int) -> tuple[int, int]:
    """Return line and column, in the file, of an offset in a scalar's text.

    Exact for every style that YAML has. An offset at or beyond the end gives the place behind the last
    character. Where the text is not what the file says (a tree that was made up), the scalar's start.
    """
    start = source.offset(scalar.span.line, scalar.span.col)
    end = source.offset(scalar.span.end_line, scalar.span.end_col)
    found = origins(source.text, start, end, scalar.text)
    if found is None:
        return scalar.span.line, scalar.span.col
    return source.place(found[min(max(offset, 0), len(found) - 1)])


def span_in(scalar: Scalar, source: Source, start: int, end: int) -> Span:
    """Return the span, in the file, of a part of a scalar's text, from `start` up to `end`."""
    first = position_in(scalar, source, start)
    # Behind the last character, not at the next: they can be lines apart in a folded text.
    line, col = position_in(scalar, source, max(end - 1, start))
    return Span(*first, line, col + 1)

"""A document as data: what a report says, whatever it is written as.

Rule 1: texts are data of anybody; each writer makes them harmless in its own way.
Rule 2: a word between backticks is code where the backticks of a text go in pairs, and plain text where not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from maestri.records import NamedTuple


class Paragraph(NamedTuple):
    """A paragraph of running text."""

    text: str


class Points(NamedTuple):
    """A list of points."""

    items: tuple[str, ...]


class Verbatim(NamedTuple):
    """Lines as they are: a command, or an output."""

    text: str


class Table(NamedTuple):
    """A table; the columns in `right` hold figures."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


Block: TypeAlias = Paragraph | Points | Verbatim | Table


class Section(NamedTuple):
    """A heading with what stands below it."""

    title: str
    blocks: tuple[Block, ...]


class Document(NamedTuple):
    """A title, the facts below it as pairs, and the sections."""

    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def spans(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text, each with whether it is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0 or not all(parts[1:-1]):
        yield text, False
        return
    for place, part in enumerate(parts):
        if part:
            yield part, place % 2 == 1

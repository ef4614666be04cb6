"""A document as Markdown: tables aligned in the source, too; nothing of a text is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from maestri.report.closeout.document import Block, Document, Paragraph, Points, Table, Verbatim, spans
from maestri.report.wording import clean, one_line, width_of

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!$@])")
# What begins a list, a heading or a rule where it begins a line, and what is made a link by itself.
_BEGINNING = re.compile(r"^([-+=:]|\d+[.)])")
_LINK = re.compile(r"\b(https?|ftp|mailto|www)([:.])", re.IGNORECASE)


def as_markdown(document: Document) -> str:
    """Return a document as Markdown."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_inline(document.title)}"
    yield ""
    yield from _table(Table(("", ""), document.facts))
    for section in document.sections:
        yield ""
        yield f"## {_inline(section.title)}"
        for block in section.blocks:
            yield ""
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield _begun(_inline(block.text))
    elif isinstance(block, Points):
        yield from (f"- {_begun(_inline(item))}" for item in block.items)
    elif isinstance(block, Verbatim):
        lines = clean(block.text).rstrip("\n").split("\n")
        longest = max((len(run) for run in re.findall(r"`+", block.text)), default=0)
        fence = "`" * max(3, longest + 1)
        yield from (f"{fence}text", *lines, fence)
    else:
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    rows = [[_inline(cell) for cell in row] for row in (table.heads, *table.rows)]
    widths = [max(3, *(width_of(row[place]) for row in rows)) for place in range(len(table.heads))]
    rule = ["-" * (width - 1) + (":" if place in table.right else "-") for place, width in enumerate(widths)]
    for cells in (rows[0], rule, *rows[1:]):
        spaced = [
            " " * (width - width_of(cell)) + cell
            if place in table.right
            else cell + " " * (width - width_of(cell))
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        yield f"| {' | '.join(spaced)} |"


def _inline(text: str) -> str:
    return "".join(
        f"`{part.replace('|', chr(92) + '|')}`" if is_code else _escaped(part)
        for part, is_code in spans(one_line(text))
    )


def _escaped(text: str) -> str:
    return _LINK.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", text))


def _begun(text: str) -> str:
    found = _BEGINNING.match(text)
    if found is None:
        return text
    mark = found[1]
    return f"{mark[:-1]}\\{text[len(mark) - 1 :]}"

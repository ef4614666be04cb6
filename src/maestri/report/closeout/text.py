"""A document for terminals and mails: aligned tables, nothing that a terminal would obey."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from maestri.report.closeout.document import Block, Document, Paragraph, Points, Table, Verbatim, spans
from maestri.report.wording import clean, cut, one_line, width_of

_COLUMNS = 100
_CELL = 60
_GAP = "  "
_GLUE = "\x00"  # no text has one: they are harmless before they are wrapped


def as_text(document: Document) -> str:
    """Return a document as plain text."""
    return "\n".join(line.rstrip() for line in _lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    title = one_line(document.title)
    yield title
    yield "=" * width_of(title)
    yield ""
    facts = [(one_line(name), one_line(value)) for name, value in document.facts]
    width = max((width_of(name) for name, _ in facts), default=0)
    for name, value in facts:
        yield f"{_aligned(name, width, is_figure=False)}{_GAP}{value}"
    for section in document.sections:
        yield ""
        heading = one_line(section.title)
        yield heading
        yield "-" * width_of(heading)
        for place, block in enumerate(section.blocks):
            if place:
                yield ""
            yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from _filled(block.text, "", "")
    elif isinstance(block, Points):
        for item in block.items:
            yield from _filled(item, "- ", "  ")
    elif isinstance(block, Verbatim):
        yield from (f"    {line}" for line in clean(block.text).rstrip("\n").split("\n"))
    else:
        yield from _table(block)


def _filled(text: str, first: str, then: str) -> list[str]:
    return _wrapped(one_line(text), _COLUMNS, first, then)


def _wrapped(text: str, columns: int, first: str = "", then: str = "") -> list[str]:
    """Return a text in lines; what is code is not torn apart, so that it can be copied."""
    whole = "".join(part.replace(" ", _GLUE) if is_code else part for part, is_code in _marked(text))
    lines = textwrap.wrap(
        whole,
        columns,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines]


def _marked(text: str) -> Iterator[tuple[str, bool]]:
    for part, is_code in spans(text):
        yield (f"`{part}`" if is_code else part), is_code


def _table(table: Table) -> Iterator[str]:
    """Yield the lines of a table; only its last column may be wider than the others, and is wrapped."""
    last = len(table.heads) - 1
    cells = [
        [one_line(cell) if place == last else cut(one_line(cell), _CELL) for place, cell in enumerate(row)]
        for row in (table.heads, *table.rows)
    ]
    widths = [max(width_of(row[place]) for row in cells) for place in range(last + 1)]
    before = sum(widths[:-1]) + len(_GAP) * last
    room = max(30, _COLUMNS - before)
    for number, row in enumerate(cells):
        wrapped = _wrapped(row[last], room) or [""]
        if last in table.right:
            wrapped[0] = _aligned(wrapped[0], min(widths[last], room), is_figure=True)
        head = [_aligned(row[place], widths[place], is_figure=place in table.right) for place in range(last)]
        yield _GAP.join([*head, wrapped[0]])
        yield from (" " * before + line for line in wrapped[1:])
        if number == 0:
            yield _GAP.join(
                "-" * min(width, room if place == last else width) for place, width in enumerate(widths)
            )


def _aligned(cell: str, width: int, *, is_figure: bool) -> str:
    space = " " * (width - width_of(cell))
    return space + cell if is_figure else cell + space

"""A document as one HTML file: no scripts, no links, nothing that is loaded from anywhere.

Rule: whatever stands in a text is escaped, and the page forbids by its policy what could slip through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from maestri.report.closeout.document import Block, Document, Paragraph, Points, Table, Verbatim, spans
from maestri.report.wording import clean, one_line

_STYLE = """\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem;border-bottom:1px solid #8886}
table{border-collapse:collapse;margin:.5rem 0;display:block;overflow-x:auto}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8883}
.figure{text-align:right;font-variant-numeric:tabular-nums}
code,pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;background:#8882;border-radius:4px}
code{padding:.1em .3em;overflow-wrap:anywhere}pre{padding:.75rem;overflow-x:auto}"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def as_html(document: Document) -> str:
    """Return a document as a whole HTML file."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(one_line(document.title))}</title>"
    yield f"<style>\n{_STYLE}\n</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>{_inline(document.title)}</h1>"
    yield "<table>"
    for name, value in document.facts:
        yield f'<tr><th scope="row">{_inline(name)}</th><td>{_inline(value)}</td></tr>'
    yield "</table>"
    for section in document.sections:
        yield f"<h2>{_inline(section.title)}</h2>"
        for block in section.blocks:
            yield from _block(block)
    yield "</body>"
    yield "</html>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"<p>{_inline(block.text)}</p>"
    elif isinstance(block, Points):
        yield "<ul>"
        yield from (f"<li>{_inline(item)}</li>" for item in block.items)
        yield "</ul>"
    elif isinstance(block, Verbatim):
        yield f"<pre>{escape(clean(block.text).rstrip(chr(10)))}</pre>"
    else:
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    yield "<table>"
    yield f"<tr>{''.join(_cells(table.heads, table.right, 'th'))}</tr>"
    for row in table.rows:
        yield f"<tr>{''.join(_cells(row, table.right, 'td'))}</tr>"
    yield "</table>"


def _cells(row: Sequence[str], right: Sequence[int], tag: str) -> Iterator[str]:
    for place, cell in enumerate(row):
        figure = ' class="figure"' if place in right else ""
        yield f"<{tag}{figure}>{_inline(cell)}</{tag}>"


def _inline(text: str) -> str:
    return "".join(
        f"<code>{escape(part)}</code>" if is_code else escape(part) for part, is_code in spans(one_line(text))
    )

"""A shape as one self-contained SVG file: no scripts, no fonts, no links, readable on light and on dark.

Rule 1: sizes follow from the texts, in a font of one width: no browser needs to measure anything.
Rule 2: every box has a title, for a pointer and for a screen reader; a state is a word, and its colour only
repeats it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from maestri.kernel import state
from maestri.records import NamedTuple
from maestri.report.diagrams.shapes import ROW, WAVES, Edge, Shape, edges, waves
from maestri.report.wording import width_of

CHAR: Final = 7.3
LINE: Final = 17.0
PAD: Final = 12.0
GAP: Final = 26.0
LABEL: Final = 16.0
LOOP: Final = 22.0
BESIDE: Final = 8.0  # from an arrow to the label beside it

_CLASSES: Final = {
    state.SUCCEEDED: "good",
    state.FAILED: "bad",
    state.CANCELLED: "bad",
    state.RUNNING: "busy",
    state.BLOCKED: "wait",
    "retry": "wait",
    state.SKIPPED: "dim",
}
_STYLE = """\
.sheet{fill:#f3f5f8}
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1d232b}
.caption{fill:#5b6673}
rect{fill:#ffffff;stroke:#8794a3;rx:6px}
.scope{fill:none}
path{fill:none;stroke:#8794a3}
.back{stroke-dasharray:4 3}
.head{fill:#8794a3;stroke:none}
.good{stroke:#1f7a3d;stroke-width:2}.bad{stroke:#b3261e;stroke-width:2}
.busy{stroke:#1a56b0;stroke-width:2}.wait{stroke:#8a6d00;stroke-width:2}.dim{stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){
.sheet{fill:#14181d}text{fill:#e8ecf1}.caption{fill:#a9b4c0}
rect{fill:#1b2027;stroke:#6d7a88}.scope{fill:none}path{stroke:#6d7a88}.head{fill:#6d7a88;stroke:none}
.good{stroke:#6fcf8e}.bad{stroke:#ff8a80}.busy{stroke:#8ab4f8}.wait{stroke:#e3c553}}""".strip()


class Placed(NamedTuple):
    """A shape with its size, and its children with their places inside it."""

    shape: Shape
    width: float
    height: float
    children: tuple[Placed, ...] = ()
    places: tuple[tuple[float, float], ...] = ()


def svg(shape: Shape) -> str:
    """Return the text of an SVG file."""
    placed = place(shape)
    width, height = placed.width + 2 * PAD, placed.height + 2 * PAD
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
    )
    marker = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    sheet = f'<path class="sheet" stroke="none" d="M0 0H{width:.0f}V{height:.0f}H0z"/>'
    title = f"<title>{escape(shape.name)}</title>"
    return "\n".join(
        [head, title, f"<style>{_STYLE}</style>", marker, sheet, *_draw(placed, PAD, PAD), "</svg>\n"]
    )


# --- sizes ------------------------------------------------------------------------------------------


def place(shape: Shape) -> Placed:
    """Return a shape with sizes and places; nothing overlaps, and a child lies inside its parent."""
    own_width = PAD * 2 + CHAR * max(width_of(shape.name), width_of(shape.caption))
    own_height = PAD + LINE * (2 if shape.caption else 1)
    if not shape.children:
        return Placed(shape, own_width, own_height + PAD / 2)
    children = tuple(place(child) for child in shape.children)
    rows = _rows(shape)
    reached = {edge.end for edge in edges(shape)}
    widths = [_outer_width(child, is_reached=i in reached) for i, child in enumerate(children)]
    inner_width = max(sum(widths[i] for i in row) + GAP * (len(row) - 1) for row in rows)
    width = max(
        own_width, inner_width + 2 * PAD + (LOOP + CHAR * width_of(shape.repeats) if shape.repeats else 0)
    )
    places: dict[int, tuple[float, float]] = {}
    y = own_height + PAD / 2
    for row in rows:
        y += max(_label_height(children[i]) for i in row)
        x = PAD
        for i in row:
            places[i] = (x, y)
            x += widths[i] + GAP
        y += max(children[i].height for i in row) + GAP
    return Placed(shape, width, y - GAP + PAD, children, tuple(places[i] for i in range(len(children))))


def _rows(shape: Shape) -> list[list[int]]:
    if shape.layout == WAVES:
        return waves(shape.children)
    everything = list(range(len(shape.children)))
    return [everything] if shape.layout == ROW else [[i] for i in everything]


def _outer_width(placed: Placed, *, is_reached: bool) -> float:
    label = placed.shape.label
    return max(placed.width, CHAR * width_of(label) + (_arrow_left(placed) + BESIDE if is_reached else 0.0))


def _arrow_left(placed: Placed) -> float:
    """Return where arrows begin and end, from the left of a box."""
    return min(placed.width / 2, 60)


def _label_height(placed: Placed) -> float:
    return LABEL if placed.shape.label else 0.0


# --- drawing ----------------------------------------------------------------------------------------


def _draw(placed: Placed, x: float, y: float, label_left: float = 0.0) -> Iterator[str]:
    shape = placed.shape
    words = " scope" if placed.children else ""
    kind = _CLASSES.get(shape.state, "")
    caption = shape.caption
    title = escape(f"{shape.name}: {caption}" if caption else shape.name)
    yield f"<g><title>{title}</title>"
    if shape.label:
        yield _text(shape.label, x + label_left, y - 5, "caption")
    box = f'x="{x:.1f}" y="{y:.1f}" width="{placed.width:.1f}" height="{placed.height:.1f}"'
    yield f'<rect class="{(kind + words).strip()}" {box}/>'
    yield _text(shape.name, x + PAD, y + PAD + LINE / 2, "")
    if caption:
        yield _text(caption, x + PAD, y + PAD + LINE * 1.5, "caption")
    yield from _arrows(placed, x, y)
    reached = {edge.end for edge in edges(shape)}
    for i, (child, (left, top)) in enumerate(zip(placed.children, placed.places, strict=True)):
        # A label must not stand on the arrow that it is about.
        yield from _draw(child, x + left, y + top, _arrow_left(child) + BESIDE if i in reached else 0.0)
    yield "</g>"


def _text(text: str, x: float, y: float, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _arrows(placed: Placed, x: float, y: float) -> Iterator[str]:
    for edge in edges(placed.shape):
        yield _arrow(placed, edge, x, y)
    repeats = placed.shape.repeats
    if repeats and placed.children:
        yield from _back(placed, repeats, x, y)


def _arrow(placed: Placed, edge: Edge, x: float, y: float) -> str:
    begin, end = placed.children[edge.begin], placed.children[edge.end]
    (left, top), (to_left, to_top) = placed.places[edge.begin], placed.places[edge.end]
    start_x, start_y = x + left + _arrow_left(begin), y + top + begin.height
    end_x, end_y = x + to_left + _arrow_left(end), y + to_top
    # Past the higher boxes of its row an arrow goes straight down, so that it crosses none of them.
    beside = zip(placed.children, placed.places, strict=True)
    below = y + max(at + child.height for child, (_, at) in beside if at == top)
    down = f"V{below:.1f}" if start_y < below < end_y else ""
    bend_y = below if down else start_y
    bend = (end_y - bend_y) / 2
    curve = (
        f"M{start_x:.1f} {start_y:.1f}{down}C{start_x:.1f} {bend_y + bend:.1f} {end_x:.1f} {end_y - bend:.1f}"
    )
    return f'<path d="{curve} {end_x:.1f} {end_y:.1f}" marker-end="url(#head)"/>'


def _back(placed: Placed, words: str, x: float, y: float) -> Iterator[str]:
    last, first = placed.children[-1], placed.children[0]
    (left, top), (to_left, to_top) = placed.places[-1], placed.places[0]
    right = x + max(at + child.width for child, (at, _) in zip(placed.children, placed.places, strict=True))
    begin_y, end_y = y + top + last.height / 2, y + to_top + min(first.height, 2 * PAD) / 2
    if len(placed.children) == 1:
        begin_y = y + top + last.height - 6
    turn = right + LOOP / 2
    curve = (
        f"M{x + left + last.width:.1f} {begin_y:.1f}H{turn:.1f}V{end_y:.1f}H{x + to_left + first.width:.1f}"
    )
    yield f'<path class="back" d="{curve}" marker-end="url(#head)"/>'
    yield _text(words, turn + 4, (begin_y + end_y) / 2 + 4, "caption")

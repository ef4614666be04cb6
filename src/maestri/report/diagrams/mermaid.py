"""A shape as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from maestri.kernel import state
from maestri.report.diagrams.shapes import ROW, Edge, Shape, edges

_COLORS = {
    state.SUCCEEDED: "fill:#d7f0dd,stroke:#1f7a3d,color:#0b2e17",
    state.FAILED: "fill:#fbdcdc,stroke:#b3261e,color:#410e0b",
    state.CANCELLED: "fill:#fbe7d3,stroke:#a15c07,color:#3d2300",
    state.RUNNING: "fill:#dbe8fd,stroke:#1a56b0,color:#0a2147",
    state.BLOCKED: "fill:#fdf3cf,stroke:#8a6d00,color:#332800",
    state.SKIPPED: "fill:#eeeeee,stroke:#777777,color:#333333",
}
# Mermaid's own escapes; a backtick at the beginning would start Markdown.
_ESCAPES = str.maketrans(
    {'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "|": "#124;"}
)


def mermaid(shape: Shape) -> str:
    """Return the text of a Mermaid flowchart."""
    writer = _Writer()
    writer.children(shape, "root", 1)
    styles = [f"  classDef {word} {color}" for word, color in _COLORS.items() if word in writer.states]
    return "\n".join([f"%% {shape.name}", "flowchart TD", *writer.lines, *styles]) + "\n"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


class _Writer:
    """Collects lines; every box gets a number, so that no name can be read as syntax."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.states: set[str] = set()
        self._numbers = count(1)

    def children(self, shape: Shape, _own: str, depth: int) -> None:
        names = [self._shape(child, depth) for child in shape.children]
        self.lines += ["  " * depth + arrow for arrow in _arrows(shape, names)]

    def _shape(self, shape: Shape, depth: int) -> str:
        name = f"s{next(self._numbers)}"
        pad = "  " * depth
        caption = f"<br/>{_escaped(shape.caption)}" if shape.caption else ""
        label = f'"{_escaped(shape.name)}{caption}"'
        if shape.children:
            self.lines.append(f"{pad}subgraph {name}[{label}]")
            self.lines.append(f"{pad}  direction {'LR' if shape.layout == ROW else 'TB'}")
            self.children(shape, name, depth + 1)
            self.lines.append(f"{pad}end")
        else:
            self.lines.append(f"{pad}{name}[{label}]")
        if shape.label:
            self.lines.append(f'{pad}{name}w(["{_escaped(shape.label)}"]) -.-> {name}')
        if shape.state in _COLORS:
            self.states.add(shape.state)
            self.lines.append(f"{pad}class {name} {shape.state}")
        return name


def _arrows(shape: Shape, names: list[str]) -> Iterator[str]:
    for edge in edges(shape):
        yield _arrow(names, edge)
    if shape.repeats and names:
        yield f'{names[-1]} -. "{_escaped(shape.repeats)}" .-> {names[0]}'


def _arrow(names: list[str], edge: Edge) -> str:
    return f"{names[edge.begin]} --> {names[edge.end]}"

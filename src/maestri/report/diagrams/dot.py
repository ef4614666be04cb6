"""A shape as a Graphviz graph."""

from __future__ import annotations

from itertools import count

from maestri.kernel import state
from maestri.records import NamedTuple
from maestri.report.diagrams.shapes import Shape, edges

_COLORS = {
    state.SUCCEEDED: "#1f7a3d",
    state.FAILED: "#b3261e",
    state.CANCELLED: "#a15c07",
    state.RUNNING: "#1a56b0",
    state.BLOCKED: "#8a6d00",
    state.SKIPPED: "#777777",
}


class _Drawn(NamedTuple):
    """Where arrows begin and end: they need a box inside a cluster, and are cut at its border."""

    first: str
    last: str
    cluster: str


def dot(shape: Shape) -> str:
    """Return the text of a Graphviz graph."""
    writer = _Writer()
    head = [
        f"digraph {_quoted(shape.name)} {{",
        "  compound=true; rankdir=TB;",
        '  node [shape=box, style=rounded, fontname="monospace"];',
        '  graph [fontname="monospace", style=rounded];',
    ]
    writer.children(shape, 1)
    return "\n".join([*head, *writer.lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _label(shape: Shape) -> str:
    parts = [part for part in (shape.name, shape.caption, shape.label) if part]
    return '"' + "\\n".join(_quoted(part)[1:-1] for part in parts) + '"'


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._numbers = count(1)

    def children(self, shape: Shape, depth: int) -> list[_Drawn]:
        drawn = [self._shape(child, depth) for child in shape.children]
        pad = "  " * depth
        for edge in edges(shape):
            self.lines.append(pad + _arrow(drawn[edge.begin], drawn[edge.end], ""))
        if shape.repeats and drawn:
            label = f", label={_quoted(shape.repeats)}, style=dashed, constraint=false"
            self.lines.append(pad + _arrow(drawn[-1], drawn[0], label))
        return drawn

    def _shape(self, shape: Shape, depth: int) -> _Drawn:
        name = f"s{next(self._numbers)}"
        pad = "  " * depth
        color = f', color="{_COLORS[shape.state]}"' if shape.state in _COLORS else ""
        if not shape.children:
            self.lines.append(f"{pad}{name} [label={_label(shape)}{color}];")
            return _Drawn(name, name, "")
        self.lines += [f"{pad}subgraph cluster_{name} {{", f"{pad}  label={_label(shape)};{color[1:]}"]
        drawn = self.children(shape, depth + 1)
        self.lines.append(f"{pad}}}")
        return _Drawn(drawn[0].first, drawn[-1].last, f"cluster_{name}")


def _arrow(begin: _Drawn, end: _Drawn, more: str) -> str:
    ends = "".join(
        f", {key}={cluster}" for key, cluster in (("ltail", begin.cluster), ("lhead", end.cluster)) if cluster
    )
    options = f"{ends}{more}".removeprefix(", ")
    return f"{begin.last} -> {end.first}" + (f" [{options}];" if options else ";")

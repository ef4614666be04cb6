"""What a diagram shows: boxes in boxes, each with a layout; the same for a definition and for a run.

Rule 1: a shape's texts are harmless single lines already; a writer escapes them for its format only.
Rule 2: waves are a view of `needs`; they say nothing about when a step starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from maestri.lang.model import (
    AgentDef,
    ArmDef,
    AskDef,
    BodyDef,
    CallDef,
    Dynamic,
    Fixed,
    OptionDef,
    PatternDef,
    PredicateDef,
    RunDef,
    StepDef,
    Templated,
    WaitDef,
    WorkflowDef,
    WorkflowRef,
)
from maestri.report.wording import cut, duration, one_line

COLUMN, ROW, WAVES = "column", "row", "waves"
DETAIL_CHARS: Final = 44
SIDE_BY_SIDE: Final = frozenset({"parallel", "each", "graph", "race", "compete", "streams", "branch"})


class Shape(NamedTuple):
    """A box. `label` stands on the way to it, `repeats` on the way back from its end to its beginning."""

    name: str
    kind: str = ""
    detail: str = ""
    children: tuple[Shape, ...] = ()
    layout: str = COLUMN
    label: str = ""
    needs: tuple[str, ...] = ()
    repeats: str = ""
    state: str = ""
    remark: str = ""

    @property
    def caption(self) -> str:
        """The second line of the box: kind, detail, state and time, as far as there are any."""
        parts = (self.kind, self.detail, self.state, self.remark)
        return " · ".join(part for part in parts if part)


class Edge(NamedTuple):
    """An arrow between two children of a shape, by their places."""

    begin: int
    end: int
    label: str = ""


def edges(shape: Shape) -> list[Edge]:
    """Return the arrows between the children of a shape."""
    children = shape.children
    if shape.layout == COLUMN:
        return [Edge(i, i + 1) for i in range(len(children) - 1)]
    if shape.layout == ROW:
        return []
    places = {child.name: i for i, child in enumerate(children)}
    return [
        Edge(places[need], i) for i, child in enumerate(children) for need in child.needs if need in places
    ]


def waves(children: Sequence[Shape]) -> list[list[int]]:
    """Return the places of a graph's steps, grouped by how many needs lie one after the other before them."""
    places = {child.name: i for i, child in enumerate(children)}
    depth = dict.fromkeys(range(len(children)), 0)
    # Each pass moves a step below its needs; without a cycle no more passes than steps change anything.
    for _ in children:
        moved = False
        for i, child in enumerate(children):
            wanted = max((depth[places[need]] + 1 for need in child.needs if need in places), default=0)
            if wanted > depth[i]:
                depth[i], moved = wanted, True
        if not moved:
            break
    found: dict[int, list[int]] = {}
    for i, level in depth.items():
        found.setdefault(level, []).append(i)
    return [found[level] for level in sorted(found)]


# --- of a definition --------------------------------------------------------------------------------


def of_definition(model: WorkflowDef) -> Shape:
    """Return the shape of a definition."""
    return Shape(short(model.name), "workflow", short(model.description), _steps(model.steps))


def _steps(body: BodyDef) -> tuple[Shape, ...]:
    return tuple(_step(step) for step in body.steps)


def _step(step: StepDef) -> Shape:
    action = step.action
    label = f"when {_said(step.when)}" if step.when is not None else ""
    needs = tuple(need.text for need in step.needs)
    if not isinstance(action, PatternDef):
        return Shape(step.name, step.verb, _detail(action), label=label, needs=needs)
    children, layout = _inside(action)
    return Shape(step.name, step.verb, _target(action), children, layout, label, needs, _repeats(action))


def _detail(action: RunDef | CallDef | AgentDef | AskDef | WaitDef) -> str:
    if isinstance(action, RunDef):
        command = action.command
        words = command if isinstance(command, str) else " ".join(_words(item) for item in command.items)
        return short(words)
    if isinstance(action, CallDef):
        return short(action.function)
    if isinstance(action, AgentDef):
        return short(action.agent)
    if isinstance(action, AskDef):
        return short(_words(action.question))
    return short(f"signal {action.signal}" if action.signal else duration(action.delay_s or 0.0))


def _inside(action: PatternDef) -> tuple[tuple[Shape, ...], str]:
    """Return what lies in a pattern, and how: its one body opened out, or its bodies as boxes."""
    found: list[Shape] = []
    layout = ROW if action.spec.keyword in SIDE_BY_SIDE else COLUMN
    bodies = [(name, value) for name, value in action.options.items() if isinstance(value, BodyDef)]
    for name, value in action.options.items():
        if isinstance(value, BodyDef):
            found += _steps(value) if len(bodies) == 1 else (_box(name, value),)
            layout = COLUMN
        elif isinstance(value, Mapping):
            found += _named(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], StepDef):
            found += (_step(step) for step in value if isinstance(step, StepDef))
            layout = WAVES
    return tuple(found), layout


def _named(bodies: Mapping[str, BodyDef] | Mapping[str, ArmDef]) -> list[Shape]:
    return [
        _arm(name, body) if isinstance(body, ArmDef) else _box(name, body) for name, body in bodies.items()
    ]


def _box(name: str, body: BodyDef) -> Shape:
    if body.is_single and len(body.steps) == 1:
        return _step(body.steps[0])._replace(name=name)
    return Shape(name, "steps", children=_steps(body))


def _arm(name: str, arm: ArmDef) -> Shape:
    label = f"when {short(_words(arm.when))}" if arm.when is not None else "otherwise"
    return _box(name, arm.body)._replace(label=label)


def _repeats(action: PatternDef) -> str:
    for key in ("until", "while"):
        value = action.options.get(key)
        if isinstance(value, PredicateDef):
            return f"{key} {_said(value)}"
    if action.spec.keyword == "each":
        return f"each of {_option(action.options.get('items'))}"
    return "again" if action.spec.keyword == "loop" else ""


def _option(value: OptionDef | None) -> str:
    return short(_words(value)) if isinstance(value, Fixed | Templated) else "a list"


def _target(action: PatternDef) -> str:
    for value in action.options.values():
        if isinstance(value, WorkflowRef):
            return short(value.target)
    return ""


def _said(predicate: PredicateDef) -> str:
    return short(_words(predicate.value))


def _words(value: Dynamic) -> str:
    if isinstance(value, Templated):
        return value.scalar.text
    return str(value.value) if isinstance(value, Fixed) else "…"


def short(text: str) -> str:
    """Return a text as the harmless, short line that a box has room for."""
    return cut(one_line(text), DETAIL_CHARS)

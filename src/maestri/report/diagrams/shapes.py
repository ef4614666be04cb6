"""What a diagram shows: boxes in boxes, each with a layout; the same for a definition and for a run.

Rule 1: a shape's texts are harmless single lines already; a writer escapes them for its format only.
Rule 2: waves are a view of `needs`; they say nothing about when a step starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

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
    PhaseDef,
    PredicateDef,
    RunDef,
    StepDef,
    SyncDef,
    Templated,
    WaitDef,
    WorkflowDef,
    WorkflowRef,
)
from maestri.records import NamedTuple
from maestri.report.stated import stated
from maestri.report.wording import cut, duration, one_line

COLUMN, ROW, WAVES = "column", "row", "waves"
DETAIL_CHARS: Final = 44
_GROUPED: Final = frozenset({"review", "scout", "streams", "compete"})
_NOTED: Final = frozenset({"requires", "reads", "delivers", "handoff", "estimate"})
SIDE_BY_SIDE: Final = frozenset({"parallel", "each", "graph", "race", "vote", "compete", "streams", "branch"})


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
    if step.reason:
        label = f"{label} · {short(step.reason)}" if label else short(step.reason)
    if not isinstance(action, PatternDef):
        return Shape(step.name, step.verb, _noted(step, _detail(action)), label=label, needs=needs)
    children, layout = _inside(action)
    detail = _noted(step, _target(action))
    return Shape(step.name, step.verb, detail, children, layout, label, needs, _repeats(action))


def _noted(step: StepDef, detail: str) -> str:
    """Return the detail of a box with the files that the step needs and gives, and what it is to take."""
    shown = [f"{key} {short(text)}" for key, text in stated(step) if key in _NOTED]
    shown += ["undo " + ", ".join(one.verb for one in step.undo.steps)] if step.undo is not None else []
    return " · ".join(part for part in (detail, *shown) if part)


def _detail(action: RunDef | CallDef | AgentDef | AskDef | WaitDef | SyncDef) -> str:
    if isinstance(action, SyncDef):
        return short(action.point)
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
    if action.spec.keyword in _GROUPED:
        return _groups(action)
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
            layout = COLUMN if action.spec.keyword == "saga" else WAVES
    return tuple(found), layout


def _groups(action: PatternDef) -> tuple[tuple[Shape, ...], str]:
    """Return the bodies of a pattern of which some run at once, and others before or after them."""
    found: list[Shape] = []
    streams = action.options.get("branches")
    names = tuple(streams) if isinstance(streams, Mapping) else ()
    for name, value in action.options.items():
        if isinstance(value, BodyDef):
            found.append(_box(name, value)._replace(needs=names))
        elif isinstance(value, Mapping):
            found += _named(value) if names else (Shape(name, children=tuple(_named(value)), layout=ROW),)
    return tuple(found), WAVES if names else COLUMN


def _named(bodies: Mapping[str, BodyDef] | Mapping[str, ArmDef] | Mapping[str, PhaseDef]) -> list[Shape]:
    return [_one_of(name, body) for name, body in bodies.items()]


def _one_of(name: str, body: BodyDef | ArmDef | PhaseDef) -> Shape:
    if isinstance(body, ArmDef):
        return _arm(name, body)
    return _phase(name, body) if isinstance(body, PhaseDef) else _box(name, body)


def _phase(name: str, phase: PhaseDef) -> Shape:
    children = [_box("steps", phase.body)]
    if isinstance(phase.validate, PredicateDef):
        children.append(Shape("validate", detail=_said(phase.validate)))
    elif phase.validate is not None:
        children.append(_box("validate", phase.validate))
    repeats = "" if phase.on_invalid == "stop" else f"{phase.on_invalid} until it passes"
    return Shape(name, "phase", children=tuple(children), repeats=repeats)


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
    if action.spec.keyword == "review":
        return "until it is approved"
    return "again" if action.spec.keyword in {"loop", "repair"} else ""


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

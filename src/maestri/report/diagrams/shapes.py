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
    EmitDef,
    ExpressionDef,
    Fixed,
    Listing,
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
_GROUPED: Final = frozenset({"review", "scout", "streams", "supervise", "compete"})
_HANDLING: Final = frozenset({"route", "on"})
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


def _detail(action: RunDef | CallDef | AgentDef | AskDef | WaitDef | EmitDef | SyncDef) -> str:
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
    if isinstance(action, EmitDef):
        return short(action.event)
    if action.until is not None:
        return short(f"until {_words(action.until)}")
    return short(f"signal {action.signal}" if action.signal else duration(action.delay_s or 0.0))


def _inside(action: PatternDef) -> tuple[tuple[Shape, ...], str]:
    """Return what lies in a pattern, and how: its one body opened out, or its bodies as boxes."""
    if action.spec.keyword == "fallback":
        return _ways(action), COLUMN
    if action.spec.keyword in _GROUPED:
        return _groups(action)
    if action.spec.keyword in _HANDLING:
        return _handlers(action), ROW
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


def _ways(action: PatternDef) -> tuple[Shape, ...]:
    """Return the branches of which each is tried when the one before it has failed."""
    branches = action.options.get("branches")
    found = _named(branches) if isinstance(branches, Mapping) else []
    return tuple(one._replace(label="if that fails" if n else "") for n, one in enumerate(found))


def _handlers(action: PatternDef) -> tuple[Shape, ...]:
    """Return the handlers of events, with the one that takes all others."""
    handlers, otherwise = action.options.get("handlers"), action.options.get("otherwise")
    found = _named(handlers) if isinstance(handlers, Mapping) else []
    return (*found, _box("otherwise", otherwise)) if isinstance(otherwise, BodyDef) else tuple(found)


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
    for key in ("until", "while") if action.spec.keyword != "on" else ():
        value = action.options.get(key)
        if isinstance(value, PredicateDef):
            return f"{key} {_said(value)}"
    if action.spec.keyword == "each":
        return f"each of {_option(action.options.get('items'))}"
    if action.spec.keyword == "review":
        return "until it is approved"
    return "again" if action.spec.keyword in {"loop", "repair", "supervise"} else ""


def _option(value: OptionDef | None) -> str:
    return short(_words(value)) if isinstance(value, Fixed | Templated) else "a list"


# What of its options says how a pattern ends, or what it is about.
_TOLD: Final[Mapping[str, tuple[str, ...]]] = {
    "parallel": ("join", "max_concurrent"),
    "race": ("accept",),
    "vote": ("policy", "by"),
    "review": ("policy",),
    "compete": ("criteria",),
    "route": ("event",),
    "on": ("until", "max_events", "timeout"),
    "land": ("branches", "into"),
}


def _target(action: PatternDef) -> str:
    """Return what a pattern calls, or what it is told, where the boxes in it do not show that."""
    for value in action.options.values():
        if isinstance(value, WorkflowRef):
            return short(value.target)
    told = [(key, action.options.get(key)) for key in _TOLD.get(action.spec.keyword, ())]
    return short(", ".join(f"{key} {_told(value)}" for key, value in told if value is not None))


def _told(value: OptionDef) -> str:
    if isinstance(value, PredicateDef | ExpressionDef):
        return _words(value.value)
    if isinstance(value, Listing):
        return " ".join(map(_words, value.items))
    return _words(value) if isinstance(value, Fixed | Templated) else "…"


def _said(predicate: PredicateDef) -> str:
    return short(_words(predicate.value))


def _words(value: Dynamic) -> str:
    if isinstance(value, Templated):
        return value.scalar.text
    return str(value.value) if isinstance(value, Fixed) else "…"


def short(text: str) -> str:
    """Return a text as the harmless, short line that a box has room for."""
    return cut(one_line(text), DETAIL_CHARS)

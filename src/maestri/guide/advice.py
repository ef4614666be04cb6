"""What a definition shows about its patterns: those that fit, and those that would fit better.

Rule 1: every advice names what it has seen, with the lines, and what to write instead.
Rule 2: one rule is one function over one place; the tables at the end of the rule files are all there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maestri.lang.model import ArmDef, BodyDef, OptionDef, PatternDef, PhaseDef, StepDef, WorkflowDef
from maestri.records import NamedTuple


class Seen(NamedTuple):
    """A step that an advice is about."""

    name: str
    line: int
    what: str


class Advice(NamedTuple):
    """One finding. `habit` names it; `pattern` is what fits; an advice without `fix` says that it fits."""

    habit: str
    pattern: str
    where: str
    says: str
    because: str
    seen: tuple[Seen, ...]
    fix: str = ""
    example: str = ""

    @property
    def is_praise(self) -> bool:
        """Whether nothing is to be changed."""
        return not self.fix


class Place(NamedTuple):
    """A body with its steps in order, or the step of a pattern; `path` is where it is in the definition."""

    path: str
    body: BodyDef | None
    step: StepDef | None
    model: WorkflowDef


def seen(step: StepDef) -> Seen:
    """Return a step as what an advice has seen."""
    return Seen(step.name, step.span.line, step.verb)


def named(steps: Sequence[StepDef]) -> str:
    """Return the names of some steps as a phrase."""
    words = [f"`{step.name}`" for step in steps]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def places(model: WorkflowDef) -> Iterator[Place]:
    """Yield each body and each pattern of a definition, with those of the workflows in its file."""
    yield from _of_body("", model.steps, model)
    for name, inner in model.workflows.items():
        yield from _of_body(f"{name}:", inner.steps, model)


def _of_body(path: str, body: BodyDef, model: WorkflowDef) -> Iterator[Place]:
    if not body.is_single:
        yield Place(path or "/", body, None, model)
    for step in body.steps:
        # A named body that is one step has the step's path already.
        yield from _of_step(path if body.is_single else f"{path}/{step.name}", step, model)


def _of_step(path: str, step: StepDef, model: WorkflowDef) -> Iterator[Place]:
    if isinstance(step.action, PatternDef):
        yield Place(path, None, step, model)
        for value in step.action.options.values():
            yield from _of_option(path, value, model)


def _of_option(path: str, value: OptionDef | Any, model: WorkflowDef) -> Iterator[Place]:
    if isinstance(value, BodyDef):
        yield from _of_body(path, value, model)
    elif isinstance(value, ArmDef | PhaseDef):
        yield from _of_body(path, value.body, model)
    elif isinstance(value, StepDef):
        yield from _of_step(f"{path}/{value.name}", value, model)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _of_option(f"{path}/{name}", inner, model)
    elif isinstance(value, tuple) and value and isinstance(value[0], StepDef):
        for inner in value:
            yield from _of_option(path, inner, model)

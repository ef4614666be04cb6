"""Plays a twin in one of its forms, and says what of its journal must be the same in both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, TypeAlias

from tests.same.twins import Twin

from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.clock import VirtualClock
from maestri.kernel.events import Stored
from maestri.kernel.ports import Engine
from maestri.kernel.runner import Definition
from maestri.lang.compile import compile_workflow
from maestri.lang.model import WorkflowDef, WorkflowRef
from maestri.patterns._registry import Workflow
from maestri.project import Project
from maestri.testing import ScriptedAgent
from maestri.testing.play import Stage

Form: TypeAlias = Literal["yaml", "python"]
FORMS: tuple[Form, Form] = ("yaml", "python")
OTHER: Mapping[Form, Form] = {"yaml": "python", "python": "yaml"}
_FILE = "/flow/twin.yaml"


def compiled(text: str) -> Workflow:
    """Return a YAML text as a workflow function; it must be without findings."""
    library = Project().library().of_texts({_FILE: text})
    definition, findings = library.open(_FILE, "twin.yaml")
    assert definition is not None, findings
    assert [found.text() for found in library.check(definition)] == []

    def target(ref: WorkflowRef, inside: WorkflowDef) -> Workflow:
        found = library.resolve(ref, inside)
        assert isinstance(found, WorkflowDef)
        return compile_workflow(found, target)

    return compile_workflow(definition, target)


def definition_of(twin: Twin, form: Form) -> Definition:
    """Return one form of a twin as the runner takes it."""
    if form == "yaml":
        return Definition("twin", compiled(twin.yaml), {})
    python: Callable[..., Awaitable[Any]] = twin.python
    return Definition("twin", lambda ctx, inputs: python(ctx, **inputs), {})


class Playing(Stage):
    """A run of a twin: played in one form, cut off, resumed in the other."""

    def __init__(self, twin: Twin, form: Form, engine: Engine | None = None) -> None:
        """Begin without a run."""
        self.twin = twin
        self.asked = ScriptedAgent(dict(twin.answers))
        super().__init__(twin.python, twin.inputs, agent=self.asked, engine=engine, clock=VirtualClock())
        self.definition = definition_of(twin, form)

    def crashed(self, events: int, form: Form) -> Playing:
        """Return a playing of another form whose run has only the first events of this one."""
        other = Playing(self.twin, form)
        other.engine = self.cut(events).engine
        return other

    def finished(self) -> set[str]:
        """Return the paths of the steps that are done, as far as they are on record."""
        return {event.path for event in self.events if event.kind == ev.SUCCEEDED}


def facts(events: list[Stored]) -> Counter[tuple[str, int, str, str]]:
    """Return what two journals must have in common: path, kind, digest and output of each event.

    Left out: places in source files, times, and what tells of the process (its resumes).
    """
    kept = [event for event in events if event.kind not in {ev.RUN_STARTED, ev.RUN_RESUMED}]
    return Counter((event.path, event.kind, event.digest, _output(event)) for event in kept)


def _output(event: Stored) -> str:
    words = (
        "output",
        "value",
        "reason",
        "failed",
        "handled",
        "because",
        "pattern",
        "total",
        "remark",
        "attempt",
    )
    found = {word: event.body[word] for word in words if word in event.body}
    if event.kind == ev.DECIDED and isinstance(found["value"], float):
        found["value"] = "a time"
    if "failure" in event.body:
        failure = event.body["failure"]
        found["failure"] = [failure["code"], failure["message"], failure.get("path")]
    return codec.encode(found)

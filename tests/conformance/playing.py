"""Plays the cases of the constructs: whole, cut off, cancelled, and nested in and around one another."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from textwrap import indent
from typing import Any, NamedTuple

from tests.conformance.case import Case
from tests.same.playing import compiled

from maestri.kernel import events as ev
from maestri.kernel.clock import VirtualClock
from maestri.kernel.ports import Answer, Attempt, Engine, Task
from maestri.kernel.runner import Definition, Ended, Execution
from maestri.lang.load import load
from maestri.lang.tree import to_json
from maestri.testing import ScriptedAgent
from maestri.testing.play import Stage

FOLDER = Path(__file__).parent / "constructs"
LIMIT_S = 30  # of the step around a construct, where one is wanted
INSIDE = "inside"  # the name of the steps around a construct that stands in another
GATE = "gate"  # the name of every step that asks a person in what the kit nests


def cases() -> list[Case]:
    """Return the cases of all constructs, by the names of their files."""
    names = sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))
    return [importlib.import_module(f"tests.conformance.constructs.{name}").CASE for name in names]


# --- who answers ----------------------------------------------------------------------------------


class Crew:
    """Answers by a script, counts how many are at work at once, and may do something in a given call."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        """Take answers by path below the workflow; they also hold wherever that is nested."""
        self.script = ScriptedAgent({f"*{path}": answer for path, answer in answers.items()} | {"*": "x"})
        self.at_work = 0
        self.most = 0
        self.calls = 0
        self.stop_at: int | None = None
        self.hang_at: int | None = None
        self.stage: Stage | None = None

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Answer, two turns of the loop later."""
        self.calls += 1
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            if self.calls == self.stop_at and self.stage is not None:
                await self.stage.execution.cancel()
                await asyncio.Event().wait()
            if self.hang_at is not None and self.calls >= self.hang_at:
                await asyncio.Event().wait()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return await self.script.perform(task, attempt)
        finally:
            self.at_work -= 1

    async def close(self) -> None:
        """Hold nothing."""


class Played(Stage):
    """A run of a workflow in YAML or Python, with the crew that works for it."""

    def __init__(
        self, flow: Any, answers: Mapping[str, Any], engine: Engine | None = None, process: int = 0
    ) -> None:
        """Begin without a run; a text is YAML. Each `process` counts its messages from its own thousand."""
        self.crew = Crew(answers)
        self._answers = answers
        if isinstance(flow, str):
            body = compiled(flow)
        else:

            def body(ctx: Any, _inputs: Any) -> Any:
                return flow(ctx)

        super().__init__(body, {}, agent=self.crew, engine=engine, clock=VirtualClock())
        self.definition = Definition("twin", body, {})
        self._messages = count(1000 * process)
        self.crew.stage = self

    def crashed(self, events: int, other: Any | None = None) -> Played:
        """Return a playing (of another form) whose run has only the first events of this one."""
        made = Played.__new__(Played)
        made.__dict__.update(self.cut(events).__dict__)
        made.crew = Crew(self._answers)
        made.crew.stage = made
        made._agent = made.crew
        if other is not None:
            made.definition = other.definition
        return made

    def outputs(self, ending: str) -> list[Any]:
        """Return what steps and scopes gave whose path ends so; paths in it begin behind `/inside`."""
        ended = [e for e in self.events if e.kind in {ev.SUCCEEDED, ev.SEALED} and e.path.endswith(ending)]
        around = [event.path[: event.path.rindex(f"/{INSIDE}/")] + f"/{INSIDE}" for event in ended]
        texts = [json.dumps(event.body["output"]) for event in ended]
        return [json.loads(text.replace(path, "")) for text, path in zip(texts, around, strict=True)]

    def finished(self) -> set[str]:
        """Return the paths of the steps that are done, as far as they are on record."""
        return {event.path for event in self.events if event.kind == ev.SUCCEEDED}

    def closed_after(self, begin: Callable[[], Awaitable[Execution]]) -> Ended:
        """Begin or go on in a process of its own, so to say: the engine is closed afterwards."""

        async def scenario() -> Ended:
            try:
                return await (await begin()).wait()
            finally:
                await self.engine.close()

        return asyncio.run(scenario())

    def to_end(self, ended: Ended, value: Any) -> Ended:
        """Resume until the run has ended, giving every person's answer on the way."""
        for _ in range(20):
            if ended.status != "waiting":
                break
            for path in ended.waiting:
                self.post("answer", path=path, value=value)
            ended = self.resume()
        return ended


# --- texts ----------------------------------------------------------------------------------------


def workflow(steps: str, workflows: str = "") -> str:
    """Return steps as a whole workflow, with the workflows that they call."""
    return "workflow: twin\nsteps:\n" + indent(steps.strip("\n") + "\n", "  ") + workflows.lstrip("\n")


# What stands before the steps, and how far they are indented.
_IN = {
    "time limit": (f"n:\n  timeout: {LIMIT_S}s\n  steps:\n", 4),
    "steps": ("n:\n  steps:\n", 4),
    "parallel": ("n:\n  parallel:\n    branches:\n      side: {run: side}\n      x:\n        steps:\n", 10),
    "each": ("n:\n  each:\n    items: [1, 2]\n    join: all\n    steps:\n", 6),
    "loop": ("n:\n  loop:\n    max_rounds: 2\n    steps:\n", 6),
    "saga": (
        "n:\n  saga:\n    steps:\n      pre: {run: pre, undo: {run: undo}}\n      x:\n        steps:\n",
        10,
    ),
}


def nested_in(outer: str, case: Case) -> str:
    """Return a workflow in which the steps stand inside another construct, as the step `n`."""
    steps = case.yaml.strip("\n") + "\n"
    if outer == "workflow":
        others = case.workflows.strip("\n") or "workflows:"
        inner = others + "\n  inner:\n    steps:\n" + indent(steps, "      ")
        return workflow("n: {workflow: inner}", inner)
    before, depth = _IN[outer]
    return workflow(before + indent(steps, " " * depth), case.workflows)


INNER = {
    "parallel": "{parallel: {branches: {p: {run: p}, q: {steps: {gate: {ask: go on?}}}}}}",
    "each": "{each: {items: [1, 2], join: all, steps: {gate: {ask: go on?}}}}",
    "loop": "{loop: {max_rounds: 2, steps: {gate: {ask: go on?}}}}",
    "branch": """{steps: {l: {run: l}, b: {branch: {
        a: {when: '${l == "1"}', run: p}, c: {steps: {gate: {ask: go on?}}}}}}}""",
    "saga": "{saga: {steps: {pre: {run: pre, undo: {run: undo}}, gate: {ask: go on?}}}}",
}


def nested_around(inner: str, case: Case) -> str:
    """Return a workflow in which another construct, with gates in it, stands in a body of this one."""
    body = "{steps: {b: " + INNER[inner] + "}, output: true}"
    return workflow(case.hole.replace("BODY", body), case.hole_workflows.replace("BODY", body))


def pair(outer: Case, inner: Case) -> tuple[str, dict[str, Any]]:
    """Return a workflow in which one construct stands in a body of another, with the answers for both.

    The steps of the inner one are below `inside`; its answers come first, since the first that fits counts.
    """
    body = json.dumps({"steps": {INSIDE: {"steps": _read(inner.yaml)}}, "output": True})
    others = [_read(text) for text in (outer.hole_workflows.replace("BODY", body), inner.workflows) if text]
    merged = {name: one for section in others for name, one in section["workflows"].items()}
    answers = {f"*/{INSIDE}{path}": answer for path, answer in inner.answers.items()}
    answers |= {f"*/{INSIDE}/*": "x"} | dict(outer.hole_answers)
    text = workflow(outer.hole.replace("BODY", body))
    return (f"{text}workflows: {json.dumps(merged)}\n" if merged else text), answers


def _read(text: str) -> Any:
    loaded = load(text.strip("\n") + "\n", "part")
    assert loaded.tree is not None, loaded.diagnostics
    return to_json(loaded.tree)


class Cut(NamedTuple):
    """Where runs are cut off: all places of a short journal, about `most` of a long one."""

    events: int
    most: int

    def places(self) -> Iterator[int]:
        """Yield numbers of events."""
        step = max(1, (self.events - 1) // self.most)
        yield from range(1, self.events, step)

"""Values that steps write for later ones: `memory: {write: …}`, and `${memory.NAME}` to read them.

Rule 1: a step sees what its completed predecessors have written, and nothing else: neither what runs beside
it, nor what stands further down.
Rule 2: what is written is in the journal, in the scope of the step; a resume finds it there, also below a
scope that is sealed. A workflow that is called has a memory of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from maestri.kernel import events as ev
from maestri.kernel.context import Context
from maestri.kernel.path import is_within, join
from maestri.lang.frames import Frame
from maestri.lang.inside import steps_of
from maestri.lang.model import BodyDef, PatternDef, StepDef, WorkflowDef
from maestri.lang.scopes import MEMORY as NAME
from maestri.values import Json

RECORD: Final = "remember"


class Memory:
    """What the steps of one call of a workflow have written."""

    def __init__(self, definition: WorkflowDef, ctx: Context, frame: Frame) -> None:
        """Begin empty, in the scope `ctx`; expressions see it through `frame`."""
        self._home = ctx.path
        self._writers = _writers(definition.steps)
        self._written: dict[str, Mapping[str, Json]] = {}
        self._of_graph: dict[tuple[int, str], Mapping[str, Json]] = {}
        frame.names[NAME] = {}

    def writer(self, write: Callable[[Any], Mapping[str, Json]]) -> Callable[[Context, Any], Json]:
        """Return what gives the record of a step's values, from its scope and its output."""

        def record(scope: Context, output: Any) -> Json:
            values = dict(write(output))
            self._written[scope.path] = values
            return {"home": self._home, "values": values}

        return record

    async def after(self, ctx: Context, step: StepDef, frame: Frame) -> None:
        """Let the steps behind a step of a body see what it, and all below it, has written."""
        if id(step) in self._writers:
            found = await self._below(ctx, join(ctx.path, step.name))
            frame.names[NAME] = {**frame(NAME), **found}

    async def after_in_graph(self, ctx: Context, step: StepDef, frame: Frame) -> None:
        """Keep what a step of a graph has written for those that need it."""
        if id(step) in self._writers:
            self._of_graph[id(frame), step.name] = await self._below(ctx, join(ctx.path, step.name))

    async def behind(self, ctx: Context, paths: Iterable[str], frame: Frame) -> None:
        """Let a frame see what was written below some paths, in their order."""
        found = dict(frame(NAME))
        for path in paths:
            found |= await self._below(ctx, path)
        frame.names[NAME] = found

    def seen_in_graph(self, step: StepDef, steps: tuple[StepDef, ...], frame: Frame) -> Frame:
        """Return the frame of a step of a graph: with what those that it needs have written."""
        needed = _needed(step, steps)
        seen = dict(frame(NAME))
        for one in steps:
            if one.name in needed:
                seen |= self._of_graph.get((id(frame), one.name), {})
        return Frame({NAME: seen}, frame)

    async def _below(self, ctx: Context, path: str) -> dict[str, Json]:
        found: dict[str, Json] = {}
        if ctx.core.is_resumed:
            await self._recorded(ctx, path, found)
        for place, values in self._written.items():
            if is_within(place, path):
                found |= values
        if ctx.core.is_resumed and found:
            self._written[path] = found  # the scopes around may end before the journal shows this one
        return found

    async def _recorded(self, ctx: Context, path: str, found: dict[str, Json]) -> None:
        """Add what the journal has below a path, in the order in which it was written."""
        for event in await ctx.core.journal.settled(path):
            if not ctx.core.is_current(event):
                continue
            if event.kind == ev.DECIDED and event.name == RECORD:
                value = event.body.get("value")
                if isinstance(value, dict) and value.get("home") == self._home:
                    found |= value["values"]
            elif event.kind in ev.SCOPE_ENDS:
                await self._recorded(ctx, event.path, found)


def _needed(step: StepDef, steps: Iterable[StepDef]) -> set[str]:
    by_name = {one.name: one for one in steps}
    found: set[str] = set()
    waiting = [need.text for need in step.needs]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found.add(name)
            waiting += [need.text for need in by_name[name].needs]
    return found


def _writers(body: BodyDef) -> set[int]:
    """Return the ids of the steps that write, or that hold one that does."""
    found: set[int] = set()
    for step in body.steps:
        _note(step, found)
    return found


def _note(step: StepDef, found: set[int]) -> bool:
    writes = step.properties is not None and step.properties.memory is not None
    if isinstance(step.action, PatternDef):
        for inner in [one for value in step.action.options.values() for one in steps_of(value)]:
            writes = _note(inner, found) or writes
    if writes:
        found.add(id(step))
    return writes

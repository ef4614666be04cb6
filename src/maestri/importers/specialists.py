"""The named specialists of a task orchestrator, and the steps that they do."""

from __future__ import annotations

from collections.abc import Sequence as List
from typing import Any

from maestri.importers.scribe import Scribe, lines_of, literal, step_name, text
from maestri.importers.writing import At
from maestri.lang.tree import Mapping, Scalar, Sequence, Tree


class Specialist:
    """Somebody who is named in a block: an agent, with a part of the task where it has one."""

    def __init__(self, written: str, line: int, scribe: Scribe, part: str = "", title: str = "") -> None:
        """Take down who it is, and where it is named."""
        self.written = written
        self.line = line
        self.name = step_name(written or "agent")
        self.title = title or written or "agent"
        self.part = f"Your part: {literal(part)}." if part else ""
        self._scribe = scribe

    def step(self, prompt: str, **more: Any) -> dict[str, Any]:
        """Return a step in which it is asked something."""
        agent = self._scribe.agent(self.written, line=self.line)
        start = literal(f"You are `{self.written}`.") + "\n" if self.written else ""
        return {"agent": agent, "prompt": start + prompt, **more}


def specialist(scribe: Scribe, tree: Tree) -> Specialist:
    """Return who is named at a place; nobody in particular where it names no one."""
    if isinstance(tree, Mapping):
        written = text(tree.get("agent")) or text(tree.get("name"))
        return Specialist(written, tree.span.line, scribe, text(tree.get("task")))
    return Specialist(text(tree), tree.span.line, scribe)


def listed(scribe: Scribe, tree: Tree | None) -> list[Specialist]:
    """Return everybody who is named in a list, in a mapping by name, or alone."""
    if isinstance(tree, Scalar):
        return [specialist(scribe, tree)] if text(tree) else []
    if isinstance(tree, Sequence):
        return [_member(scribe, one) for one in tree.items]
    found = []
    for entry in tree.entries if tree is not None else ():
        name, value = entry.key.text, entry.value
        words = text(value) if isinstance(value, Scalar) else ""
        agent = text(value.get("agent")) if isinstance(value, Mapping) else ""
        words = words or (text(value.get("task")) if isinstance(value, Mapping) else "")
        found.append(Specialist(agent or name, entry.key.span.line, scribe, words, name))
    return found


def _member(scribe: Scribe, tree: Tree) -> Specialist:
    if not isinstance(tree, Mapping):
        return specialist(scribe, tree)
    scribe.unread(tree, ("agent", "name", "task", "description"), "a task")
    part = text(tree.get("task")) or text(tree.get("description"))
    agent, title = text(tree.get("agent")), text(tree.get("name"))
    return Specialist(agent or title, tree.span.line, scribe, part, title or agent)


def streams(points: List[tuple[str, int]], team: List[Specialist], told: str) -> dict[str, Any]:
    """Return a stream for each of a team; all meet at every sync point.

    Args:
        points: The sync points in order, each with its line.
        team: Who works.
        told: What all are told.
    """
    branches: dict[str, Any] = {}
    for who in team:
        steps: dict[str, Any] = {}
        for number, (point, line) in enumerate(points, 1):
            before = f"What all had at the last sync point: ${{sync-{number - 1}}}" if number > 1 else ""
            prompt = lines_of([told, who.part, f"Work up to this sync point: {literal(point)}.", before])
            steps[step_name(point, steps)] = At(who.step(prompt), line)
            steps[f"sync-{number}"] = At({"sync": step_name(point)}, line)
        branches[step_name(who.title, branches)] = At({"steps": steps}, who.line)
    return {"streams": {"streams": {"branches": branches}}}

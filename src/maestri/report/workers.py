"""The steps of a run as workers in the seven states that other systems know, and their events.

Rule 1: what a worker is in is its step's state in other words, by the table in `kernel/state.py`.
Rule 2: a step of the definition that has not begun is pending, or ready where all that it needs is done; what
is made at run time (rounds, items) is one worker, the pattern that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.events import Stored
from maestri.kernel.inside import SANDBOX
from maestri.kernel.path import ROOT, is_within, join
from maestri.kernel.state import StepState
from maestri.records import NamedTuple
from maestri.report.diagrams.shapes import WAVES, Shape
from maestri.report.tree import Tree

_DONE: Final = frozenset({state.SUCCEEDED, state.SKIPPED})
_FIXED: Final = frozenset({"", "steps", "parallel", "graph"})  # what has children with paths known before
_TYPES: Final = {
    ev.STARTED: "worker.started",
    ev.BLOCKED: "worker.blocked",
    ev.HELD: "worker.blocked",
    ev.RELEASED: "worker.unblocked",
    ev.SUCCEEDED: "worker.complete",
    ev.FAILED: "worker.failed",
    ev.CANCELLED: "worker.failed",
}
# What a step reports of itself: the type of the event, and the field of its data that has the text.
_REPORTED: Final = {
    "started": ("worker.started", "text"),
    "task-started": ("worker.task_started", "task"),
    "checkpoint": ("worker.checkpoint", "checkpoint"),
    "task-completed": ("worker.task_completed", "task"),
    "blocked": ("worker.blocked", "reason"),
    "unblocked": ("worker.unblocked", "note"),
    "done": ("worker.task_completed", "task"),
    "left-out": ("worker.checkpoint", "checkpoint"),
}
_SHOWN: Final = ("reason", "note", "by", "attempt", "agent", "question")


class Worker(NamedTuple):
    """One worker: its path, its state in the words of `state.WORKER_STATES`, and the step behind it."""

    path: str
    state: str
    step: StepState
    note: str = ""


def workers(
    tree: Tree, definition: Shape | None, is_starting: Callable[[StepState], bool]
) -> Iterator[Worker]:
    """Yield the workers of a run, in the order of its definition; without one, in that of their beginning.

    Args:
        tree: The run.
        definition: What its definition looks like.
        is_starting: Tells whether the process of a step that is under way has not been started yet.
    """
    if definition is not None:
        yield from _defined(tree, definition, ROOT, is_starting)
        return
    for path, step in tree.run.steps.items():
        if not step.is_scope:
            yield _worker(tree, path, step, is_starting)


def _defined(
    tree: Tree, shape: Shape, scope: str, is_starting: Callable[[StepState], bool]
) -> Iterator[Worker]:
    for place, child in enumerate(shape.children):
        path = join(scope, child.name)
        if child.children and child.kind in _FIXED and not child.repeats:
            yield from _defined(tree, child, path, is_starting)
            continue
        step = tree.step(path)
        if step.state == state.PENDING and _is_ready(tree, shape, scope, place):
            step = step._replace(state=state.READY)
        yield _worker(tree, path, step, is_starting)


def _is_ready(tree: Tree, shape: Shape, scope: str, place: int) -> bool:
    """Tell whether all that a step needs is done, and what it stands in is under way."""
    if tree.run.status != state.RUNNING or (scope != ROOT and tree.step(scope).state != state.RUNNING):
        return False
    own = shape.children[place]
    if shape.layout == WAVES or own.needs:
        needed = list(own.needs)
    else:
        needed = [one.name for one in shape.children[:place]] if shape.layout == "column" else []
    return all(tree.step(join(scope, name)).state in _DONE for name in needed)


def _worker(tree: Tree, path: str, step: StepState, is_starting: Callable[[StepState], bool]) -> Worker:
    inner = [one for one in tree.run.steps.values() if step.is_scope and is_within(one.path, path)]
    at_work = [one for one in inner if not one.is_scope and one.state in state.LIVE] or [step]
    blocked = next((one for one in at_work if one.state == state.BLOCKED), None)
    is_busy = any(one.state == state.RUNNING for one in at_work if one.path != path)
    if step.state == state.RUNNING and blocked is not None and not is_busy:
        step = step._replace(state=state.BLOCKED, note=blocked.note)
    elif step.state == state.RUNNING and all(map(is_starting, at_work)):
        step = step._replace(state=state.STARTING)
    note = step.note or next((tree.reports[one.path] for one in at_work if one.path in tree.reports), "")
    return Worker(path, state.worker_state(step), step, note)


def worker_event(event: Stored) -> dict[str, Any] | None:
    """Return an event of a step as an event of a worker; None for one that concerns no worker."""
    if not event.scope:
        return None
    body = event.body
    data: dict[str, Any] = {}
    if event.kind == ev.REPORTED and body["what"] == SANDBOX:
        return None  # said by Maestri, not by the worker
    if event.kind == ev.REPORTED:
        if body["what"] not in _REPORTED:
            return None  # a fact that Maestri has recorded: what the step runs in
        kind, field = _REPORTED[body["what"]]
        said = {field: body["text"]} if "text" in body else {}
        data = {**said, "reported": True, **_more(body)}
    elif event.kind in _TYPES:
        kind = _TYPES[event.kind]
        data = {field: body[field] for field in _SHOWN if field in body}
        if event.kind in {ev.HELD, ev.RELEASED}:
            data |= {"reported": True, **_more(body)}
        if "failure" in body:
            data["message"] = body["failure"]["message"]
            data["code"] = body["failure"]["code"]
    else:
        return None
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"timestamp": at, "worker_id": event.path[1:], "event_type": kind, "data": data}


def _more(body: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a report, as far as they have fields of their own."""
    found = body.get("data")
    return dict(found) if isinstance(found, dict) else {} if found is None else {"data": found}

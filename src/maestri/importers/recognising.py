"""Which system a file is of, by its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from maestri.lang.tree import Mapping, Scalar, Sequence, Tree

CASCADE: Final = "cascade"
TASK_ORCHESTRATOR: Final = "task-orchestrator"
CZARINA: Final = "czarina"

_BLOCKS: Final = frozenset({
    "parallel_execution", "handoff_artifacts", "sync_points", "primary_agent", "primary_agents",
    "reviewer_agents", "fan_out", "fan_in", "conditional_logic", "task_types", "fallback_strategy",
    "execution_rules",
})  # fmt: skip
_WORKER: Final = frozenset(
    {"dependencies", "outputs", "deliverables", "token_budget", "branch", "owns", "budget"}
)


def recognised(tree: Mapping) -> str | None:
    """Return the name of the system that a file is of; None where it is ours, or of none that is known."""
    if tree.get("steps") is not None:
        return None
    return next((name for name, is_of in _KNOWN.items() if is_of(tree)), None)


def _is_cascade(tree: Mapping) -> bool:
    if tree.get("stages") is not None:
        return True
    return any(isinstance(one.value, Mapping) and one.value.get("stages") is not None for one in tree.entries)


def _is_czarina(tree: Mapping) -> bool:
    if tree.get("workers") is not None or tree.get("wiggum") is not None or tree.get("worker_id") is not None:
        return True
    events = tree.get("events")
    if isinstance(events, Sequence):
        return any(isinstance(one, Scalar) and one.text.startswith("worker.") for one in events.items)
    return bool(tree.entries) and all(is_worker(one.value) for one in tree.entries)


def is_worker(tree: Tree) -> bool:
    """Tell whether a value of the top level describes a worker."""
    return (
        isinstance(tree, Mapping) and tree.get("dependencies") is not None and bool(_WORKER & {*tree.keys()})
    )


def _is_task_orchestrator(tree: Mapping) -> bool:
    if _BLOCKS & {*tree.keys()}:
        return True
    phases = tree.get("phases")
    return isinstance(phases, Sequence) and any(isinstance(one, Mapping) for one in phases.items)


_KNOWN: Final[dict[str, Callable[[Mapping], bool]]] = {
    CASCADE: _is_cascade,
    CZARINA: _is_czarina,
    TASK_ORCHESTRATOR: _is_task_orchestrator,
}
DIALECTS: Final = tuple(_KNOWN)

"""Which of several bodies that are ready goes first where there is not room for all.

Rule: a priority decides the order of starts, and nothing else: names, paths and outputs are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from maestri.kernel.body import Body, OneStep
from maestri.kernel.fan import Fan

B = TypeVar("B", bound=Callable[..., Any])


def with_priority(body: B, priority: float | Callable[..., float]) -> B:
    """Return a body that goes before those of a lower priority; 0 is that of all others.

    Args:
        body: A body, or the function of a `OneStep`.
        priority: A number, or a function of the names that the pattern binds (an item and its index).
    """
    body.priority = priority  # type: ignore[attr-defined]
    return body


def priority_of(body: Body[Any], *values: Any) -> float:
    """Return the priority of a body, 0 where it has none."""
    function = body.call if isinstance(body, OneStep) else body
    found = getattr(function, "priority", 0.0)
    return float(found(*values)) if callable(found) else float(found)


def has_priority(body: Any) -> bool:
    """Tell whether a body has a priority of its own."""
    return hasattr(body.call if isinstance(body, OneStep) else body, "priority")


def by_priority(bodies: Mapping[str, Body[Any]]) -> list[tuple[str, Body[Any]]]:
    """Return bodies by name, the higher priority first; equal ones in the order in which they are given."""
    return sorted(bodies.items(), key=lambda one: -priority_of(one[1]))


class Room:
    """Starts what is ready where there is room for it, the highest priority first."""

    def __init__(self, fan: Fan, limit: int | None) -> None:
        """Begin with room for `limit` children, or for all."""
        self._fan = fan
        self._limit = limit
        self._running = 0
        self._waiting: list[tuple[str, Body[Any], float]] = []

    def add(self, ready: Iterable[tuple[str, Body[Any], float]]) -> None:
        """Take in what has become ready: name, body and priority."""
        self._waiting += ready
        self._waiting.sort(key=lambda one: -one[2])
        self._fill()

    def leave(self) -> None:
        """Count one that has ended; what became ready by that is added first."""
        self._running -= 1

    def _fill(self) -> None:
        while self._waiting and (self._limit is None or self._running < self._limit):
            name, body, _ = self._waiting.pop(0)
            self._running += 1
            self._fan.start(name, body)

"""A step that a blocker holds which it has reported itself, until that is settled."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable, Sequence


class Hold:
    """A step that blockers hold which it has reported: the ids of the reports, and the words of the last one.

    `tell` tells its processes, while they run, that these are settled; `released` is what waits for that
    when they have ended; `note` is what was said to it.
    """

    __slots__ = ("ids", "note", "reason", "released", "tell")

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.ids: list[str] = []
        self.note = ""
        self.tell: Callable[[Sequence[str], str], None] | None = None
        self.released: Future[None] | None = None

    def take(self, report: str, reason: str) -> None:
        """Add a blocker."""
        self.reason = reason
        if report not in self.ids:
            self.ids.append(report)

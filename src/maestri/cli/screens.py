"""What a run under way says: plain lines for pipes and logs, or nothing. The live tree is in `live.py`.

Rule 1: a screen never stops a run: what it cannot write is lost, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.ports import Notice, RunInfo
from maestri.report.lines import Lines
from maestri.report.tree import Tree, as_stored

_UNSAID = frozenset({ev.DECIDED, ev.SIGNALLED})


class Screen(Protocol):
    """Shows a run under way."""

    def open(self, run: RunInfo, tree: Tree) -> None:
        """Begin to show a run; what happened before is in the tree already."""
        ...

    def show(self, events: Sequence[Event]) -> None:
        """Show what was stored; the tree has it already."""
        ...

    def notice(self, notice: Notice) -> None:
        """Show what is only passing."""
        ...

    def say(self, text: str) -> None:
        """Show a message beside the run."""
        ...

    def tick(self) -> None:
        """Show how time passes; called a few times a second."""
        ...

    def close(self) -> None:
        """Stop showing; may be called again."""
        ...


class Silence:
    """Shows nothing but messages."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` writes one line."""
        self._tell = tell

    def open(self, run: RunInfo, tree: Tree) -> None:
        """Show nothing."""

    def show(self, events: Sequence[Event]) -> None:
        """Show nothing."""

    def notice(self, notice: Notice) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Write a message."""
        self._tell(text)

    def tick(self) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Stop."""


class PlainLines(Silence):
    """One line for each event."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` writes one line."""
        super().__init__(tell)
        self._lines = Lines()
        self._early: list[str] | None = []
        self._reopened: frozenset[str] = frozenset()

    def open(self, run: RunInfo, tree: Tree) -> None:
        """Write what was stored before the run had been announced."""
        early, self._early = self._early, None
        if early:
            self._tell("\n".join(early))

    def show(self, events: Sequence[Event]) -> None:
        """Write a line for each event that says something about a step or the run."""
        shown = [self._lines.line(one) for event in events if self._is_said(one := as_stored(event))]
        if self._early is not None:
            self._early += shown
        elif shown:
            self._tell("\n".join(shown))

    def _is_said(self, event: Stored) -> bool:
        """Tell whether it is worth a line: a step decided by hand is reopened with the run, and again."""
        if event.kind != ev.RUN_REOPENED:
            return event.kind not in _UNSAID
        paths = frozenset(event.body["paths"])
        is_new = not paths or not paths <= self._reopened
        self._reopened = paths
        return is_new

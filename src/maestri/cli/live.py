"""The live tree of a run on a terminal, drawn again and again in place.

Rule 1: what others write meanwhile, functions of the run and their children, stands above the tree in whole
lines, and never in it.
Rule 2: a frame is erased by the rows that it takes now: a window that became narrower has broken its lines.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence

from maestri.cli.aside import ERR, OUT
from maestri.cli.diversion import Diversion
from maestri.cli.terminal import Terminal
from maestri.kernel import state
from maestri.kernel.events import Event
from maestri.kernel.ports import Notice, RunInfo
from maestri.report.outline import DIM, WAIT, Line, Piece, fitted, outline, plain
from maestri.report.tree import Tree
from maestri.report.wording import duration, width_of

_FRAME_S = 0.1
_SHARE = 10  # drawing a tree of very many failures must not take the time of the run
_NOTICES = 2000
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_ERASE_LINE, _ERASE_BELOW = "\x1b[2K", "\x1b[J"


class LiveTree:
    """Draws the tree; a frame costs as much as a screen has lines."""

    def __init__(self, terminal: Terminal) -> None:
        """Draw on a terminal; nothing is written yet."""
        self._terminal = terminal
        self._is_open = False
        self._tree = Tree()
        self._notices: dict[str, str] = {}
        self._begun = time.time()
        self._drawn = 0.0
        self._pause_s = _FRAME_S
        self._words = ""
        self._frame: list[Line] = []  # what is on the terminal now
        self._writing = threading.RLock()  # the thread that hands on what others write draws too
        self._diversion: Diversion | None = None

    def open(self, run: RunInfo, tree: Tree) -> None:
        """Begin to draw."""
        self._tree = tree
        self._begun = time.time()
        if self._diversion is None and self._terminal.keep_own():
            taken = (OUT, ERR) if os.isatty(ERR) else (OUT,)
            self._diversion = Diversion(self.print_above, taken)
        if self._diversion is not None:
            self._diversion.begin()
        self._is_open = True
        self._guarded(lambda: self._terminal.prompt(_HIDE_CURSOR))

    def show(self, events: Sequence[Event]) -> None:
        """Forget the notices of what has ended; the next tick draws."""
        for event in events:
            if event.path in self._notices and self._tree.step(event.path).state in state.ENDED:
                del self._notices[event.path]
        self._draw_soon()

    def notice(self, notice: Notice) -> None:
        """Keep the last words of a step."""
        if notice.path in self._notices or len(self._notices) < _NOTICES:
            self._notices[notice.path] = notice.text

    def say(self, text: str) -> None:
        """Keep a message below the tree."""
        self._words = text
        self._draw()

    def print_above(self, text: str) -> None:
        """Write what others have written above the tree; callable from any thread."""
        with self._writing:
            frame, self._frame = self._frame, []
            words = self._erasing(frame) + text + "\n"
            self._guarded(lambda: self._terminal.prompt(words + self._drawing(frame)), always=True)

    def tick(self) -> None:
        """Draw."""
        self._draw_soon()

    def close(self) -> None:
        """Remove the tree; the end of the run is drawn by others."""
        if not self._is_open:
            return
        if self._diversion is not None:
            self._diversion.end()
        with self._writing:
            frame, self._frame = self._frame, []
            self._guarded(lambda: self._terminal.prompt(self._erasing(frame) + _SHOW_CURSOR))
            self._is_open = False

    def _draw_soon(self) -> None:
        if time.monotonic() - self._drawn >= self._pause_s:
            self._draw()

    def _draw(self) -> None:
        if not self._is_open:
            return
        begun = time.monotonic()
        frame = self.frame(time.time())
        with self._writing:
            erasing = self._erasing(self._frame)
            self._guarded(lambda: self._terminal.prompt(erasing + self._drawing(frame)))
        self._drawn = time.monotonic()
        self._pause_s = max(_FRAME_S, _SHARE * (self._drawn - begun))

    def frame(self, now: float) -> list[Line]:
        """Return what the terminal shows at a time."""
        room = max(3, self._terminal.lines - 3)
        look = self._terminal.look(now, room)
        return [*outline(self._tree, look, self._notices), fitted(self._footer(now), look)]

    def _erasing(self, frame: list[Line]) -> str:
        """Return what removes a frame whose last line has the cursor."""
        if not frame:
            return ""
        columns = self._terminal.columns
        rows = sum(max(1, -(-width_of(plain(line)) // columns)) for line in frame)
        up = min(rows, self._terminal.lines) - 1
        return "\r" + (f"\x1b[{up}A" if up else "") + _ERASE_BELOW

    def _drawing(self, frame: list[Line]) -> str:
        self._frame = frame
        return "\n".join(_ERASE_LINE + self._terminal.styled(line) for line in frame)

    def _footer(self, now: float) -> list[Piece]:
        steps = [step for step in self._tree.run.steps.values() if not step.is_scope]
        busy = sum(step.state == state.RUNNING for step in steps)
        words = self._words or f"{busy} under way, {duration(now - self._begun)}"
        return [Piece(words, WAIT if self._words else DIM)]

    def _guarded(self, write: Callable[[], None], *, always: bool = False) -> None:
        """Write, unless the terminal is gone: then never again."""
        if not (self._is_open or always):
            return
        try:
            write()
        except (OSError, ValueError):
            self._is_open = False

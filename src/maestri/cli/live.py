"""The live tree of a run on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from maestri.cli.terminal import Terminal
from maestri.kernel import state
from maestri.kernel.events import Event
from maestri.kernel.ports import Notice, RunInfo
from maestri.report.outline import BAD, BOLD, BUSY, DIM, GOOD, WAIT, Line, Piece, fitted, outline
from maestri.report.tree import Tree
from maestri.report.wording import duration

_RICH = {GOOD: "green", BAD: "red", BUSY: "cyan", WAIT: "yellow", DIM: "dim", BOLD: "bold"}
_FRAME_S = 0.1
_SHARE = 10  # drawing a tree of very many failures must not take the time of the run
_NOTICES = 2000


class LiveTree:
    """Draws the tree again and again in place; a frame costs as much as a screen has lines."""

    def __init__(self, terminal: Terminal, console: Console | None = None) -> None:
        """Draw on a terminal; a test hands in a console of its own."""
        self._terminal = terminal
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._tree = Tree()
        self._notices: dict[str, str] = {}
        self._begun = time.time()
        self._drawn = 0.0
        self._pause_s = _FRAME_S
        self._words = ""

    def open(self, run: RunInfo, tree: Tree) -> None:
        """Begin to draw."""
        self._tree = tree
        self._begun = time.time()
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._guarded(self._live.start)

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
        """Write a message above the tree, and keep it below it."""
        self._words = text
        self._draw()

    def tick(self) -> None:
        """Draw."""
        self._draw_soon()

    def close(self) -> None:
        """Remove the tree; the end of the run is drawn by others."""
        live, self._live = self._live, None
        if live is not None:
            self._guarded(live.stop)

    def _draw_soon(self) -> None:
        if time.monotonic() - self._drawn >= self._pause_s:
            self._draw()

    def _draw(self) -> None:
        live = self._live
        if live is not None:
            begun = time.monotonic()
            frame = self.frame(time.time())
            self._guarded(lambda: live.update(frame, refresh=True))
            self._drawn = time.monotonic()
            self._pause_s = max(_FRAME_S, _SHARE * (self._drawn - begun))

    def frame(self, now: float) -> Text:
        """Return what the terminal shows at a time."""
        room = max(3, self._terminal.lines - 3)
        look = self._terminal.look(now, room)
        lines = outline(self._tree, look, self._notices)
        lines.append(fitted(self._footer(now), look))
        return Text("\n", no_wrap=True, end="").join(_text(line) for line in lines)

    def _footer(self, now: float) -> list[Piece]:
        steps = [step for step in self._tree.run.steps.values() if not step.is_scope]
        busy = sum(step.state == state.RUNNING for step in steps)
        words = self._words or f"{busy} under way, {duration(now - self._begun)}"
        return [Piece(words, WAIT if self._words else DIM)]

    def _guarded(self, draw: Callable[[], None]) -> None:
        """Draw, unless the terminal is gone: then never again."""
        try:
            draw()
        except (OSError, ValueError):
            self._live = None


def _text(line: Line) -> Text:
    text = Text(no_wrap=True, end="")
    for piece in line:
        text.append(piece.text, _RICH.get(piece.style))
    return text

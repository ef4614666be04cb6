"""Where a command speaks: two streams, and what they can show.

Rule 1: colour only on a terminal, and not with `NO_COLOR` or `TERM=dumb`; signs beyond ASCII only where the
encoding has them.
Rule 2: who reads along may go away at any time. Mostly this ends the command in silence; a run goes on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Final, TextIO

from maestri.report.outline import BAD, BOLD, BUSY, DIM, GOOD, WAIT, Line, Look, plain

_SGR: Final = {GOOD: "32", BAD: "31", BUSY: "36", WAIT: "33", DIM: "2", BOLD: "1"}
_WIDTH: Final = 80
_PIPE_WIDTH: Final = 200


class Terminal:
    """Standard output and standard error of one command."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        """Look at what the streams are; nothing is written."""
        self._out = out
        self._err = err
        self._environ = environ
        is_dumb = environ.get("TERM") == "dumb"
        self.is_terminal = out.isatty()
        self.is_live = self.is_terminal and not is_dumb
        self.is_error_live = err.isatty() and not is_dumb
        self._colors = self.is_live and not environ.get("NO_COLOR")
        encoding = (getattr(out, "encoding", None) or "ascii").lower().replace("-", "")
        self.is_unicode = encoding.startswith("utf")
        self.survives = False  # whether a reader that goes away is none of the command's business

    @property
    def columns(self) -> int:
        """How wide the terminal is now; `COLUMNS` has the last word, a pipe is wide."""
        given = self._environ.get("COLUMNS", "")
        if given.isascii() and given.isdigit() and int(given) > 0:
            return int(given)
        try:
            return os.get_terminal_size(self._out.fileno()).columns or _WIDTH
        except (OSError, ValueError, AttributeError):
            return _PIPE_WIDTH if not self.is_terminal else _WIDTH

    @property
    def lines(self) -> int:
        """How high the terminal is now."""
        given = self._environ.get("LINES", "")
        if given.isascii() and given.isdigit() and int(given) > 0:
            return int(given)
        try:
            return os.get_terminal_size(self._out.fileno()).lines or 24
        except (OSError, ValueError, AttributeError):
            return 24

    def look(self, now: float, lines: int | None = None, *, words: bool = False) -> Look:
        """Return how an outline is to be drawn here."""
        return Look(self.columns, lines, now, self.is_unicode, words)

    def say(self, text: str = "") -> None:
        """Write a text and a line break to standard output at once.

        Raises:
            BrokenPipeError: The reader has gone away, and this command does not survive that.
        """
        self._write(self._out, text + "\n")

    def say_json(self, document: Any, indent: int | None = None) -> None:
        """Write a JSON document; for eyes everything beyond ASCII is escaped, so that nothing is obeyed."""
        text = json.dumps(document, ensure_ascii=self.is_terminal or not self.is_unicode, indent=indent)
        self.say(text)

    def tell(self, text: str) -> None:
        """Write a text and a line break to standard error at once."""
        self._write(self._err, text + "\n", always=True)

    def prompt(self, text: str) -> None:
        """Write a text without a line break."""
        self._write(self._out, text)

    def draw(self, lines: list[Line]) -> None:
        """Write styled lines to standard output."""
        if lines:
            self.say("\n".join(self.styled(line) for line in lines))

    def styled(self, line: Line) -> str:
        """Return a styled line as text for standard output."""
        if not self._colors:
            return plain(line)
        return "".join(
            f"\x1b[{_SGR[piece.style]}m{piece.text}\x1b[0m" if piece.style in _SGR else piece.text
            for piece in line
        )

    def style(self, text: str, style: str) -> str:
        """Return a text in one style."""
        return f"\x1b[{_SGR[style]}m{text}\x1b[0m" if self._colors and style in _SGR else text

    def _write(self, stream: TextIO, text: str, *, always: bool = False) -> None:
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            silence(stream)
            if not (self.survives or always):
                raise BrokenPipeError from None


def silence(stream: TextIO) -> None:
    """Point a stream whose reader is gone at nothing, so that no later write, nor the exit, fails again."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
    except (OSError, ValueError, AttributeError):
        return

"""Where a command speaks: two streams, and what they can show.

Rule 1: colour only on a terminal, and not with `NO_COLOR` or `TERM=dumb`; signs beyond ASCII only where the
encoding has them.
Rule 2: who reads along may go away at any time. Mostly this ends the command in silence; a run goes on.
Rule 3: what cannot be written for any other reason (a full disk) is told at the end, and is no success.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from typing import Any, ClassVar, Final, TextIO

from maestri.cli.aside import kept, send_out_to_err
from maestri.errors import EngineError
from maestri.report.outline import BAD, BOLD, BUSY, DIM, GOOD, WAIT, Line, Look, plain

_SGR: Final = {GOOD: "32", BAD: "31", BUSY: "36", WAIT: "33", DIM: "2", BOLD: "1"}
_WIDTH: Final = 80
_PIPE_WIDTH: Final = 200
_GONE: Final = frozenset({errno.EPIPE, errno.EIO, errno.ECONNRESET, errno.EBADF})


class OutputLost(EngineError):
    """What a command says cannot be written where it should go."""

    code: ClassVar[str] = "E510"


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
        self.lost: OutputLost | None = None
        self._has_own = False

    def keep_own(self) -> bool:
        """Speak on descriptors of its own from now on, so that 1 and 2 may lead elsewhere.

        Returns:
            Whether this is so; not where the streams are no files.
        """
        if not self._has_own and (out := kept(self._out)) is not None:
            self._out, self._err = out, kept(self._err) or self._err
            self._has_own = True
        return self._has_own

    def keep_out(self) -> None:
        """Keep standard output for what is said here; the rest that this process writes goes to the error.

        For a command that prints one document and runs or loads code of others.
        """
        if self.keep_own():
            send_out_to_err()

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

    def say_bytes(self, data: bytes) -> None:
        """Write bytes as they are to standard output at once.

        Raises:
            BrokenPipeError: The reader has gone away.
            OutputLost: They cannot be written for another reason.
        """
        try:
            self._out.buffer.write(data)
            self._out.buffer.flush()
        except OSError as error:
            silence(self._out)
            if error.errno in _GONE:
                raise BrokenPipeError from None
            raise lost(error) from None

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
        except (OSError, ValueError) as error:
            silence(stream)
            if isinstance(error, OSError) and error.errno not in _GONE and stream is self._out:
                self.lost = lost(error)
                if not self.survives:
                    raise self.lost from None
            elif not (self.survives or always):
                raise BrokenPipeError from None

    def fall_silent(self) -> None:
        """Point standard output at nothing, so that no later write fails again."""
        silence(self._out)


def lost(error: OSError) -> OutputLost:
    """Return the error of an output that could not be written."""
    message = f"standard output cannot be written: {error.strerror or error}"
    fix = "make room, or send it elsewhere; what was done is done: `maestri show @last` shows it"
    return OutputLost(message, fix=fix)


def silence(stream: TextIO) -> None:
    """Point a stream whose reader is gone at nothing, so that no later write, nor the exit, fails again."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)
    except (OSError, ValueError, AttributeError):
        return

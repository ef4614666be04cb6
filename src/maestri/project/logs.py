"""The logs of a run: a file per attempt of a step, byte for byte, and one of the whole run, line by line.

    2026-01-31T12:00:01.123Z /build/api stdout 3 files changed

Rule 1: a line of the whole is time, path, stream and text; it is written at once, so that the lines of steps
that run at the same time never mix.
Rule 2: the log of a step is complete; in that of the run a very long line is cut, and a step that writes very
much is told of where the rest is. What the disk has no room for now is added when there is.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import Final

from maestri.engines.statedir import StateDir
from maestri.errors import EngineError

LONGEST_LINE_BYTES: Final = 8192
SHARE_BYTES: Final = 8 << 20  # of one attempt in the log of the run
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Logs:
    """Opens the logs of the attempts that this process makes."""

    def __init__(self, state: StateDir, on_pause: Callable[[str], None]) -> None:
        """Open nothing yet; `on_pause` is told when there is no room, and when there is again."""
        self._state = state
        self.on_pause = on_pause

    def open(self, run_id: str, path: str, attempt: int) -> StepLog:
        """Return the log of an attempt; its file is made when something is written."""
        return StepLog(self._state, self.on_pause, run_id, path, attempt)


class StepLog:
    """The log of one attempt; see the port `OpenLog`."""

    __slots__ = (
        "_attempt",
        "_is_paused",
        "_is_within_line",
        "_on_pause",
        "_path",
        "_place",
        "_rests",
        "_run",
        "_share",
        "_state",
        "_unwritten",
        "_whole",
    )

    def __init__(
        self, state: StateDir, on_pause: Callable[[str], None], run_id: str, path: str, attempt: int
    ) -> None:
        self._state = state
        self._on_pause = on_pause
        self._run = run_id
        self._path = path
        self._attempt = attempt
        self._place = self._whole = ""
        self._is_paused = False
        self._is_within_line = False
        self._rests: dict[str, bytes] = {}
        self._share = 0
        self._unwritten = b""

    def __call__(self, data: bytes, stream: str = "stdout") -> None:
        """Append what came from a stream.

        Raises:
            OSError: It cannot be stored; nothing of it was.
        """
        try:
            if not self._place:
                self._place = str(self._state.log_path(self._run, self._path, self._attempt))
                self._whole = str(self._state.run_log(self._run))
            is_own_line = stream == "report" and self._is_within_line
            append(self._place, b"\n" + data if is_own_line else data)
        except OSError as error:
            if error.errno in _NO_ROOM and not self._is_paused:
                self._is_paused = True
                self._on_pause(_no_room(self._path, self._place))
            raise
        if self._is_paused:
            self._is_paused = False
            self._on_pause(f"there is room again; {self._path} goes on")
        self._is_within_line = data[-1:] != b"\n"
        self._add(stream, data)

    def close(self) -> None:
        """Append nothing more; a line that is not complete is taken for one."""
        for stream, rest in self._rests.items():
            self._write(stream, [rest] if rest else [])

    def _add(self, stream: str, data: bytes) -> None:
        """Add the lines that are complete now to the log of the run."""
        if self._share > SHARE_BYTES:
            return
        *lines, rest = (self._rests.get(stream, b"") + data).split(b"\n")
        if len(rest) > LONGEST_LINE_BYTES:
            rest = rest[: LONGEST_LINE_BYTES + 1]  # enough to see that it is to be cut
        self._rests[stream] = rest
        self._write(stream, lines)

    def _write(self, stream: str, lines: list[bytes]) -> None:
        if not lines:
            return
        head = f"{date_of(time.time())} {self._path}"
        mark = f"{head} {stream} ".encode()
        self._unwritten += b"".join(mark + _fitting(line) + b"\n" for line in lines)
        self._share += sum(map(len, lines))
        if self._share > SHARE_BYTES:
            self._rests.clear()
            words = f"{head} report left-out: the rest of what this step writes is in {self._place}\n"
            self._unwritten += words.encode()
        try:
            append(self._whole, self._unwritten)
        except OSError:
            return  # it goes with the next lines: the log of the step is what holds the step up
        self._unwritten = b""


def date_of(at: float) -> str:
    """Return a time as the log of a run writes it: UTC, to the millisecond."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at))}.{int(at % 1 * 1000):03}Z"


def _fitting(line: bytes) -> bytes:
    line = line.rstrip(b"\r")
    if len(line) <= LONGEST_LINE_BYTES:
        return line
    return line[:LONGEST_LINE_BYTES].decode(errors="ignore").encode() + " …".encode()


def append(place: str, data: bytes) -> None:
    """Append to a log all of some data or, where there is no room, nothing of it.

    Raises:
        OSError: It cannot be written.
    """
    # Opened for each chunk: a step may live for days, and there may be thousands of them.
    descriptor = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(descriptor).st_size
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError:
            os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def _no_room(path: str, place: str) -> str:
    words = f"there is no room left for the output of {path}: it is paused"
    cause = "what it writes waits in its pipe, and the step with it"
    fix = "free some space; the step goes on by itself"
    return EngineError(words, cause=cause, fix=fix, file=place or None).diagnostic.text()

"""One output stream of a command, kept within bounds: all of it on disk, little of it in memory.

Rule 1: every byte goes to the step's log as it comes.
Rule 2: up to `INLINE_BYTES` are held in memory. What is larger moves to a file, and memory keeps the first
    and the last `END_BYTES`: a gigabyte of output, or a single line of it, costs no more than that.
Rule 3: a chunk for which the disk has no room is not taken at all; it can be offered again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from maestri.agents.pipes import PAUSE_S, NoRoom
from maestri.errors import EngineError, StepFailed
from maestri.kernel.ports import Attempt
from maestri.values import ArtifactRef

INLINE_BYTES = 1 << 20
END_BYTES = 65_536
NOTICE_S = 0.1  # notices are for eyes: ten a second at the most
NOTICE_BYTES = 400
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Capture:
    """Takes the chunks of one stream; to be closed."""

    def __init__(
        self,
        name: str,
        attempt: Attempt,
        *,
        spill_dir: str | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing.

        Args:
            name: `stdout` or `stderr`; names the artifact of a large output.
            attempt: Where log, signs of life and notices go.
            spill_dir: Where a large output is kept meanwhile; the system's place by default.
            clock_s: Seconds that only grow, for the rate of notices.
        """
        self.size_bytes = 0
        self._name = name
        self._attempt = attempt
        self._spill_dir = spill_dir
        self._clock_s = clock_s
        self._held = bytearray()  # all of it, or the first END_BYTES once it has spilled
        self._tail = bytearray()
        self._spill: _Spill | None = None
        self._artifact: ArtifactRef | None = None
        self._is_logged = False  # of the chunk under way
        self._line = b""
        self._noticed_s = float("-inf")

    @property
    def is_spilled(self) -> bool:
        """Tell whether the output was too large for the memory."""
        return self._spill is not None

    def feed(self, chunk: bytes) -> None:
        """Take a chunk.

        Raises:
            NoRoom: There is no room for it on the disk now; nothing of it was taken.
            StepFailed: The disk does not take it.
        """
        self._attempt.beat()  # also of a command that waits for the disk
        try:
            if not self._is_logged:
                self._attempt.log(chunk, self._name)
                self._is_logged = True
            self._keep(chunk)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise NoRoom from error
            message = f"the output of this step cannot be stored: {error.strerror or error}"
            raise StepFailed(message, fix="check the disk, then retry the step") from error
        self._is_logged = False
        self.size_bytes += len(chunk)
        self._show(chunk)

    def _keep(self, chunk: bytes) -> None:
        if self._spill is not None:
            self._spill.write(chunk)
            self._tail += chunk[-END_BYTES:]
            del self._tail[:-END_BYTES]
        elif len(self._held) + len(chunk) <= INLINE_BYTES:
            self._held += chunk
        else:
            whole = bytes(self._held) + chunk
            self._spill = _spilled(whole, self._spill_dir)
            self._held, self._tail = bytearray(whole[:END_BYTES]), bytearray(whole[-END_BYTES:])

    def _show(self, chunk: bytes) -> None:
        seen = (self._line + chunk)[-NOTICE_BYTES:]
        self._line = seen.rpartition(b"\n")[2]
        now_s = self._clock_s()
        if now_s - self._noticed_s >= NOTICE_S and (line := _last_line(seen)):
            self._noticed_s = now_s
            self._attempt.notice("output", line)

    def text(self) -> str:
        """Return the output as text; of a large one its two ends and where the whole is."""
        if not self.is_spilled:
            return self._held.decode(errors="replace")
        artifact = self.artifact()
        head, tail = _whole_start(bytes(self._held)), _whole_end(bytes(self._tail))
        left_out = self.size_bytes - len(head) - len(tail)
        where = f"whole output: artifact {artifact.digest if artifact else '-'}"
        gap = f"\n… [{left_out} bytes left out; {where}] …\n"
        return head.decode(errors="replace") + gap + tail.decode(errors="replace")

    def last(self, size_bytes: int) -> str:
        """Return the last bytes of the output as text."""
        return _whole_end(bytes((self._tail or self._held)[-size_bytes:])).decode(errors="replace")

    def whole(self) -> bytes:
        """Return the output in full, also from the disk: look at `size_bytes` first."""
        return bytes(self._held) if self._spill is None else self._spill.read()

    def artifact(self) -> ArtifactRef | None:
        """Return the artifact of a large output, stored at the first call; None for a small one."""
        if self._artifact is None and self._spill is not None:
            self._artifact = self._attempt.keep(self._spill.path, self._name)
        return self._artifact

    async def settle(self) -> None:
        """Store the artifact of a large output; waits while there is no room for it.

        Raises:
            EngineError: It cannot be stored for another reason.
        """
        while True:
            try:
                self.artifact()
            except EngineError as error:
                if getattr(error.__cause__, "errno", None) not in _NO_ROOM:
                    raise
                self._attempt.beat()
                await asyncio.sleep(PAUSE_S)
            else:
                return

    def close(self) -> None:
        """Let go of the file."""
        if self._spill is not None:
            self._spill.close()


class _Spill:
    """A file that is gone when it is closed, also when Maestri was killed (where the system can do that)."""

    def __init__(self, folder: str | None) -> None:
        folder = folder or tempfile.gettempdir()
        self._named = ""
        try:
            self._fd = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
            self.path = f"/proc/self/fd/{self._fd}"
        except (AttributeError, OSError):
            self._fd, self.path = tempfile.mkstemp(prefix="maestri-", dir=folder)
            self._named = self.path

    def write(self, chunk: bytes) -> None:
        before = os.lseek(self._fd, 0, os.SEEK_CUR)
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, before)
            os.lseek(self._fd, before, os.SEEK_SET)
            raise

    def read(self) -> bytes:
        return Path(self.path).read_bytes()

    def close(self) -> None:
        os.close(self._fd)
        if self._named:
            Path(self._named).unlink(missing_ok=True)


def _spilled(data: bytes, folder: str | None) -> _Spill:
    spill = _Spill(folder)
    try:
        spill.write(data)
    except OSError:
        spill.close()
        raise
    return spill


def _last_line(data: bytes) -> str:
    lines = [line for line in _whole_end(data).splitlines() if line.strip()]
    return lines[-1].decode(errors="replace").strip() if lines else ""


def _whole_start(data: bytes) -> bytes:
    """Return the data without a character that is cut off at the end."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if back < length else data
        if byte < 0x80:
            return data
    return data


def _whole_end(data: bytes) -> bytes:
    """Return the data without a character that is cut off at the start."""
    start = 0
    while start < min(3, len(data)) and 0x80 <= data[start] < 0xC0:
        start += 1
    return data[start:]

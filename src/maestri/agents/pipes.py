"""The three streams of a command, served by the event loop: no thread, no blocking, bounded reads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

CHUNK_BYTES = 65_536
LAST_BYTES = 1 << 20  # what is still read of a pipe that somebody outside the tree keeps filling
PAUSE_S = 0.5  # between two tries to hand over what a sink had no room for

Sink = Callable[[bytes], None]


class NoRoom(Exception):
    """A sink has no room now and has taken nothing: it is to be offered the same again."""


class Pipes:
    """Feeds standard input and hands on standard output and error as they come.

    `done` completes when both outputs have ended, with None, or with the error that a sink raised. While a
    sink has no room nothing more is read, so that the command waits too.
    """

    def __init__(self, stdin: bytes | None, on_stdout: Sink, on_stderr: Sink) -> None:
        """Open the pipes.

        Raises:
            OSError: There are no descriptors left.
        """
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Exception | None] = self._loop.create_future()
        self._sinks: dict[int, Sink] = {}
        self._held: dict[int, bytes] = {}
        self._writer = -1
        self._unsent = memoryview(stdin or b"")
        self.theirs: list[int] = []
        try:
            self._open_input(given=stdin is not None)
            self._open_output(on_stdout)
            self._open_output(on_stderr)
        except OSError:
            self.close()
            raise

    def _open_input(self, *, given: bool) -> None:
        if not given:  # many programs wait for an input that nobody ends
            self.theirs.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
            return
        reading, self._writer = os.pipe()
        self.theirs.append(reading)
        os.set_blocking(self._writer, False)

    def _open_output(self, sink: Sink) -> None:
        reading, writing = os.pipe()
        self.theirs.append(writing)
        os.set_blocking(reading, False)
        self._sinks[reading] = sink

    def serve(self) -> None:
        """Begin to read and write; call it when the command has its own ends."""
        self._close_theirs()
        for fd in self._sinks:
            self._loop.add_reader(fd, self._read, fd)
        if self._writer >= 0:
            self._loop.add_writer(self._writer, self._write)

    def _read(self, fd: int) -> int:
        """Take one chunk and return its size; 0 when there is nothing to take."""
        try:
            chunk = os.read(fd, CHUNK_BYTES)
        except BlockingIOError:
            return 0
        if not chunk:
            self._close_reader(fd)
            return 0
        self._hand_on(fd, chunk)
        return len(chunk)

    def _hand_on(self, fd: int, chunk: bytes) -> None:
        try:
            self._sinks[fd](chunk)
        except NoRoom:
            self._held[fd] = chunk
            self._loop.remove_reader(fd)
            self._loop.call_later(PAUSE_S, self._offer, fd)
        except Exception as error:  # noqa: BLE001 - a broken disk must fail the step, not the loop
            self._settle(error)

    def _offer(self, fd: int) -> None:
        """Hand on what was held back, and read on when it was taken."""
        if fd not in self._held:
            return
        self._hand_on(fd, self._held.pop(fd))
        if fd not in self._held:
            self._loop.add_reader(fd, self._read, fd)

    def _write(self) -> None:
        try:
            sent = os.write(self._writer, self._unsent[:CHUNK_BYTES])
        except BlockingIOError:
            return
        except BrokenPipeError:  # the command does not care for the rest
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._close_writer()

    async def finish(self) -> None:
        """Take what is left in the pipes of a command that is gone; waits while a sink has no room.

        Raises:
            Exception: What a sink raised.
        """
        for fd in list(self._sinks):
            taken = 0
            while fd in self._sinks and taken < LAST_BYTES:
                while fd in self._held:  # noqa: ASYNC110 - `_offer` asks the disk again and again
                    await asyncio.sleep(PAUSE_S)
                size = self._read(fd) if fd in self._sinks else 0
                if not size:
                    break
                taken += size
        if self.done.done() and (error := self.done.result()) is not None:
            raise error

    def close(self) -> None:
        """Close every end that is still open."""
        self._close_theirs()
        self._close_writer()
        for fd in list(self._sinks):
            self._close_reader(fd)

    def _settle(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(error)

    def _close_theirs(self) -> None:
        while self.theirs:
            os.close(self.theirs.pop())

    def _close_writer(self) -> None:
        if self._writer >= 0:
            self._loop.remove_writer(self._writer)
            os.close(self._writer)
            self._writer = -1

    def _close_reader(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        del self._sinks[fd]
        self._held.pop(fd, None)
        os.close(fd)
        if not self._sinks:
            self._settle(None)

"""One started command, seen from here: how it ends, and the two ways to end it with all it has started.

`Guarded` speaks with a keeper (`guardian.py`). `Grouped` is what there is without one: a process group, which
a process can leave.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Protocol, TypeVar

from maestri.agents.command import Command, Exit, exit_of, refusal
from maestri.errors import StepFailed

POLL_S = 0.02

T = TypeVar("T")


class Contained(Protocol):
    """A command under way. All futures complete with a value, never with an exception.

    `begun` completes when it is started or cannot be; `exit` with how it ended or why that is not known;
    `gone` when all that it started is gone too. `root` is the process that all of it is below, or is itself.
    """

    begun: asyncio.Future[None]
    exit: asyncio.Future[Exit | StepFailed]
    gone: asyncio.Future[None]

    @property
    def root(self) -> int | None:
        """The process that the command is below; None where it never began."""
        ...

    def terminate(self) -> None:
        """Ask everything to end."""
        ...

    def kill(self) -> None:
        """End everything."""
        ...

    def close(self) -> None:
        """Let go; what may still run is killed."""
        ...


def _give(future: asyncio.Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def never_began() -> StepFailed:
    """Return the error for a command whose guardian died before it could start it."""
    return _ended_outside("the guardian of commands was killed before the command began")


def _ended_outside(message: str) -> StepFailed:
    return StepFailed(message, fix="retry the step", cause="it was ended from outside")


class Guarded:
    """A command under a keeper. `lost` is the keeper that was killed, if it was."""

    def __init__(self, command: Command, line: socket.socket, request: int, limit: int) -> None:
        """Send the request and listen; `limit` is the soft limit of open files that the command gets."""
        loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = loop.create_future()
        self.exit: asyncio.Future[Exit | StepFailed] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.lost: int | None = None
        self._keeper: int | None = None
        self._loop = loop
        self._command = command
        self._line = line
        self._request = request
        self._heard = b""
        line.setblocking(False)
        os.set_blocking(request, False)
        body = b"\0".join([b"%d" % limit, *command.fields()])
        self._unsent = memoryview(len(body).to_bytes(8, "big") + body)
        loop.add_reader(line, self._hear)
        self._send()

    @property
    def root(self) -> int | None:
        """The keeper; None where it never began."""
        return self._keeper

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._request, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # nobody reads it any more: the socket will tell
            self._unsent = self._unsent[:0]
        if self._unsent:
            self._loop.add_writer(self._request, self._send)
        else:
            self._close_request()

    def _close_request(self) -> None:
        if self._request >= 0:
            self._loop.remove_writer(self._request)
            os.close(self._request)
            self._request = -1

    def _hear(self) -> None:
        try:
            words = self._line.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            words = b""
        if not words:
            self._end()
            return
        *lines, self._heard = (self._heard + words).split(b"\n")
        for line in lines:
            self._understand(*line.decode().split())

    def _understand(self, word: str, *rest: str) -> None:
        if word == "starting":
            self._keeper = int(rest[0])
        elif word == "exited":
            _give(self.exit, exit_of(int(rest[0])))
        elif word == "failed":
            _give(self.exit, refusal(rest[0], int(rest[1]), self._command))
        elif word == "gone":
            _give(self.gone, None)
        _give(self.begun, None)

    def _end(self) -> None:
        """Take the end of the socket: in good order, or because the keeper was killed."""
        self._loop.remove_reader(self._line)
        if not self.gone.done():
            self.lost = self._keeper
            message = "the process that keeps this command was killed, and the command with it"
            _give(self.exit, never_began() if self._keeper is None else _ended_outside(message))
        _give(self.begun, None)
        _give(self.gone, None)

    def terminate(self) -> None:
        """Ask everything to end."""
        try:
            self._line.send(b"T")
        except OSError:
            return

    def kill(self) -> None:
        """End everything: the keeper takes the end of its socket for that."""
        try:
            self._line.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """Let go; what may still run is killed."""
        _give(self.begun, None)
        self._loop.remove_reader(self._line)
        self._close_request()
        self._line.close()


class Started(Protocol):
    """A child process as the standard library gives it."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        ...


class Grouped:
    """A command in a process group of its own. What leaves the group is not found again."""

    def __init__(self, child: Started) -> None:
        """Watch a child that leads its own session."""
        self._loop = asyncio.get_running_loop()
        self.begun: asyncio.Future[None] = self._loop.create_future()
        self.exit: asyncio.Future[Exit | StepFailed] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.begun.set_result(None)
        self._child = child
        self._is_killed = False
        self._look()

    @property
    def root(self) -> int | None:
        """The command itself."""
        return self._child.pid

    def _look(self) -> None:
        # Portable, and 50 looks a second cost little; where it matters there is a guardian.
        code = self._child.poll()
        if code is None:
            self._loop.call_later(POLL_S, self._look)
            return
        _give(self.exit, Exit(code, None) if code >= 0 else Exit(None, -code))
        if self._is_killed:
            self.kill()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._child.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def terminate(self) -> None:
        """Ask the group to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the group."""
        self._is_killed = True
        self._signal(signal.SIGKILL)
        if self.exit.done():
            _give(self.gone, None)

    def close(self) -> None:
        """Let go; what may still run is killed."""
        if not self.gone.done():
            self._signal(signal.SIGKILL)

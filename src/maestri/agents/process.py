"""Commands of steps: started, read, and ended with everything that they started.

Rule 1: no process of a step outlives the step, a cancel, a time limit or Maestri itself, `kill -9` included,
    also none that left its session or its parent (`guardian.py` says how).
Rule 2: everything is served by the event loop; a command costs no thread.
Rule 3: where there is no guardian (not Linux), a command gets a process group; what leaves the group is not
    found. `containment()` tells which of the two it is.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import subprocess  # nosec B404 - the one place that starts processes
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from maestri.agents.command import Command, Exit, checked, refusal
from maestri.agents.contained import Contained, Grouped, Guarded, never_began
from maestri.agents.pipes import Pipes, Sink
from maestri.agents.watching import Watching, watch
from maestri.errors import StepFailed

GUARDIAN = "guardian"
GROUP = "process group"
DRAIN_S = 2.0  # how long an ended command's children may still hold its output open
KILL_S = 10.0  # how long to wait for what was killed: the kernel may be unable to end a process now
STARTS = 16  # starts under way at once; more would only queue in the guardian


def containment() -> str:
    """Return how commands are held together on this system: `guardian` or `process group`."""
    return GUARDIAN if sys.platform == "linux" and bool(sys.executable) else GROUP


@cache
def raised_file_limit() -> int:
    """Raise the soft limit of open files to the hard one; return the soft limit that commands get."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):  # macOS refuses what is above its own maximum
        return soft
    return soft


class _Guardian:
    """The guardian process, from the owner's side."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        owner = _own_pidfd()
        passed = [theirs.fileno()] + [owner] * (owner >= 0)
        script = str(Path(__file__).with_name("guardian.py"))
        with theirs:
            self._process = subprocess.Popen(  # nosec B603 - our own interpreter and script
                [sys.executable, "-I", "-S", script, str(theirs.fileno()), str(owner)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=passed,
                cwd="/",
                start_new_session=True,
            )
        if owner >= 0:
            os.close(owner)
        self._control.setblocking(False)
        self._talking = asyncio.Lock()
        self.pid = self._process.pid

    @property
    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process.poll() is None

    async def ready(self) -> bool:
        """Wait until the guardian serves; False if this system does not let it."""
        return await self._heard() == b"ready"

    async def _heard(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self._control, 64)
        except OSError:
            return b""

    def start(self, command: Command, streams: Sequence[int]) -> Guarded:
        """Hand a command over.

        Raises:
            OSError: The guardian is not there any more, or there are no descriptors left.
        """
        ours, theirs = socket.socketpair()
        reading = writing = -1
        try:
            with theirs:
                reading, writing = os.pipe()
                socket.send_fds(self._control, [b"start"], [*streams, theirs.fileno(), reading])
            return Guarded(command, ours, writing, raised_file_limit())
        except BaseException:
            ours.close()
            if writing >= 0:
                os.close(writing)
            raise
        finally:
            if reading >= 0:
                os.close(reading)

    async def settle(self, keeper: int) -> None:
        """Wait until nothing is left of what a killed keeper kept."""
        async with self._talking:
            try:
                self._control.send(b"%d" % keeper)
            except OSError:
                return
            await self._heard()

    def abandon(self) -> None:
        """End a guardian that nothing was handed to."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    async def close(self) -> None:
        """Have the guardian end everything and leave."""
        with suppress(OSError):  # it has left already
            self._control.shutdown(socket.SHUT_WR)
        try:
            while await self._heard():
                continue
            self._process.wait()
        finally:
            self._control.close()


def _own_pidfd() -> int:
    """Return a descriptor that tells of the end of this process, or -1.

    The end of a socket alone would not do: a child that was forked here and lives on holds it open.
    """
    try:
        return os.pidfd_open(os.getpid())
    except (AttributeError, OSError):
        return -1


class Processes:
    """Starts the commands of one Maestri process. To be used from one event loop."""

    def __init__(self, *, contained_by: str | None = None) -> None:
        """Begin without a guardian; the first command starts it.

        Args:
            contained_by: `guardian` or `process group`; by default what the system has.
        """
        self.contained_by = contained_by or containment()
        self._guardian: _Guardian | None = None
        self._opening = asyncio.Lock()
        self._starts = asyncio.Semaphore(STARTS)
        self._running: set[Contained] = set()

    @property
    def guardian_pid(self) -> int | None:
        """The process id of the guardian, None while there is none."""
        return None if self._guardian is None else self._guardian.pid

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str,
        stdin: bytes | None,
        on_stdout: Sink,
        on_stderr: Sink,
        on_start: Callable[[], None] | None = None,
        watching: Watching | None = None,
        grace_s: float = 2.0,
    ) -> Exit:
        """Run a command to its end and return how it ended; nothing of it is left when this returns.

        What the command leaves running is killed: at once, or `DRAIN_S` later where it still holds the
        output open. A cancel asks the whole tree to end, kills it after `grace_s` seconds (a second cancel
        does so at once), and goes on up when it is gone.

        Args:
            argv: The program and its arguments; a program without `/` is looked for in PATH of `env`.
            env: The whole environment of the command.
            cwd: Where it runs.
            stdin: Its standard input; None is an empty one.
            on_stdout: Takes its output in pieces of up to 64 KiB, on the event loop.
            on_stderr: Takes its error output in the same way.
            on_start: Is called when it is its turn, just before it is started.
            watching: How to look at what it uses; it is killed when there is too much of something.
            grace_s: Seconds from the request to end to the kill.

        Raises:
            AgentUnavailable: The program is missing or cannot be executed.
            InputInvalid: An argument, a variable or the directory cannot be used.
            StepFailed: The system has no room for a process, or the command was lost.
        """
        command = checked(argv, env, cwd)
        raised_file_limit()
        try:
            pipes = Pipes(stdin, on_stdout, on_stderr)
        except OSError as error:
            raise refusal("pipe", error.errno or 0, command) from error
        try:
            return await self._run(command, pipes, grace_s, on_start, watching)
        finally:
            pipes.close()

    async def _run(
        self,
        command: Command,
        pipes: Pipes,
        grace_s: float,
        on_start: Callable[[], None] | None,
        watching: Watching | None,
    ) -> Exit:
        contained = await self._start(command, pipes, on_start)
        self._running.add(contained)
        looks = None if watching is None else asyncio.ensure_future(watch(contained, watching))
        try:
            return await _follow(contained, pipes)
        except BaseException:
            await _end(contained, grace_s)
            await self._settle(contained)
            raise
        finally:
            if looks is not None:
                looks.cancel()
                await asyncio.wait([looks])
            self._running.discard(contained)
            contained.close()

    async def _start(self, command: Command, pipes: Pipes, on_start: Callable[[], None] | None) -> Contained:
        await self._starts.acquire()
        try:
            guardian = await self._opened()
            if on_start is not None:
                on_start()
            contained = _handed_over(guardian, command, pipes)
        except BaseException:
            self._starts.release()
            raise
        contained.begun.add_done_callback(lambda _: self._starts.release())
        pipes.serve()
        return contained

    async def _opened(self) -> _Guardian | None:
        """Return a living guardian, started if need be; None where there is none to be had."""
        if self.contained_by != GUARDIAN:
            return None
        async with self._opening:
            if self._guardian is not None and self._guardian.is_alive:
                return self._guardian
            if self._guardian is not None:
                await self._guardian.close()
                self._guardian = None
            guardian = _Guardian()
            try:
                is_ready = await guardian.ready()
            except BaseException:
                guardian.abandon()
                raise
            if is_ready:
                self._guardian = guardian
                return guardian
            guardian.abandon()
            self.contained_by = GROUP  # this system does not let a guardian do its work
            return None

    async def _settle(self, contained: Contained) -> None:
        if isinstance(contained, Guarded) and contained.lost is not None and self._guardian is not None:
            await _patiently(self._guardian.settle(contained.lost), KILL_S)

    async def close(self) -> None:
        """End every command that still runs, and the guardian; may be called again."""
        running = list(self._running)
        for contained in running:
            contained.kill()
        if running:
            await asyncio.wait([contained.gone for contained in running], timeout=KILL_S)
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            await guardian.close()


def _handed_over(guardian: _Guardian | None, command: Command, pipes: Pipes) -> Contained:
    try:
        return _grouped(command, pipes) if guardian is None else guardian.start(command, pipes.theirs)
    except BrokenPipeError as error:
        raise never_began() from error
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError) and error.filename == command.cwd
        raise refusal("directory" if missing else "program", error.errno or 0, command) from error


def _grouped(command: Command, pipes: Pipes) -> Grouped:
    child = subprocess.Popen(  # nosec B603 - no shell; the command is the user's own
        command.argv,
        executable=command.program,
        env=command.env,
        cwd=command.cwd,
        stdin=pipes.theirs[0],
        stdout=pipes.theirs[1],
        stderr=pipes.theirs[2],
        start_new_session=True,
    )
    return Grouped(child)


async def _follow(contained: Contained, pipes: Pipes) -> Exit:
    """Wait for the end of a command, for its output, and for all that it left."""
    first: list[asyncio.Future[Any]] = [contained.exit, pipes.done]
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    while not contained.exit.done():
        if (error := pipes.done.result()) is not None:
            raise error
        await asyncio.wait([contained.exit])
    ended = contained.exit.result()
    if isinstance(ended, StepFailed):
        raise ended
    await asyncio.wait([pipes.done], timeout=DRAIN_S)
    contained.kill()
    await asyncio.wait([contained.gone], timeout=KILL_S)
    await pipes.finish()
    if not contained.gone.done():
        message = f"what the command started could not be ended within {KILL_S:g} s"
        cause = "a process belongs to another user, or the kernel cannot end it now"
        raise StepFailed(message, fix="look for it with `ps` and end it", cause=cause)
    return ended


async def _end(contained: Contained, grace_s: float) -> None:
    """End a command and all that it started, also when this is cancelled meanwhile."""
    if grace_s > 0 and not contained.exit.done():
        contained.terminate()
        await _patiently(asyncio.wait([contained.gone]), grace_s)
    contained.kill()
    loop = asyncio.get_running_loop()
    until = loop.time() + KILL_S
    while not contained.gone.done() and loop.time() < until:
        await _patiently(asyncio.wait([contained.gone]), until - loop.time())


async def _patiently(awaited: Awaitable[object], limit_s: float) -> None:
    """Wait, but not longer than `limit_s` seconds, and only until somebody cancels.

    The cancel is taken in: whoever calls this is on the way up with one already.
    """
    try:
        await asyncio.wait_for(awaited, limit_s)
    except (TimeoutError, asyncio.CancelledError):
        return

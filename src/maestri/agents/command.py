"""A command before it is started: what is run, checked as far as it can be, and what a refusal means."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from maestri.errors import AgentUnavailable, InputInvalid, StepFailed
from maestri.records import NamedTuple

ARGUMENT_BYTES = 131_071  # MAX_ARG_STRLEN of Linux, without the NUL at its end


class Exit(NamedTuple):
    """How a command ended: with an exit code, or by a signal; the other is None."""

    code: int | None
    signal: int | None


class Command(NamedTuple):
    """What is started: the file of the program, its arguments (the first is its name), and where."""

    program: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str

    def fields(self) -> list[bytes]:
        """Return the command in the order in which a keeper reads it, without the limit of files."""
        head = [self.cwd, self.program, str(len(self.argv)), *self.argv]
        return [os.fsencode(field) for field in [*head, *(f"{k}={v}" for k, v in self.env.items())]]


def checked(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> Command:
    """Return a command that can be started, as far as one can tell before.

    Raises:
        AgentUnavailable: The program is not there, or is not a program.
        InputInvalid: The directory is missing, or an argument or variable cannot be passed on.
    """
    if not argv or not argv[0]:
        raise InputInvalid("the command is empty", fix="name a program")
    for place, argument in enumerate(argv):
        _check_text(f"argument {place}" if place else "the program's name", argument)
    for name, value in env.items():
        if not name or "=" in name:
            raise InputInvalid(f"`{name}` is not a name of a variable", fix="use letters, digits and `_`")
        _check_text(f"the variable {name!r}", f"{name}={value}")
    if "\0" in cwd or not Path(cwd).is_dir():
        message = f"the working directory {cwd!r} does not exist"
        raise InputInvalid(message, fix="create it before this step, or correct `cwd`")
    return Command(_program(argv[0], env.get("PATH", os.defpath), cwd), argv, env, cwd)


def _check_text(what: str, text: str) -> None:
    if "\0" in text:
        message = f"{what} holds a NUL character, which no program can be given"
        raise InputInvalid(message, fix="pass the value through `stdin` or a file")
    try:
        size_bytes = len(os.fsencode(text))
    except UnicodeEncodeError as error:
        raise InputInvalid(f"{what} is not valid Unicode: {error}", fix="correct the value") from error
    if size_bytes > ARGUMENT_BYTES:
        message = f"{what} has {size_bytes} bytes; a program can be given {ARGUMENT_BYTES} in one piece"
        raise InputInvalid(message, fix="pass the value through `stdin` or a file")


def _program(name: str, path: str, cwd: str) -> str:
    if "/" in name:
        candidates = [Path(cwd, name)]
    else:
        candidates = [Path(cwd, folder, name) for folder in path.split(os.pathsep)]
    present = [candidate for candidate in candidates if candidate.is_file()]
    for candidate in present:
        if os.access(candidate, os.X_OK):
            return str(candidate)
    if present:
        message = f"{present[0]} is not executable"
        raise AgentUnavailable(message, fix=f"run `chmod +x {present[0]}`, or name its interpreter first")
    raise not_found(name, "" if "/" in name else path)


def not_found(name: str, path: str = "") -> AgentUnavailable:
    """Return the error for a command that is not there; `path` is where it was looked for."""
    message = f"command not found: {name}"
    cause = f"looked for in PATH: {path}" if path else ""
    return AgentUnavailable(message, fix=f"install `{name}`, or correct its name or PATH", cause=cause)


def refusal(stage: str, number: int, command: Command) -> StepFailed:
    """Return the error for a command that the system would not start.

    Args:
        stage: `directory`, `program` or `fork`: what was being done.
        number: The `errno` of the system.
        command: What was to be started.
    """
    words = os.strerror(number)
    if stage == "directory":
        message = f"the working directory {command.cwd!r} cannot be used: {words}"
        return InputInvalid(message, fix="correct `cwd`, or its permissions")
    if number == errno.E2BIG:
        message = f"the arguments and variables of `{command.argv[0]}` are too large together"
        return InputInvalid(message, fix="pass large values through `stdin` or files")
    if number in {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}:
        message = f"`{command.argv[0]}` cannot be started now: {words}"
        fix = "lower `max_concurrent`, or raise the limits of the system (`ulimit -u`, `ulimit -n`)"
        return StepFailed(message, fix=fix)
    message = f"`{command.program}` cannot be started: {words}"
    if number == errno.ENOENT:
        cause = "the interpreter that its first line names, or its loader, is missing"
        return AgentUnavailable(message, fix="correct the first line of the script", cause=cause)
    if number == errno.ENOEXEC:
        cause = "it is neither a program of this machine nor a script with a `#!` line"
        return AgentUnavailable(message, fix="begin the script with `#!/bin/sh`", cause=cause)
    return AgentUnavailable(message, fix="check the file and its permissions")


def exit_of(status: int) -> Exit:
    """Return the meaning of a status as `wait` gives it."""
    code = os.waitstatus_to_exitcode(status)
    return Exit(code, None) if code >= 0 else Exit(None, -code)


def signal_name(number: int) -> str:
    """Return the name of a signal, `SIGSEGV` for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

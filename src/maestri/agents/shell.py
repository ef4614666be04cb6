"""The agent behind `run`: a command, run with `/bin/sh -c` or as a list of arguments."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from maestri.agents.answer import KINDS, artifacts_of, value_of
from maestri.agents.capture import Capture
from maestri.agents.command import Exit, not_found, signal_name
from maestri.agents.environment import step_environment
from maestri.agents.orders import Order, run_order
from maestri.agents.process import Processes
from maestri.errors import ExitFailed, InputInvalid, KilledBySignal, SandboxUnavailable, StepFailed
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.records import NamedTuple

Isolated: TypeAlias = "Callable[[Processes, Mapping[str, Any], Attempt, Order], Awaitable[Exit]]"
NOT_FOUND = 127  # what a shell exits with when it does not find a command
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a command
STDERR_LINES = 10
TAIL_BYTES = 2048
_NOT_FOUND = re.compile(r"(?:^|: )([^\s:]+): (?:command )?not found\s*$", re.MULTILINE)


class _Request(NamedTuple):
    argv: list[str]
    env: dict[str, str]
    stdin: bytes | None
    cwd: str
    output: str
    ok: tuple[int, ...]


class ShellAgent:
    """Performs `run` tasks.

    A request is `{"command": text or list, "env": {...}, "stdin": text, "cwd": text, "output": kind, "ok":
    [codes], "sandbox": …}`; all but `command` may be absent. A text is for `/bin/sh -c`, as it is; nothing is
    ever put into it.
    """

    isolates: Final = True

    def __init__(
        self,
        processes: Processes | None = None,
        *,
        spill_dir: str | None = None,
        isolated: Isolated | None = None,
    ) -> None:
        """Begin.

        Args:
            processes: Starts the commands; shared ones are left open at `close`. Its own by default.
            spill_dir: Where large outputs are kept until they are artifacts.
            isolated: Runs a command in the sandbox that its request asks for; without it that is refused.
        """
        self._isolated = isolated
        self._processes = processes or Processes()
        self._is_owner = processes is None
        self._spill_dir = spill_dir

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Run the command and return its output as the value that was asked for.

        Raises:
            ExitFailed: The exit code is not in `ok`.
            KilledBySignal: A signal ended it.
            OutputInvalid: The output is not what `output` says.
            AgentUnavailable: The command is not there.
            InputInvalid: The request cannot be used.
        """
        request = _read(task.request, attempt)
        stdout = Capture("stdout", attempt, spill_dir=self._spill_dir)
        stderr = Capture("stderr", attempt, spill_dir=self._spill_dir)
        try:
            env = step_environment(attempt, request.env)
            order = Order(
                request.argv,
                env,
                request.cwd,
                request.stdin,
                stdout.feed,
                stderr.feed,
                lambda: stderr.last(TAIL_BYTES),
            )
            ended = await self._run(task.request, attempt, order)
            await stdout.settle()
            await stderr.settle()
            code = _accepted(ended, task.request["command"], request, stdout, stderr)
            value = value_of(request.output, code, stdout, stderr)
            return Answer(value, artifacts=artifacts_of(request.output, stdout, stderr))
        finally:
            stdout.close()
            stderr.close()

    async def _run(self, request: Mapping[str, Any], attempt: Attempt, order: Order) -> Exit:
        if request.get("sandbox") is None:
            return await run_order(self._processes, attempt, order)
        if self._isolated is None:
            message = "the step asks for isolation, and nobody here can give it: nothing was run"
            raise SandboxUnavailable(
                message, fix="give the agent what runs commands in sandboxes (`isolated`)"
            )
        return await self._isolated(self._processes, request, attempt, order)

    async def close(self) -> None:
        """End what still runs."""
        if self._is_owner:
            await self._processes.close()


def _read(request: Mapping[str, Any], attempt: Attempt) -> _Request:
    command = request.get("command")
    if isinstance(command, str) and command.strip():
        argv = ["/bin/sh", "-c", command]
    elif isinstance(command, list) and command:
        argv = [_text(f"argument {n}", part) for n, part in enumerate(command)]
    else:
        message = f"`run` needs a command, not {command!r}"
        raise InputInvalid(message, fix="write a shell command or a list of arguments")
    output = request.get("output", "text")
    if output not in KINDS:
        raise InputInvalid(f"`output: {output}` is not known", fix=f"use one of {', '.join(KINDS)}")
    stdin = request.get("stdin")
    return _Request(
        argv,
        {name: _text(f"the variable {name!r}", value) for name, value in request.get("env", {}).items()},
        None if stdin is None else _bytes(_text("`stdin`", stdin)),
        str(Path(attempt.cwd, _text("`cwd`", request.get("cwd", ".")))),
        output,
        tuple(request.get("ok", (0,))),
    )


def _text(what: str, value: Any) -> str:
    """Return a value as a command gets it: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        message = f"{what} is null, which a command cannot be given"
        raise InputInvalid(message, fix='say what null means: `${default(x, "")}`')
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputInvalid(f"`stdin` is not valid Unicode: {error}", fix="correct the value") from error


def _accepted(
    ended: Exit, command: str | list[Any], request: _Request, stdout: Capture, stderr: Capture
) -> int:
    """Return the exit code of a command that went well; raise for the others."""
    if ended.code is not None and ended.code in request.ok:
        return ended.code
    said = stderr.last(TAIL_BYTES).rstrip()
    if ended.code == NOT_FOUND and (missing := _NOT_FOUND.search(said)):
        raise not_found(missing[1], request.env.get("PATH", ""))
    lines = "\n".join(said.splitlines()[-STDERR_LINES:])
    detail: dict[str, Any] = {
        "exit_code": ended.code,
        "stderr": lines,
        "stdout_tail": stdout.last(TAIL_BYTES),
    }
    for stream, name in ((stdout, "stdout_artifact"), (stderr, "stderr_artifact")):
        if (ref := stream.artifact()) is not None:
            detail[name] = ref.as_json()
    raise _failure(ended, _shown(command), request.ok, lines, detail)


def _failure(ended: Exit, shown: str, ok: tuple[int, ...], said: str, detail: dict[str, Any]) -> StepFailed:
    last = f": {said.splitlines()[-1].strip()}" if said else ""
    if ended.signal is not None:
        name = signal_name(ended.signal)
        detail["signal"] = name
        message = f"`{shown}` was killed by {name}{last}"
        return KilledBySignal(
            message, cause=_signal_cause(name), fix=_signal_fix(name, detail), detail=detail
        )
    message = f"`{shown}` ended with exit code {ended.code}{last}"
    cause = ""
    if ended.code is not None and BY_SIGNAL < ended.code < BY_SIGNAL + 65:
        name = signal_name(ended.code - BY_SIGNAL)
        cause = f"a shell says {ended.code} when a command was ended by {name}. {_signal_cause(name)}".strip()
    wanted = ", ".join(str(code) for code in ok) or "none"
    fix = f"{_look(detail)}; if {ended.code} is fine, add it to `ok` (now: {wanted})"
    return ExitFailed(message, cause=cause, fix=fix, detail=detail)


def _signal_cause(name: str) -> str:
    if name == "SIGKILL":
        return "somebody killed it; where nobody did, the system was out of memory"
    if name in {"SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"}:
        return "the program crashed"
    return ""


def _signal_fix(name: str, detail: dict[str, Any]) -> str:
    return "give it more memory or less to do" if name == "SIGKILL" else f"{_look(detail)}, then retry"


def _look(detail: dict[str, Any]) -> str:
    """Return where to look for why a command failed; a command that wrote nothing has no log."""
    wrote = detail["stderr"] or detail["stdout_tail"]
    return "see the step's log" if wrote else "it wrote nothing: start it by hand to see why"


def _shown(command: str | list[Any]) -> str:
    """Return a command as messages show it: one line, shortened."""
    text = command if isinstance(command, str) else shlex.join(str(part) for part in command)
    first, *more = text.strip().splitlines()
    return first[:76] + " …" if more or len(first) > 76 else first

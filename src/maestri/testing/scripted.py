"""An agent that answers from a script: for tests of workflows, without models, money or processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from maestri.errors import StepFailed, UsageError
from maestri.kernel.ports import Answer, Attempt, Task

Play = Callable[[Task, Attempt], Any]


class ScriptedAgent:
    """Answers by path or in order, and records what it was asked.

    An answer is a JSON value, an `Answer`, an exception, which is raised, or a function of task and attempt
    (async or not) that returns any of these. `fails_first` and `waits_for` make such functions.

    Example:
        >>> agent = ScriptedAgent({"/plan": {"files": 2}, "/fix#*": fails_first(2, "done")})
    """

    isolates: Final = True  # it starts nothing that a sandbox could hold

    def __init__(self, answers: Mapping[str, Any] | Sequence[Any], *, log: Path | None = None) -> None:
        """Begin with a script.

        Args: answers: Answers by a glob over paths, of which the first that matches counts; or a list of
        answers, each given once, in the order of the calls. log: A file that gets one line of JSON per call
        (`path`, `number`, `key`). It is no part of a journal: it tells how often a step was really
        performed, also across crashes.
        """
        self.tasks: list[Task] = []
        self.attempts: list[Attempt] = []
        self.closed = 0
        self._by_path = answers if isinstance(answers, Mapping) else None
        self._in_order = [] if isinstance(answers, Mapping) else list(answers)
        self._log = log

    @property
    def paths(self) -> list[str]:
        """The paths of the calls so far."""
        return [attempt.path for attempt in self.attempts]

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Give the answer that the script has for this call.

        Raises:
            UsageError: The script has none.
            Exception: The exception that is the answer.
        """
        self.tasks.append(task)
        self.attempts.append(attempt)
        if self._log is not None:
            _note(self._log, attempt)
        return await _played(self._answer(attempt.path), task, attempt)

    def _answer(self, path: str) -> Any:
        if self._by_path is None:
            if self._in_order:
                return self._in_order.pop(0)
            message = f"the script has no answer left for {path}, call {len(self.tasks)}"
            raise UsageError(message, fix="add one to the list")
        for glob, answer in self._by_path.items():
            if fnmatchcase(path, glob):
                return answer
        message = f"the script has no answer for {path}, only for {', '.join(self._by_path)}"
        raise UsageError(message, fix="add the path, or `*` for all others")

    async def close(self) -> None:
        """Count the call."""
        self.closed += 1


def fails_first(times: int, then: Any, error: Exception | None = None) -> Play:
    """Return an answer that is an error for the first calls, and `then` from there on."""
    failure = error or StepFailed("failed by script")
    left = times

    def play(_task: Task, _attempt: Attempt) -> Any:
        nonlocal left
        left -= 1
        return failure if left >= 0 else then

    return play


def waits_for(event: asyncio.Event, then: Any) -> Play:
    """Return an answer that is given when an event is set."""

    async def play(_task: Task, _attempt: Attempt) -> Any:
        await event.wait()
        return then

    return play


async def _played(answer: Any, task: Task, attempt: Attempt) -> Answer:
    while callable(answer) and not isinstance(answer, type):
        answer = answer(task, attempt)
        if isinstance(answer, Awaitable):
            answer = await answer
    if isinstance(answer, BaseException):
        raise answer
    return answer if isinstance(answer, Answer) else Answer(answer)


def _note(log: Path, attempt: Attempt) -> None:
    line = json.dumps({"path": attempt.path, "number": attempt.number, "key": attempt.key})
    with log.open("a") as file:  # one write of one line: concurrent calls do not mix
        file.write(line + "\n")

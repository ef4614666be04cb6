"""The agents of the house, and some that break the promises, under the conformance kit."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, cast

import pytest

from maestri.agents.python import PythonAgent
from maestri.agents.shell import ShellAgent
from maestri.errors import StepFailed
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.testing import ScriptedAgent, check_agent
from maestri.testing.scripted import waits_for


def raises() -> None:
    raise ValueError("no")


async def sleeps() -> None:
    await asyncio.sleep(100)


def task(word: str) -> Task:
    return Task("x", {"word": word})


@pytest.mark.parametrize("command", ["sleep 100", "trap '' TERM; setsid sleep 100 & sleep 100"])
def test_the_shell_agent_keeps_the_promises(command: Any) -> None:
    ok, fails, hangs = (
        Task("shell", {"command": c}) for c in ("echo ok; sleep 100 2>/dev/null >&2 &", "exit 1", command)
    )
    asyncio.run(check_agent(ShellAgent, ok, fails, hangs))


def test_the_python_agent_keeps_the_promises() -> None:
    ok, fails, hangs = (Task("python", {}, function=f) for f in (dict, raises, sleeps))
    asyncio.run(check_agent(PythonAgent, ok, fails, hangs))


class Scripted(ScriptedAgent):
    """Answers by the word in the request."""

    def __init__(self, **changed: Any) -> None:
        plan = {
            "ok": 1,
            "fails": StepFailed("no"),
            "hangs": waits_for(asyncio.Event(), 1),
            **changed,
        }
        super().__init__({"*": lambda task, _attempt: plan[task.request["word"]]})


def check(**changed: Any) -> None:
    words = ("ok", "fails", "hangs")
    asyncio.run(check_agent(lambda: Scripted(**changed), *(task(word) for word in words)))


def test_the_scripted_agent_keeps_the_promises() -> None:
    check()


async def stubborn(_task: Task, _attempt: Attempt) -> str:
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(100)
    return "not cancelled"


def silent(_task: Task, attempt: Attempt) -> int:
    attempt.log(b"output")
    return 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ok": {1, 2}}, "does not survive JSON"),
        ({"ok": (1, 2)}, "comes back from JSON"),
        ({"ok": StepFailed("no")}, "that should succeed failed"),
        ({"ok": silent}, "without calling `beat`"),
        ({"fails": 1}, "that should fail succeeded"),
        ({"fails": ValueError("no")}, "must be a RunError"),
        ({"fails": StepFailed(" ")}, "has no message"),
        ({"hangs": 1}, "that should hang has ended"),
        ({"hangs": stubborn}, "must end with CancelledError"),
    ],
)
def test_a_broken_promise_is_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check(**changed)


def test_an_answer_must_be_an_answer() -> None:
    class Bare(Scripted):
        async def perform(self, task: Task, attempt: Attempt) -> Answer:
            answer = await super().perform(task, attempt)
            return cast("Answer", answer.value)

    with pytest.raises(AssertionError, match="not an Answer"):
        asyncio.run(check_agent(Bare, task("ok"), task("fails"), task("hangs")))

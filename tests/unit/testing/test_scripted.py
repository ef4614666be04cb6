"""The scripted agent: answers by path or in order, and a record of the calls."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from maestri.errors import StepFailed, UsageError
from maestri.kernel.ports import Answer, Task
from maestri.testing import ScriptedAgent
from maestri.testing.check_agent import Witness
from maestri.testing.scripted import fails_first, waits_for

TASK = Task("scripted", {"prompt": "x"})


def perform(agent: ScriptedAgent, folder: Path, path: str = "/step") -> Any:
    return asyncio.run(agent.perform(TASK, Witness(folder, path).attempt)).value


def test_answers_go_by_path(tmp_path: Path) -> None:
    agent = ScriptedAgent({"/a": 1, "/each#*": [2], "*": "rest"})
    found = [perform(agent, tmp_path, path) for path in ("/a", "/each#7", "/b/c")]
    assert found == [1, [2], "rest"]
    assert agent.paths == ["/a", "/each#7", "/b/c"]


def test_answers_go_in_order(tmp_path: Path) -> None:
    agent = ScriptedAgent([1, Answer(2), lambda task, _attempt: task.request["prompt"]])
    assert [perform(agent, tmp_path) for _ in range(3)] == [1, 2, "x"]


@pytest.mark.parametrize("answers", [[], {"/other": 1}])
def test_a_script_without_an_answer_says_so(tmp_path: Path, answers: Any) -> None:
    with pytest.raises(UsageError, match="/step"):
        perform(ScriptedAgent(answers), tmp_path)


def test_an_exception_is_raised(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="no"):
        perform(ScriptedAgent([StepFailed("no")]), tmp_path)


def test_an_answer_may_fail_first(tmp_path: Path) -> None:
    agent = ScriptedAgent({"*": fails_first(2, "done")})
    for _ in range(2):
        with pytest.raises(StepFailed):
            perform(agent, tmp_path)
    assert perform(agent, tmp_path) == "done"


def test_an_answer_may_wait(tmp_path: Path) -> None:
    async def work() -> tuple[bool, Any]:
        event = asyncio.Event()
        agent = ScriptedAgent([waits_for(event, "done")])
        running = asyncio.ensure_future(agent.perform(TASK, Witness(tmp_path).attempt))
        await asyncio.sleep(0)
        waited = not running.done()
        event.set()
        return waited, (await running).value

    assert asyncio.run(work()) == (True, "done")


def test_calls_are_written_down(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    perform(ScriptedAgent([1], log=log), tmp_path, "/a")
    assert json.loads(log.read_text())["path"] == "/a"

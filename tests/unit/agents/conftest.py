"""What the tests of agents share: an attempt that records what an agent does with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestri.agents.shell import ShellAgent
from maestri.kernel.ports import Agent, Answer, Task
from maestri.testing.check_agent import Witness


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def performed(witness: Witness) -> Callable[..., Answer]:
    """Perform one task with an agent and close it."""

    def perform(agent: Agent, task: Task) -> Answer:
        async def work() -> Answer:
            try:
                return await agent.perform(task, witness.attempt)
            finally:
                await agent.close()

        return asyncio.run(work())

    return perform


@pytest.fixture
def run(performed: Callable[..., Answer]) -> Callable[..., Answer]:
    """Perform a `run` task."""

    def perform(command: Any, **rest: Any) -> Answer:
        return performed(ShellAgent(), Task("shell", {"command": command, **rest}))

    return perform

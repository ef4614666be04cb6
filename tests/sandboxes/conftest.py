"""What the tests of sandboxes share: commands that are run in one, and the reason where one cannot be had."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from maestri.agents.isolated import run_isolated
from maestri.agents.process import Processes
from maestri.agents.shell import ShellAgent
from maestri.kernel.isolation import CODE
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.sandboxes.bubblewrap import Bubblewrap
from maestri.sandboxes.landlock import Landlock
from maestri.sandboxes.local import LocalSandboxes, begin
from maestri.sandboxes.policy import Mechanism
from maestri.testing.check_agent import Witness

WAYS: dict[str, Callable[[], Mechanism]] = {"bubblewrap": Bubblewrap, "landlock": Landlock}


@cache
def _why_not(name: str) -> str:
    proof = begin(WAYS[name](), CODE)()
    return "" if proof.holds else f"{proof.said} {proof.leaks}"


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> Mechanism:
    """Each mechanism. Bubblewrap needs what not every machine has; Landlock has to work where tests run."""
    why_not = _why_not(request.param)
    if why_not and request.param == "bubblewrap":
        pytest.skip(f"its canary says: {why_not}")
    return WAYS[request.param]()


@pytest.fixture
def bubblewrap() -> Mechanism:
    if why_not := _why_not("bubblewrap"):
        pytest.skip(f"its canary says: {why_not}")
    return Bubblewrap()


class Box(NamedTuple):
    """Runs commands in a sandbox, in a folder of their own; `records` are what went into the journal."""

    place: Path
    ways: tuple[Mechanism, ...]
    records: list[tuple[str, str, Any]]

    @property
    def folder(self) -> Path:
        return self.place / "work"

    async def perform(self, command: Any, sandbox: Any = None, **more: Any) -> Answer:
        asked = {"profile": "code", "minimum": "basic"} | (sandbox or {})
        request = {"command": command, "sandbox": asked, **more}
        sandboxes = LocalSandboxes(self.place / "launches", self.place / "state", ways=self.ways)

        async def isolated(processes: Processes, *order: Any) -> Any:
            return await run_isolated(sandboxes, processes, *order)

        agent = ShellAgent(isolated=isolated)
        try:
            return await agent.perform(Task("run", request), self.attempt())
        finally:
            await agent.close()

    def run(self, command: Any, sandbox: Any = None, **more: Any) -> Any:
        return asyncio.run(self.perform(command, sandbox, **more)).value

    def attempt(self) -> Attempt:
        def record(*words: Any) -> None:
            self.records.append(words)

        return Witness(self.folder).attempt._replace(record=record)


def _box(tmp_path: Path, *ways: Mechanism) -> Box:
    for name in ("work", "state"):
        (tmp_path / name).mkdir()
    return Box(tmp_path, ways, [])


@pytest.fixture
def box(way: Mechanism, tmp_path: Path) -> Box:
    return _box(tmp_path, way)


@pytest.fixture
def strong_box(bubblewrap: Mechanism, tmp_path: Path) -> Box:
    return _box(tmp_path, bubblewrap)


@pytest.fixture
def box_of(tmp_path: Path) -> Callable[..., Box]:
    return lambda *ways: _box(tmp_path, *ways)

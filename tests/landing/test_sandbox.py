"""A sandbox around a landing holds what verifies branches; it is never passed over."""

from pathlib import Path
from typing import Any

import pytest
from tests.landing.ground import Crew, Repository
from tests.same.playing import compiled

from maestri.kernel.clock import SystemClock
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.testing.play import Stage

YAML = "steps: {ship: {land: {branches: [docs], into: release, base: main, verify: 'true'}, SANDBOX}}"


class Watched(Crew):
    """Keeps the requests of commands, and runs none of them."""

    def __init__(self, root: Path, cwd: Path) -> None:
        super().__init__(root, cwd)
        self.commands: list[Any] = []

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        if task.agent != "run":
            return await super().perform(task, attempt)
        self.commands.append(task.request)
        return Answer("")


@pytest.mark.parametrize(("said", "isolation"), [("sandbox: code", "code"), ("sandbox: none", None)])
def test_commands_that_verify_are_held_as_the_landing_is(tmp_path: Path, said: str, isolation: Any) -> None:
    repository = Repository(tmp_path / "repository", {"a": "one\n"})
    repository.branch("docs", {"docs": "words\n"})
    crew = Watched(tmp_path / "state", repository.place)
    flow = compiled(YAML.replace("SANDBOX", said))
    ended = Stage(lambda ctx: flow(ctx, {}), agent=crew, clock=SystemClock()).play()
    assert ended.failure is None, ended.failure
    assert {request.get("sandbox") for request in crew.commands} == {isolation}
    rooms = {request.get("folder", "").rpartition("/rooms/")[2] for request in crew.commands}
    assert len(crew.commands) == 2
    assert all(room.endswith("/repository") for room in rooms) is (isolation is not None)

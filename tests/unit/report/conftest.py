"""Events from short notes, in a fixed time zone."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.path import parent

Note = tuple[Any, ...]


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def history() -> Callable[..., list[Stored]]:
    """Return a function: notes `(kind, path, body?)`, one a second from 12:00:00, to events."""

    def made(*notes: Note) -> list[Stored]:
        found = []
        for number, (kind, path, *rest) in enumerate(notes):
            scope, name = parent(path) if path else ("", "")
            found.append(
                Stored(ev.KINDS[kind], scope, name, 43200.0 + number, "", rest[0] if rest else {}, number + 1)
            )
        return found

    return made


@pytest.fixture
def checks(history: Callable[..., list[Stored]]) -> list[Stored]:
    """A run under way: of three checks one is done, one runs its second attempt, one has failed."""
    failure = {"type": "ExitFailed", "code": "S101", "message": "exit code 2"}
    return history(
        ("run.started", "", {"workflow": "harden", "inputs": {}}),
        ("scope.opened", "/checks", {"pattern": "parallel", "total": 4}),
        ("step.started", "/checks/lint", {"agent": "run"}),
        ("step.started", "/checks/types", {"agent": "run"}),
        ("step.started", "/checks/tests", {"agent": "run"}),
        ("step.succeeded", "/checks/lint", {"output": "fine"}),
        ("step.retried", "/checks/types", {"attempt": 1, "delay_s": 0.5, "failure": failure}),
        ("step.started", "/checks/types", {"agent": "run", "attempt": 2}),
        ("step.failed", "/checks/tests", {"failure": failure}),
    )

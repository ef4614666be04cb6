"""Reading a run: whole when it is short, bounded when it is long."""

from collections.abc import Sequence
from typing import Any

import pytest

from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.ports import RunInfo
from maestri.report.reading import last_seq, read_tree, status_of


class Shelf:
    """A journal in memory that counts what is read of it."""

    def __init__(self, events: Sequence[Stored]) -> None:
        self._events = events
        self.read = 0

    def info(self) -> RunInfo:
        return RunInfo("id", "name", "w", "/", 0.0, 1)

    def _counted(self, found: Sequence[Stored]) -> Sequence[Stored]:
        self.read += len(found)
        return found

    def events(self, after: int = 0, limit: int = 1000) -> Sequence[Stored]:
        return self._counted(self._events[after : after + limit])

    def scope(self, scope: str, limit: int = 1000) -> Sequence[Stored]:
        return self._counted([event for event in self._events if event.scope == scope][-limit:])

    def run_events(self) -> Sequence[Stored]:
        return self._counted([event for event in self._events if not event.scope])

    def close(self) -> None:
        pass


def long_loop(rounds: int) -> list[Stored]:
    found: list[tuple[int, str, str, dict[str, Any]]] = [
        (ev.RUN_STARTED, "", "", {"workflow": "w"}),
        (ev.OPENED, "/", "l", {"pattern": "loop"}),
    ]
    for n in range(1, rounds + 1):
        found.append((ev.STARTED, f"/l/round#{n}", "x", {"agent": "run"}))
        if n < rounds:
            found.append((ev.SUCCEEDED, f"/l/round#{n}", "x", {"output": n}))
            found.append((ev.SEALED, "/l", f"round#{n}", {"output": n}))
    return [Stored(k, s, n, float(i), "", b, i + 1) for i, (k, s, n, b) in enumerate(found)]


def test_a_short_journal_is_read_whole() -> None:
    tree = read_tree(Shelf(long_loop(5)))
    assert tree.step("/l/round#5/x").state == "running"
    assert tree.earlier == set()


def test_of_a_long_journal_only_what_is_open_is_read() -> None:
    shelf = Shelf(long_loop(20_000))
    tree = read_tree(shelf)
    assert tree.step("/l/round#20000/x").state == "running"
    assert tree.step("/l").state == "running"
    assert "/l" in tree.earlier
    assert shelf.read < 10_000


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 1000])
def test_the_last_event_is_found_by_halving(count: int) -> None:
    events = [Stored(ev.STARTED, "/", "x", 0.0, "", {}, n + 1) for n in range(count)]
    assert last_seq(Shelf(events)) == count


def test_the_status_of_a_listed_run() -> None:
    assert status_of(ev.RUN_FAILED, "", alive=False) == "failed"
    assert status_of(None, "/go", alive=False) == "waiting"
    assert status_of(None, "", alive=True) == "running"
    assert status_of(None, "", alive=False) == "interrupted"

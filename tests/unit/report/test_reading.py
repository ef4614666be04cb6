"""Reading a run: whole when it is short, bounded when it is long."""

from collections.abc import Sequence
from typing import Any

from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.ports import RunInfo
from maestri.report.reading import read_tree, read_whole, status_of


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

    def last_seq(self) -> int:
        return len(self._events)

    def step(self, path: str) -> Sequence[Stored]:
        return self._counted([event for event in self._events if event.path == path])

    def ended(self, scope: str) -> int:
        ends = ev.STEP_ENDS | ev.SCOPE_ENDS
        return len({event.name for event in self._events if event.scope == scope and event.kind in ends})

    def failures(self, limit: int = 1000) -> Sequence[Stored]:
        return self._counted([event for event in self._events if event.kind in ev.FAILURES][-limit:])

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
    assert tree.folded["/l"].total + len(tree.children["/l"]) == 20_000
    assert "/l" not in tree.earlier, "rounds are begun one after the other, so none is left out that goes on"
    assert shelf.read < 5000


def wide_fan(
    branches: int, fails: set[int], more: Sequence[tuple[int, str, str, dict[str, Any]]] = ()
) -> Shelf:
    found: list[tuple[int, str, str, dict[str, Any]]] = [
        (ev.RUN_STARTED, "", "", {"workflow": "w"}),
        (ev.OPENED, "/", "f", {"pattern": "parallel", "total": branches}),
    ]
    for n in range(1, branches + 1):
        failure = {"code": "S100", "message": f"no {n}"}
        kind, body = (ev.FAILED, {"failure": failure}) if n in fails else (ev.SUCCEEDED, {"output": n})
        found += [(ev.STARTED, "/f", f"b{n}", {"agent": "run"}), (kind, "/f", f"b{n}", body)]
    found += more
    return Shelf([Stored(k, s, n, float(i), "", b, i + 1) for i, (k, s, n, b) in enumerate(found)])


def test_what_failed_long_ago_is_named_and_all_others_are_counted() -> None:
    shelf = wide_fan(20_000, {7, 500})
    tree = read_tree(shelf)
    assert [step.path for step in tree.below("/f") if step.state == "failed"] == ["/f/b7", "/f/b500"]
    assert tree.ended_in("/f") == 20_000
    assert tree.folded["/f"].are_done
    assert "/f" not in tree.earlier, "all have ended: none can be under way"
    assert shelf.read < 5000


def test_of_very_many_failures_the_last_are_named_and_nobody_is_called_done() -> None:
    tree = read_tree(wide_fan(20_000, set(range(1, 1001))))
    named = [step.path for step in tree.below("/f") if step.state == "failed"]
    assert tree.fails_more
    assert named[-1] == "/f/b1000"
    assert not tree.folded["/f"].are_done


def test_a_failure_that_was_taken_back_is_not_named() -> None:
    reopened = (ev.RUN_REOPENED, "", "", {"paths": ["/f", "/f/b7"]})
    tree = read_tree(wide_fan(20_000, {7}, [reopened]))
    assert "/f/b7" not in tree.run.steps
    assert not tree.folded["/f"].are_done, "what became of it was not read"


def test_a_cancelled_step_is_not_named_once_the_run_was_resumed() -> None:
    cancelled = (ev.CANCELLED, "/f", "b1", {"reason": "scope"})
    resumed = (ev.RUN_RESUMED, "", "", {"epoch": 2})
    many = [(ev.SUCCEEDED, "/f", f"c{n}", {"output": n}) for n in range(1000)]
    assert "/f/b1" in read_tree(wide_fan(20_000, set(), [cancelled, *many])).run.steps
    assert "/f/b1" not in read_tree(wide_fan(20_000, set(), [cancelled, resumed, *many])).run.steps


def test_the_whole_of_a_long_journal_is_read_when_asked_for() -> None:
    tree = read_whole(wide_fan(5000, {7}))
    assert len(tree.children["/f"]) == 5000
    assert not tree.folded


def test_the_status_of_a_listed_run() -> None:
    assert status_of(ev.RUN_FAILED, "", alive=False) == "failed"
    assert status_of(None, "/go", alive=False) == "waiting"
    assert status_of(None, "", alive=True) == "running"
    assert status_of(None, "", alive=False) == "interrupted"

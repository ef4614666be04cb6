"""The steps of a run as workers: seven states, and events in the form of other systems."""

import pytest

from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.events import Stored
from maestri.kernel.state import StepState
from maestri.report.diagrams.shapes import WAVES, Shape
from maestri.report.tree import Tree, grown
from maestri.report.workers import worker_event, workers


def event(kind: int, path: str = "/a", **body: object) -> Stored:
    scope, _, name = path.rpartition("/")
    return Stored(kind, scope or "/", name, 1_700_000_000.25, "", dict(body), 1)


def begun(*events: Stored) -> Tree:
    return grown([Stored(ev.RUN_STARTED, "", "", 0, "", {"workflow": "w"}, 1), *events])


def states(tree: Tree, definition: Shape | None = None, *, starting: bool = False) -> list[str]:
    found = workers(tree, definition, lambda step: starting and step.state == state.RUNNING)
    return [f"{worker.path} {worker.state}" for worker in found]


def test_every_state_has_its_word_and_all_seven_are_used() -> None:
    own = {value for name, value in vars(state).items() if name.isupper() and isinstance(value, str)}
    assert set(state.WORKER_STATES) == own
    words = {"PENDING", "READY", "STARTING", "ACTIVE", "BLOCKED", "COMPLETE", "FAILED"}
    assert set(state.WORKER_STATES.values()) == words


@pytest.mark.parametrize(
    ("note", "word"), [("when", "COMPLETE"), ("/build", "PENDING"), ("by-hand", "COMPLETE")]
)
def test_what_was_skipped_is_complete_only_where_nothing_is_unmet(note: str, word: str) -> None:
    assert state.worker_state(StepState("/a", state.SKIPPED, note=note)) == word


GRAPH = Shape(
    "w",
    children=(
        Shape(
            "net",
            "graph",
            layout=WAVES,
            children=(Shape("a", "run"), Shape("b", "run", needs=("a",)), Shape("c", "run", needs=("b",))),
        ),
        Shape("last", "run"),
    ),
)


def test_what_has_not_begun_is_ready_where_all_that_it_needs_is_done() -> None:
    tree = begun(
        event(ev.OPENED, "/net", pattern="graph"),
        event(ev.STARTED, "/net/a"),
        event(ev.SUCCEEDED, "/net/a", output=1),
    )
    assert states(tree, GRAPH) == ["/net/a COMPLETE", "/net/b READY", "/net/c PENDING", "/last PENDING"]


def test_a_worker_is_starting_until_its_process_is_there() -> None:
    tree = begun(event(ev.STARTED, "/a", agent="run"))
    assert (states(tree, starting=True), states(tree)) == (["/a STARTING"], ["/a ACTIVE"])


def test_a_pattern_is_blocked_where_nothing_in_it_goes_on() -> None:
    definition = Shape("w", children=(Shape("loop", "loop", repeats="again", children=(Shape("x", "run"),)),))
    tree = begun(
        event(ev.OPENED, "/loop"), event(ev.STARTED, "/loop/x"), event(ev.HELD, "/loop/x", reason="no key")
    )
    (worker,) = workers(tree, definition, lambda _: False)
    assert (worker.state, worker.note) == ("BLOCKED", "no key")


def test_an_event_of_a_worker_has_the_form_of_other_systems() -> None:
    data = {"tasks_completed": 15}
    found = worker_event(
        event(ev.REPORTED, "/foundation", what="checkpoint", text="phase1_complete", data=data)
    )
    assert found == {
        "timestamp": "2023-11-14T22:13:20.250Z",
        "worker_id": "foundation",
        "event_type": "worker.checkpoint",
        "data": {"checkpoint": "phase1_complete", "reported": True, "tasks_completed": 15},
    }


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (ev.STARTED, {}, "worker.started"),
        (ev.HELD, {"reason": "no key"}, "worker.blocked"),
        (ev.RELEASED, {"note": "now"}, "worker.unblocked"),
        (ev.SUCCEEDED, {"output": 1}, "worker.complete"),
        (ev.FAILED, {"failure": {"message": "no", "code": "S100"}}, "worker.failed"),
        (ev.REPORTED, {"what": "task-started"}, "worker.task_started"),
        (ev.REPORTED, {"what": "task-completed"}, "worker.task_completed"),
        (ev.REPORTED, {"what": "left-out"}, "worker.checkpoint"),
    ],
)
def test_each_kind_has_its_type(kind: int, body: dict[str, object], expected: str) -> None:
    found = worker_event(event(kind, "/a", **body))
    assert found is not None
    assert found["event_type"] == expected


def test_what_concerns_no_worker_is_left_out() -> None:
    assert worker_event(event(ev.DECIDED, "/a", value=1)) is None
    assert worker_event(event(ev.REPORTED, "/a", what="sandbox", text="bubblewrap")) is None
    assert worker_event(Stored(ev.RUN_PARKED, "", "", 0, "", {}, 1)) is None

"""The table of transitions, and runs folded from events."""

from typing import Any

import pytest

from maestri.errors import InternalError
from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.events import Stored
from maestri.kernel.state import RunState, below, fold

STARTED: dict[str, Any] = {"workflow": "w", "inputs": {}, "cwd": ".", "definition": {}}


def stored(kind: int, path: str = "", **body: Any) -> Stored:
    scope, _, name = path.rpartition("/")
    return Stored(kind, (scope or "/") if path else "", name, 5.0, "", body, 1)


def run_of(*events: Stored) -> RunState:
    return fold([stored(ev.RUN_STARTED, **STARTED), *events])


def test_every_state_of_the_table_is_known_and_every_kind_too() -> None:
    known = state.LIVE | state.ENDED | {state.WAITING}
    assert {s for s, _ in state.TRANSITIONS} | set(state.TRANSITIONS.values()) <= known
    assert {kind for _, kind in state.TRANSITIONS} <= set(ev.NAMES)


def test_every_kind_either_moves_something_or_is_neutral() -> None:
    moving = {kind for _, kind in state.TRANSITIONS}
    assert moving | state.NEUTRAL == set(ev.NAMES)
    assert not moving & state.NEUTRAL


def test_what_succeeded_is_left_only_by_a_reopening() -> None:
    assert [pair for pair in state.TRANSITIONS if pair[0] == state.SUCCEEDED] == []


@pytest.mark.parametrize("live", ["pending", "ready", "running", "blocked"])
def test_any_live_step_may_be_cancelled(live: str) -> None:
    assert state.advance(live, ev.CANCELLED) == "cancelled"


@pytest.mark.parametrize("kind", [ev.STARTED, ev.BLOCKED, ev.SUCCEEDED, ev.FAILED, ev.SKIPPED, ev.CANCELLED])
def test_what_was_cancelled_along_may_do_whatever_something_new_may(kind: int) -> None:
    assert state.advance("cancelled", kind) == state.advance("pending", kind)


@pytest.mark.parametrize("kind", [ev.STARTED, ev.BLOCKED, ev.FAILED, ev.SKIPPED, ev.CANCELLED, ev.OPENED])
def test_what_was_skipped_for_a_failure_may_do_whatever_something_new_may(kind: int) -> None:
    assert state.advance("skipped", kind) == state.advance("pending", kind)


def test_an_impossible_transition_is_a_bug_that_names_both() -> None:
    with pytest.raises(InternalError, match=r"step\.started cannot happen to what is succeeded"):
        state.advance("succeeded", ev.STARTED)


def test_a_step_that_is_retried_shows_its_attempt_and_why() -> None:
    run = run_of(
        stored(ev.STARTED, "/a", agent="run"),
        stored(ev.RETRIED, "/a", attempt=1, failure={"message": "exit 1"}),
        stored(ev.STARTED, "/a", agent="run", attempt=2),
    )
    assert (run.steps["/a"].state, run.steps["/a"].attempt, run.steps["/a"].agent) == ("running", 2, "run")


def test_a_failed_step_shows_its_message() -> None:
    failed = stored(ev.FAILED, "/a", failure={"message": "no"})
    run = run_of(stored(ev.STARTED, "/a"), failed)
    assert (run.steps["/a"].state, run.steps["/a"].note, run.steps["/a"].ended) == ("failed", "no", 5.0)


def test_a_reopened_run_takes_back_what_it_names() -> None:
    run = run_of(
        stored(ev.STARTED, "/a"),
        stored(ev.FAILED, "/a", failure={"message": "no"}),
        stored(ev.RUN_FAILED, failure={"message": "no"}),
        stored(ev.RUN_REOPENED, paths=["/a"]),
    )
    assert (run.status, run.failure, run.steps["/a"].state) == ("running", None, "pending")


def test_a_run_that_waited_may_go_on_and_wait_again() -> None:
    parked = stored(ev.RUN_PARKED, waiting=["/a"])
    resumed = stored(ev.RUN_RESUMED, epoch=2, process=1)
    run = run_of(parked, resumed, parked, resumed, stored(ev.RUN_SUCCEEDED, output=1, handled=2))
    assert (run.status, run.output, run.handled) == ("succeeded", 1, 2)


def test_neutral_events_change_nothing_but_the_number() -> None:
    run = run_of(stored(ev.DECIDED, "/x", value=1), stored(ev.CANCEL_REQUESTED, path="/"))
    assert (run.steps, run.status, run.seq) == ({}, "running", 1)


def test_what_is_below_a_scope_does_not_hold_the_scope() -> None:
    run = run_of(*(stored(ev.STARTED, path) for path in ("/a", "/a/b", "/ab", "/a/b/c")))
    assert [step.path for step in below(run, "/a")] == ["/a/b", "/a/b/c"]
    assert len(below(run, "/")) == 4

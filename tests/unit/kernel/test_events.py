"""The events: their numbers, their names, their JSON."""

from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored


def test_the_number_of_a_kind_never_changes() -> None:
    assert {name: number for number, name in ev.NAMES.items()} == {
        "step.started": 1,
        "scope.opened": 2,
        "step.blocked": 3,
        "step.unblocked": 4,
        "step.reported": 5,
        "step.retried": 10,
        "step.succeeded": 11,
        "step.failed": 12,
        "step.cancelled": 13,
        "step.skipped": 14,
        "step.held": 15,
        "step.released": 16,
        "decided": 20,
        "signalled": 21,
        "scope.succeeded": 30,
        "scope.failed": 31,
        "scope.cancelled": 32,
        "run.started": 40,
        "run.resumed": 41,
        "run.reopened": 42,
        "run.parked": 43,
        "run.cancel-requested": 44,
        "run.directed": 45,
        "run.succeeded": 50,
        "run.failed": 51,
        "run.cancelled": 52,
    }


def test_every_kind_has_its_fields() -> None:
    assert set(ev.FIELDS) == set(ev.NAMES)


def test_an_event_knows_its_path_and_one_of_the_run_has_none() -> None:
    assert Event(ev.STARTED, "/a", "b#2", 0, "", "{}").path == "/a/b#2"
    assert Event(ev.STARTED, "/", "a", 0, "", "{}").path == "/a"
    assert Event(ev.RUN_STARTED, "", "", 0, "", "{}").path == ""


def test_an_event_as_json_is_flat_and_leaves_out_what_says_nothing() -> None:
    stored = Stored(ev.SUCCEEDED, "/", "a", 1.5, "00ff", {"output": 1}, 7)
    expected = {"seq": 7, "at": 1.5, "kind": "step.succeeded", "path": "/a", "digest": "00ff", "output": 1}
    assert stored.as_json() == expected
    parked = Stored(ev.RUN_PARKED, "", "", 1.5, "", {}, 8)
    assert parked.as_json() == {"seq": 8, "at": 1.5, "kind": "run.parked"}

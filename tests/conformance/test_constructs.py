"""One kit over all constructs: in both forms, cut off anywhere, cancelled, failing, nested in one another."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.case import Case
from tests.conformance.playing import (
    INNER,
    INSIDE,
    Cut,
    Played,
    cases,
    nested_around,
    nested_in,
    pair,
    workflow,
)
from tests.same.playing import facts

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.errors import Timeout
from maestri.kernel.state import CANCELLED, FAILED, SUCCEEDED

CASES = cases()
OUTER = ("parallel", "each", "loop", "workflow", "saga")
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.keyword)


def yaml(case: Case) -> Played:
    return Played(workflow(case.yaml, case.workflows), case.answers)


def python(case: Case) -> Played:
    return Played(case.python, case.answers)


@pytest.mark.covers("result", "YAML", "Python")
@each_case
def test_result_is_the_same_in_yaml_and_python_and_as_stated(case: Case) -> None:
    forms = yaml(case), python(case)
    assert [form.play().output for form in forms] == [case.output, case.output]
    assert facts(forms[0].events) == facts(forms[1].events)


@pytest.mark.covers("order")
@each_case
def test_order_is_kept_where_there_is_one_and_no_part_waits_where_there_is_none(case: Case) -> None:
    played = yaml(case)
    played.play()
    assert played.crew.most == 1 if case.is_ordered else played.crew.most > 1
    again = yaml(case)
    again.play()
    assert [event.path for event in again.events] == [event.path for event in played.events]


FAILURES = [(case, part) for case in CASES for part in case.failures]


@pytest.mark.covers("failure")
@pytest.mark.parametrize(("case", "part"), FAILURES, ids=lambda one: getattr(one, "keyword", one))
def test_failure_of_each_part_ends_as_stated(case: Case, part: str) -> None:
    answers, code = case.failures[part]
    # The first that matches counts, so what differs stands first.
    script = {**answers, **{path: one for path, one in case.answers.items() if path not in answers}}
    ended = Played(workflow(case.yaml, case.workflows), script).play()
    assert (ended.status, ended.failure.code if ended.failure else "") == (
        FAILED if code else SUCCEEDED,
        code,
    )


@pytest.mark.covers("cancel")
@each_case
def test_cancel_in_each_part_ends_the_run_and_leaves_nothing_at_work(case: Case) -> None:
    whole = yaml(case)
    whole.play()
    for call in range(1, whole.crew.calls + 1):
        played = yaml(case)
        played.crew.stop_at = call
        assert played.play().status == CANCELLED, f"in call {call}"
        assert (played.crew.at_work, played.crew.calls) == (0, max(call, played.crew.calls))
        assert played.state.status == CANCELLED


@pytest.mark.covers("limit")
@each_case
def test_a_time_limit_ends_it_in_each_part_and_leaves_nothing_at_work(case: Case) -> None:
    whole = Played(nested_in("time limit", case), case.answers)
    whole.play()
    for call in range(1, whole.crew.calls + 1):
        played = Played(nested_in("time limit", case), case.answers)
        played.crew.hang_at = call
        ended = played.play()
        # Who hangs last may not be needed any more: where several do the same, one is enough.
        came_out = call > 1 and ended.status == SUCCEEDED
        assert came_out or (ended.failure and ended.failure.code) == Timeout.code, f"from call {call}"
        assert played.crew.at_work == 0


@pytest.mark.covers("resume", "YAML", "Python")
@each_case
@pytest.mark.parametrize("first", ["yaml", "python"])
def test_resume_at_every_append_by_the_other_form_comes_out_the_same(case: Case, first: str) -> None:
    whole, other = (yaml(case), python(case)) if first == "yaml" else (python(case), yaml(case))
    output = whole.play().output
    for events in range(1, len(whole.events)):
        resumed = whole.crashed(events, other)
        done = resumed.finished()
        ended = resumed.resume()
        assert (ended.status, ended.output) == (SUCCEEDED, output), f"cut off after {events} events"
        assert done.isdisjoint(resumed.crew.script.paths), f"cut off after {events} events"


@pytest.mark.covers("nesting", "resume")
@each_case
@pytest.mark.parametrize("outer", OUTER)
def test_nesting_in_another_construct_changes_nothing_and_is_resumed(case: Case, outer: str) -> None:
    whole = Played(nested_in(outer, case), case.answers)
    ended = whole.play()
    assert ended.status == SUCCEEDED, ended.failure
    assert any(event.path.split("/")[-1] == "it" for event in whole.events)
    for events in Cut(len(whole.events), 8).places():
        resumed = whole.crashed(events)
        done = resumed.finished()
        again = resumed.resume()
        assert (again.status, again.output) == (SUCCEEDED, ended.output), f"cut off after {events} events"
        assert done.isdisjoint(resumed.crew.script.paths), f"cut off after {events} events"


@pytest.mark.covers("nesting", "resume")
@each_case
@pytest.mark.parametrize("inner", INNER)
def test_nesting_of_another_construct_with_gates_survives_restarts(case: Case, inner: str) -> None:
    assert "BODY" in case.hole + case.hole_workflows, "the case has no hole"
    played = Played(nested_around(inner, case), case.hole_answers)
    waiting = played.play()
    assert waiting.status == "waiting", waiting.failure
    ended = played.to_end(waiting, "yes")
    assert ended.status == SUCCEEDED, ended.failure


@pytest.mark.covers("nesting", "resume")
@pytest.mark.parametrize("inner", CASES, ids=lambda case: case.keyword)
@each_case
def test_nesting_of_each_construct_in_each_other_gives_what_it_gives_alone(case: Case, inner: Case) -> None:
    whole = Played(*pair(case, inner))
    ended = whole.play()
    assert ended.status == SUCCEEDED, ended.failure
    found = whole.outputs(f"/{INSIDE}/it")
    assert found == [inner.output] * len(found)
    assert found
    for events in Cut(len(whole.events), 2).places():
        resumed = whole.crashed(events)
        again = resumed.resume()
        assert (again.status, again.output) == (SUCCEEDED, ended.output), f"cut off after {events} events"


@pytest.mark.covers("resume")
@each_case
def test_gates_inside_wait_on_sqlite_and_are_answered_after_a_restart(case: Case, tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state", {})
    state.prepare()
    text = nested_around("each", case)
    first = Played(text, case.hole_answers, SqliteEngine(state))
    waiting = first.closed_after(first.start).waiting
    assert waiting
    for process in range(1, 20):
        later = Played(text, case.hole_answers, SqliteEngine(state), process)
        for path in waiting:
            later.post("answer", path=path, value="yes")
        ended = later.closed_after(later.restart)
        waiting = ended.waiting
        if ended.status != "waiting":
            break
    assert ended.status == SUCCEEDED, ended.failure

"""The tree of a run: what it knows, and that it stays small."""

from collections.abc import Callable

from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.events import Event, Stored
from maestri.report.tree import KEPT_CHILDREN, Tree, grown

History = Callable[..., list[Stored]]


def test_children_are_kept_in_order_with_their_states(checks: list[Stored]) -> None:
    tree = grown(checks)
    assert [(step.path, step.state) for step in tree.below("/checks")] == [
        ("/checks/lint", state.SUCCEEDED),
        ("/checks/types", state.RUNNING),
        ("/checks/tests", state.FAILED),
    ]
    assert tree.failures["/checks/tests"]["code"] == "S101"
    assert tree.ended_in("/checks") == 2


def test_a_scope_without_a_pattern_opens_with_its_first_step(history: History) -> None:
    tree = grown(history(("step.started", "/a/b/c", {"agent": "run"})))
    assert [tree.step(path).state for path in ("/a", "/a/b", "/a/b/c")] == ["running"] * 3
    assert tree.step("/a/b").is_scope


def test_a_short_result_tells_of_the_start_that_it_has_in_it() -> None:
    tree = Tree()
    body = '{"output":1,"agent":"call","took_s":2.5}'
    tree.take(Event(ev.SUCCEEDED, "/", "a", 10.0, "0123456789abcdef", body, 2))
    step = tree.step("/a")
    assert (step.agent, step.attempt, step.started, step.ended) == ("call", 1, 7.5, 10.0)


def test_a_wait_is_known_until_it_is_over(history: History) -> None:
    question = {"reason": "an answer: Land?", "question": "Land?", "options": ["yes", "no"]}
    events = history(("step.blocked", "/go", question), ("step.succeeded", "/go", {"output": "yes"}))
    assert grown(events[:1]).waits["/go"].options == ("yes", "no")
    assert grown(events).waits == {}


def test_a_new_owner_begins_again_what_was_under_way(history: History) -> None:
    begun = [("run.started", "", {"workflow": "w", "inputs": {}}), ("step.started", "/a", {"agent": "run"})]
    resumed = ("run.resumed", "", {"epoch": 2})
    assert grown(history(*begun, resumed)).step("/a").state == state.PENDING
    assert grown(history(*begun, ("run.resumed", "", {"epoch": 1}))).step("/a").state == state.RUNNING


def test_of_very_many_rounds_the_old_ones_are_counted_and_forgotten() -> None:
    tree = Tree()
    for n in range(1, 2001):
        scope = f"/l/round#{n}"
        tree.take(Event(ev.STARTED, scope, "x", float(n), "", "{}"))
        tree.take(Event(ev.SUCCEEDED, scope, "x", float(n), "", '{"output":1}'))
        tree.take(Event(ev.SEALED, "/l", f"round#{n}", float(n), "", '{"output":1}'))
    assert len(tree.children["/l"]) <= KEPT_CHILDREN
    assert tree.ended_in("/l") == 2000
    assert len(tree.run.steps) <= 2 * KEPT_CHILDREN + 2
    assert tree.steps_done() == 2000


def test_an_event_that_makes_no_sense_stops_nobody(history: History) -> None:
    tree = grown(
        history(
            ("step.retried", "/a", {"attempt": 1, "delay_s": 1, "failure": {"message": "x"}}),
            ("step.unblocked", "/b"),
            ("step.started", "/a", {"agent": "run"}),
            ("run.succeeded", "", {"output": 1}),
        )
    )
    assert tree.step("/a").state == state.RUNNING
    assert tree.run.output == 1


def test_a_reopened_failure_is_no_failure_any_more(checks: list[Stored], history: History) -> None:
    tree = grown(checks)
    tree.apply(history(("run.reopened", "", {"paths": ["/checks", "/checks/tests"]}))[0])
    assert tree.step("/checks/tests").state == state.PENDING
    assert tree.failures == {}


def test_what_no_process_executes_is_interrupted_but_for_questions(
    checks: list[Stored], history: History
) -> None:
    tree = grown([*checks, *history(("step.blocked", "/go", {"reason": "an answer", "question": "Go?"}))])
    tree.interrupt()
    states = {path: step.state for path, step in tree.run.steps.items()}
    assert states == {
        "/checks": state.INTERRUPTED,
        "/checks/lint": state.SUCCEEDED,
        "/checks/types": state.INTERRUPTED,
        "/checks/tests": state.FAILED,
        "/go": state.BLOCKED,
    }

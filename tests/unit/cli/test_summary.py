"""What the summary counts, and what it says how to go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestri.cli.cancel import ended_as
from maestri.cli.screens import PlainLines
from maestri.cli.summary import Counts, Story, tell_end
from maestri.errors import PathNotFound
from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.events import Event
from maestri.kernel.ports import RunInfo
from maestri.kernel.runner import Ended
from maestri.project import Project
from maestri.report.tree import Tree

Make = Callable[..., Any]
RUN = RunInfo("01J", "bold-otter-3", "harden", "/home/me", 1000.0, 1, None, 1060.0, alive=True)
STARTED = '{"attempt":1,"agent":"run"}'


def grown(*notes: tuple[int, str, str, str]) -> Tree:
    tree = Tree()
    for kind, scope, name, body in notes:
        tree.take(Event(kind, scope, name, 1000.0, "", body))
    return tree


def end(terminal: Make, tree: Tree, ended: Ended, tmp_path: Path, counts: Counts | None = None) -> str:
    made, out, _ = terminal()
    tell_end(Story(ended, tree, counts or Counts(), 0.0, Project(state=str(tmp_path))), made)
    return str(out.getvalue())


def test_only_steps_are_counted_from_the_journal() -> None:
    tree = grown(
        (ev.OPENED, "/", "again", '{"pattern":"loop"}'),
        (ev.STARTED, "/again/round", "one", STARTED),
        (ev.SUCCEEDED, "/again/round", "one", "{}"),
        (ev.SEALED, "/again", "round", "{}"),
        (ev.SEALED, "/", "again", "{}"),
    )
    counts = Counts()
    counts.seed(tree)
    assert (counts.reused, counts.is_exact) == (1, True)


def test_steps_that_were_cancelled_under_way_are_told() -> None:
    counts = Counts()
    for kind, before in ((ev.SUCCEEDED, state.RUNNING), (ev.CANCELLED, state.RUNNING)):
        counts.take(kind, before)
    counts.take(ev.CANCELLED, state.PENDING)
    assert (counts.ran, counts.cut) == (1, 1)


def test_a_loop_at_its_cap_can_be_decided_by_hand(terminal: Make, tmp_path: Path) -> None:
    failure = '{"failure":{"type":"RoundsExhausted","code":"P202","message":"2 rounds"}}'
    because = '{"failure":{"type":"RoundsExhausted","code":"P202","message":"2 rounds"},"because":["/l"]}'
    tree = grown((ev.RUN_STARTED, "", "", '{"workflow":"w"}'), (ev.SCOPE_FAILED, "/", "l", failure))
    tree.take(Event(ev.RUN_FAILED, "", "", 1001.0, "", because))
    said = end(terminal, tree, Ended(RUN, state.FAILED), tmp_path)
    assert "maestri accept bold-otter-3 /l --output JSON, or maestri skip bold-otter-3 /l" in said


def test_the_name_of_a_signal_is_in_the_hint(terminal: Make, tmp_path: Path) -> None:
    tree = grown((ev.BLOCKED, "/", "gate", '{"reason":"signal `go`"}'))
    said = end(terminal, tree, Ended(RUN, state.WAITING, waiting=("/gate",)), tmp_path)
    assert "maestri signal bold-otter-3 go --data JSON" in said


def test_what_is_reopened_along_with_the_run_is_said_once() -> None:
    said: list[str] = []
    screen = PlainLines(said.append)
    screen.open(RUN, Tree())
    for paths in ('["/a"]', '["/a"]', '["/b"]'):
        screen.show([Event(ev.RUN_REOPENED, "", "", 0.0, "", f'{{"paths":{paths}}}')])
    assert [line.split()[-1] for line in said] == ["/a", "/b"]


def test_what_has_not_begun_cannot_be_cancelled_and_the_fix_says_what_is_under_way() -> None:
    tree = grown(
        (ev.STARTED, "/in", "a", STARTED), (ev.STARTED, "/", "b", STARTED), (ev.SUCCEEDED, "/", "b", "{}")
    )
    with pytest.raises(PathNotFound) as caught:
        ended_as(tree, RUN, "/nope")
    assert caught.value.fix == "under way: /in/a"
    assert [ended_as(tree, RUN, path) for path in ("/in", "/in/a", "/b")] == ["", "", "succeeded"]

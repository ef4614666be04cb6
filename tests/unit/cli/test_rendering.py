"""Tables, documents and pictures that commands print, from fixed facts."""

from collections.abc import Callable
from typing import Any

import pytest

from maestri.cli.asking import choice
from maestri.cli.health import OK, PROBLEM, WARNING, sqlite_finding
from maestri.cli.live import LiveTree
from maestri.cli.ps import table
from maestri.cli.sarif import sarif
from maestri.cli.screens import PlainLines
from maestri.errors import Diagnostic, Span
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.ports import Notice, RunInfo
from maestri.report.outline import plain
from maestri.report.tree import Tree

Make = Callable[..., Any]
RUN = RunInfo("01J", "bold-otter-3", "harden\x1b[2J", "/home/me", 1000.0, 1, None, 1060.0, alive=True)
DONE = RunInfo("01K", "calm-lynx-12", "a-workflow-of-a-very-long-name", "/", 1000.0, 1, ev.RUN_FAILED, 1075.0)


def test_the_table_of_runs(terminal: Make) -> None:
    waiting = RUN._replace(name="able-owl-1", waiting="/go", alive=False)
    well = RUN._replace(id="01M", name="fine-elm-2", end=ev.RUN_SUCCEEDED, alive=False)
    rows = [plain(line) for line in table([RUN, DONE, waiting, well], 1300.0, terminal()[0], {"01M": 2})]
    assert rows == [
        "NAME          WORKFLOW                  STATUS     STARTED  TIME   NOTES",
        "bold-otter-3  harden                    running    5m ago   5m00s",
        "calm-lynx-12  a-workflow-of-a-very-lo~  failed     5m ago   1m15s",
        "able-owl-1    harden                    waiting    5m ago   1m00s  waits for /go",
        "fine-elm-2    harden                    succeeded  5m ago   1m00s  2 failed",
    ]


def test_sarif_has_a_rule_a_level_and_a_region_for_each_finding() -> None:
    found = [
        Diagnostic("L201", "unknown key", fix="use `run`", file="a b.yaml", span=Span(3, 5, 3, 9)),
        Diagnostic("L300", "old", severity="warning"),
    ]
    (run,) = sarif(found, "1.0")["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["L201", "L300"]
    first, second = run["results"]
    assert (first["ruleId"], first["level"], second["level"]) == ("L201", "error", "warning")
    assert first["message"]["text"] == "unknown key\nfix: use `run`"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 9}
    assert "locations" not in second


@pytest.mark.parametrize(("version", "state"), [("3.30.1", PROBLEM), ("3.40.1", WARNING), ("3.51.3", OK)])
def test_an_old_sqlite_is_told(version: str, state: str) -> None:
    assert sqlite_finding(version).state == state


@pytest.mark.parametrize(
    ("text", "options", "chosen"),
    [
        ("yes", ("yes", "no"), "yes"),
        ("2", ("yes", "no"), "no"),
        ("3", ("yes", "no"), None),
        ("", (), None),
        ("2", (), "2"),
    ],
)
def test_an_answer_is_an_option_or_its_number(
    text: str, options: tuple[str, ...], chosen: str | None
) -> None:
    assert choice(text, options) == chosen


def test_a_frame_of_the_live_tree_has_the_last_words_of_a_step(terminal: Make) -> None:
    tree = Tree()
    tree.take(Event(ev.STARTED, "/", "lint", 1000.0, "", '{"attempt":1,"agent":"run"}'))
    live = LiveTree(terminal(is_terminal=True)[0])
    live.open(RUN, tree)
    live.notice(Notice("/lint", "output", "3 files\x1b[2J"))
    frame = [plain(line) for line in live.frame(1004.0)]
    live.close()
    assert frame[0] == "▶ lint  4.0s  run  3 files"
    assert frame[1].startswith("1 under way")


def test_lines_wait_until_the_run_was_named() -> None:
    said: list[str] = []
    screen = PlainLines(said.append)
    screen.show([Event(ev.STARTED, "/", "lint", 0.0, "", '{"attempt":1,"agent":"run"}')])
    assert said == []
    screen.open(RUN, Tree())
    screen.show([Event(ev.DECIDED, "/", "now", 0.0, "", '{"value":1}')])
    assert len(said) == 1
    assert said[0].endswith("started   /lint (run)")

"""The tree of a run as lines: goldens, and the room that there is."""

from collections.abc import Callable
from typing import Any

import pytest

from maestri.kernel.events import Stored
from maestri.report.outline import ASCII_SIGNS, SIGNS, Look, outline, plain
from maestri.report.tree import Tree, grown
from maestri.report.wording import width_of

History = Callable[..., list[Stored]]
NOW = 43210.0


def shown(tree: Tree, look: Look, notices: dict[str, str] | None = None) -> str:
    return "\n".join(plain(line) for line in outline(tree, look, notices))


def test_a_run_under_way(checks: list[Stored]) -> None:
    notices = {"/checks/types": "3 files \x1b[31mchecked\x07"}
    assert shown(grown(checks), Look(80, None, NOW), notices) == (
        "▶ checks  █████░░░░░ 2/4  9.0s  parallel\n"
        "  ✓ lint  3.0s  run\n"
        "  ▶ types  7.0s  attempt 2  run  3 files checked\n"
        "  ✗ tests  failed  4.0s  run  exit code 2"
    )


def test_the_same_in_forty_columns_without_unicode(checks: list[Stored]) -> None:
    assert shown(grown(checks), Look(40, None, NOW, is_unicode=False)) == (
        "> checks  2/4  9.0s\n"
        "  + lint  3.0s\n"
        "  > types  7.0s  attempt 2\n"
        "  x tests  failed  4.0s  exit code 2"
    )


def test_a_wait_says_for_what_and_how_long(history: History) -> None:
    tree = grown(
        history(
            ("step.blocked", "/nap", {"reason": "timer", "until": 43290.0}),
            ("step.blocked", "/go", {"reason": "an answer", "question": "Land\nthis?"}),
            ("step.started", "/b", {"agent": "run"}),
            ("step.retried", "/b", {"attempt": 1, "delay_s": 30.0, "failure": {"message": "no"}}),
        )
    )
    assert shown(tree, Look(80, None, NOW)) == (
        "‖ nap  blocked  waits 1m20s\n"
        "‖ go  blocked  asks: Land this?\n"
        "↻ b  retry  8.0s  next attempt in 23s  run"
    )


def many(history: History, width: int, depth: int = 2) -> Tree:
    notes: list[tuple[str, str, dict[str, Any]]] = []
    for i in range(width):
        for j in range(depth):
            notes.append(("step.started", f"/s{i}/x{j}", {"agent": "run"}))
            notes.append(("step.succeeded", f"/s{i}/x{j}", {"output": 1}))
        notes.append(("scope.succeeded", f"/s{i}", {"output": 1}))
    notes.append(("step.started", "/last/busy", {"agent": "run"}))
    return grown(history(*notes))


@pytest.mark.parametrize("lines", [1, 2, 3, 5, 8, 13, 40])
def test_there_are_never_more_lines_than_there_is_room(history: History, lines: int) -> None:
    tree = many(history, 30)
    text = shown(tree, Look(80, lines, NOW))
    assert len(text.splitlines()) <= lines
    assert lines < 3 or "busy" in text


def test_what_is_done_is_closed_before_anything_is_left_out(history: History) -> None:
    assert shown(many(history, 2), Look(80, 6, 43210.0)).splitlines() == [
        "✓ s0  4.0s",
        "✓ s1  4.0s",
        "▶ last  0.0s",
        "  ▶ busy  0.0s  run",
    ]


def test_no_line_is_wider_than_the_terminal(history: History) -> None:
    deep = "/" + "/".join(["scope"] * 30)
    tree = grown(history(("step.started", f"{deep}/step", {"agent": "run"})))
    for columns in (10, 20, 40):
        lines = [
            plain(line) for line in outline(tree, Look(columns, None, NOW), {f"{deep}/step": "日本" * 50})
        ]
        assert max(width_of(line) for line in lines) <= columns


def test_every_state_has_a_sign_of_its_own() -> None:
    assert len({SIGNS[word] for word in SIGNS if word != "waiting"}) == len(SIGNS) - 1
    assert len({ASCII_SIGNS[word] for word in SIGNS if word != "waiting"}) == len(SIGNS) - 1
    assert all(sign.isascii() for sign in ASCII_SIGNS.values())

"""The live tree: what is written around it, and what is left of it."""

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from maestri.cli.diversion import Diversion
from maestri.cli.live import LiveTree
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.ports import RunInfo
from maestri.report.tree import Tree

Make = Callable[..., Any]
RUN = RunInfo("01J", "bold-otter-3", "harden", "/home/me", 1000.0, 1, None, 1060.0, alive=True)


def opened(terminal: Make, **environ: str) -> tuple[LiveTree, Any]:
    tree = Tree()
    for name in ("lint", "tests"):
        tree.take(Event(ev.STARTED, "/", name, 1000.0, "", '{"attempt":1,"agent":"run"}'))
    made, out, _ = terminal(is_terminal=True, NO_COLOR="1", **environ)
    live = LiveTree(made)
    live.open(RUN, tree)
    return live, out


def test_a_frame_is_drawn_over_the_one_before(terminal: Make) -> None:
    live, out = opened(terminal)
    live.say("one")
    before = len(out.getvalue())
    live.say("two")
    assert out.getvalue()[before:].startswith("\r\x1b[2A\x1b[J\x1b[2K▶ lint")
    live.close()


def test_what_others_write_stands_above_the_tree(terminal: Make) -> None:
    live, out = opened(terminal)
    live.say("footer")
    before = len(out.getvalue())
    live.print_above("from a function")
    words = out.getvalue()[before:]
    assert words.startswith("\r\x1b[2A\x1b[Jfrom a function\n\x1b[2K▶ lint")
    assert words.endswith("footer")
    live.close()


def test_a_window_that_became_narrower_has_more_rows_to_erase(
    terminal: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, out = opened(terminal)
    live.say("x" * 70)
    monkeypatch.setattr(live._terminal, "_environ", {"COLUMNS": "40"})
    before = len(out.getvalue())
    live.say("short")
    assert out.getvalue()[before:].startswith("\r\x1b[3A\x1b[J")
    live.close()


def test_at_the_end_the_tree_is_gone_and_the_cursor_is_back(terminal: Make) -> None:
    live, out = opened(terminal)
    live.say("footer")
    live.close()
    live.close()
    assert out.getvalue().endswith("\r\x1b[2A\x1b[J\x1b[?25h")


def test_output_is_led_aside_in_whole_lines_and_nothing_is_lost() -> None:
    reading, writing = os.pipe()
    shown: list[str] = []
    diversion = Diversion(shown.append, (writing,))
    diversion.begin()
    for piece in (b"one\ntw", b"o\n", b"no end"):
        os.write(writing, piece)
    diversion.end()
    os.write(writing, b"after")
    assert "\n".join(shown).split("\n") == ["one", "two", "no end"]
    assert os.read(reading, 100) == b"after"


def test_more_output_than_a_pipe_holds_blocks_nobody() -> None:
    _, writing = os.pipe()
    sizes: list[int] = []
    diversion = Diversion(lambda text: sizes.append(len(text)), (writing,))
    diversion.begin()
    writer = threading.Thread(target=os.write, args=(writing, b"x" * 1_000_000))
    writer.start()
    writer.join(30)
    diversion.end()
    assert sum(sizes) == 1_000_000

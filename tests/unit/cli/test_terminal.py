"""What a terminal can show, and readers that go away."""

import errno
import io
from collections.abc import Callable
from typing import Any

import pytest

from maestri.cli.terminal import OutputLost, Terminal
from maestri.report.outline import BAD, Piece

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        ({"is_terminal": True, "TERM": "xterm"}, "\x1b[31mx\x1b[0m"),
        ({"is_terminal": True, "TERM": "dumb"}, "x"),
        ({"is_terminal": True, "NO_COLOR": "1"}, "x"),
        ({}, "x"),
    ],
)
def test_colour_is_for_terminals_that_want_it(terminal: Make, made: dict[str, Any], shown: str) -> None:
    assert terminal(**made)[0].styled([Piece("x", BAD)]) == shown


def test_signs_beyond_ascii_only_where_the_encoding_has_them(terminal: Make) -> None:
    assert terminal()[0].look(0.0).sign("failed") == "✗"
    assert terminal(encoding="ascii")[0].look(0.0).sign("failed") == "x"


def test_json_for_eyes_is_escaped_and_for_pipes_is_not(terminal: Make) -> None:
    for made, shown in (({"is_terminal": True}, '"\\u009b"\n'), ({}, '"\x9b"\n')):
        one, out, _ = terminal(**made)
        one.say_json("\x9b")
        assert out.getvalue() == shown


def test_a_reader_that_went_away_ends_a_command_but_not_a_run(terminal: Make) -> None:
    one, out, _ = terminal()
    out.close()
    with pytest.raises(BrokenPipeError):
        one.say("x")
    one.survives = True
    one.say("x")


def test_the_size_of_a_terminal_can_be_given(terminal: Make) -> None:
    one = terminal(COLUMNS="40", LINES="10")[0]
    assert (one.columns, one.lines) == (40, 10)
    assert terminal(COLUMNS="wide")[0].columns == 200


def test_a_full_disk_is_remembered_by_a_run_and_ends_every_other_command() -> None:
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    one = Terminal(Full(), io.StringIO(), {})
    with pytest.raises(OutputLost, match="No space left on device"):
        one.say("x")
    one.survives, one.lost = True, None
    one.say("x")
    assert one.lost is not None

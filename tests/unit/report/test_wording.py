"""Texts that people read, and texts that would play tricks on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestri.report.wording import ago, clean, counted, cut, duration, one_line, size, width_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x1bPq...\x1b\\x", "x"),
        ("\x1b]52;c;never closed", ""),
        ("a\x00b\x08c\x7f", "abc"),
        ("10%\r20%", "10%\n20%"),
        ("tab\tend", "tab end"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("half \ud800 pair", "half  pair"),
        ("déjà vu 日本", "déjà vu 日本"),
    ],
)
def test_nothing_that_a_terminal_obeys_is_left(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text())
def test_no_text_has_control_characters_left(text: str) -> None:
    assert all(char == "\n" or (char >= " " and not "\x7f" <= char <= "\x9f") for char in clean(text))


def test_one_line_is_one_line() -> None:
    assert one_line(" a\r\n  b\u2028c\x1b[2J ") == "a bc"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0s"),
        (-1, "0.0s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (185, "3m05s"),
        (7380, "2h03m"),
        (180000, "2d02h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_times_sizes_and_counts_in_words() -> None:
    assert [ago(0, s) for s in (3, 45, 300, 7200, 200000)] == [
        "just now",
        "45s ago",
        "5m ago",
        "2h ago",
        "2d ago",
    ]
    assert [size(n) for n in (12, 4200, 1_800_000_000)] == ["12 B", "4.2 kB", "1.8 GB"]
    assert [counted(n, "step") for n in (0, 1, 1200)] == ["0 steps", "1 step", "1,200 steps"]


@given(st.text(max_size=30), st.integers(0, 20))
def test_a_cut_text_fits(text: str, columns: int) -> None:
    assert width_of(cut(text, columns)) <= columns


def test_a_wide_character_takes_two_columns() -> None:
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"

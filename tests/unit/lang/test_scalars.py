"""What an unquoted word means."""

from __future__ import annotations

import pytest

from maestri.lang.scalars import OutOfRange, resolve


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_null_has_four_words_and_the_empty_one(word: str) -> None:
    assert resolve(word) is None


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "false", "False", "FALSE"])
def test_booleans_are_true_and_false(word: str) -> None:
    assert resolve(word) is (word.lower() == "true")


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("0", 0),
        ("-12", -12),
        ("+5", 5),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_numbers_are_those_of_yaml_1_2(word: str, number: float) -> None:
    assert resolve(word) == number
    assert type(resolve(word)) is type(number)


@pytest.mark.parametrize(
    "word",
    ["yes", "no", "on", "off", "0777", "007", "-01", "01.5", "1_000", "0b1", "12:30", "2024-01-31",
    "1.2.3", "tRUE",
     "0x", "-", "+", ".", "e5", "--1", "0xZ", "१२"],
)  # fmt: skip
def test_everything_else_is_text(word: str) -> None:
    assert resolve(word) == word


@pytest.mark.parametrize(
    "word", [".inf", "-.INF", ".nan", "1e400", str(2**63), str(-(2**63)), "0x" + "F" * 16, "9" * 100_000]
)
def test_numbers_that_cannot_be_kept_are_refused(word: str) -> None:
    with pytest.raises(OutOfRange):
        resolve(word)

"""The campaign reaches its figures in rounds, says what broke and what is missing, and writes one page."""

import time
from pathlib import Path
from typing import Any

import pytest

import campaign
from campaign import PROGRAMS, Program, Round, conducted, figure
from page import Outcome, Page, written
from sources import ROOT

TOY = Program("toy", ("tests/none",), "things", "THINGS", "THING_SEED", 10, 10, 1000)


class Performed:
    """Performs rounds without doing anything, and remembers what it was asked for."""

    def __init__(self, breaks_at: int = -1) -> None:
        self.asked: list[dict[str, str]] = []
        self._breaks_at = breaks_at

    def __call__(self, _program: Program, variables: dict[str, str], _limit_s: float) -> Round:
        self.asked.append(variables)
        passed = len(self.asked) - 1 != self._breaks_at
        return Round(
            passed, [{"program": "toy", "lost": 0, "done": 3, "seed": 5, "commit": "x"}], 1, [], "words"
        )


def outcome(target: int, until: float = float("inf"), breaks_at: int = -1) -> tuple[Outcome, Performed]:
    performed = Performed(breaks_at)
    return conducted(TOY, target, 7, until, performed), performed


def test_a_figure_is_reached_in_rounds_with_seeds_of_their_own() -> None:
    found, performed = outcome(25)
    assert [(one["THINGS"], one["THING_SEED"]) for one in performed.asked] == [
        ("1", "7"),
        ("10", "8"),
        ("10", "18"),
        ("4", "28"),
    ]
    assert (found.done, found.word, dict(found.counts["toy"])) == (25, "held", {"lost": 0, "done": 12})


def test_a_round_is_as_large_as_the_time_that_is_left_allows() -> None:
    def slow(_program: Program, variables: dict[str, str], _limit_s: float) -> Round:
        asked.append(int(variables["THINGS"]))
        time.sleep(0.01 * asked[-1])
        return Round(True, [], 1, [], "words")

    asked: list[int] = []
    program = TOY._replace(round=100)
    conducted(program, 1000, 7, time.monotonic() + 0.5, slow)
    assert (asked[0], max(asked) < 100, sum(asked) < 1000) == (10, True, True)


def test_a_round_that_breaks_ends_its_program_and_says_how_to_repeat_it() -> None:
    found, performed = outcome(100, breaks_at=2)
    assert (found.word, found.done, len(performed.asked)) == ("BROKEN", 11, 3)
    assert found.failure.startswith("THINGS=10 THING_SEED=18 pytest tests/none")


def test_when_the_time_is_up_the_rest_is_called_missing() -> None:
    found, _ = outcome(100, until=time.monotonic())
    page = written(Page("2026-01-31", "abc", 1, "ci", {}, [found]))
    assert "- toy: the time was up after 0 of 100" in page


def test_what_a_machine_lacks_is_said_and_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "lacks", lambda need: need == "strace")
    power = next(program for program in PROGRAMS if program.name == "power cut")
    (found,) = campaign.campaign([power], "ci", 1, time.monotonic() + 60)
    assert (found.word, found.missing, found.rounds) == ("missing", ["strace"], 0)


@pytest.mark.parametrize(("scale", "expected"), [("ci", 10), ("nightly", 1000), ("0.5", 5), ("0.001", 1)])
def test_a_scale_is_a_word_or_a_number(scale: str, expected: int) -> None:
    assert figure(TOY, scale) == expected


@pytest.mark.parametrize("words", [["--scale", "huge"], ["--scale", "0"], ["--only", "nothing"]])
def test_what_cannot_be_run_is_refused(words: list[str]) -> None:
    assert campaign.main(words) == 2


def test_every_program_is_a_test_that_is_there() -> None:
    assert [program.name for program in PROGRAMS if not (ROOT / program.tests[0]).exists()] == []


@pytest.mark.slow
def test_a_campaign_writes_its_page(tmp_path: Path, capsys: Any) -> None:
    page = tmp_path / "proof" / "page.md"
    words = ["--only", "lease takeovers", "--scale", "0.05", "--seed", "3", "--page", str(page)]
    assert campaign.main(words) == 0, capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert "| lease takeovers | held | 4 | 4 | takeovers | 1 | 1 |" in text
    assert "| 90; 0 | 10,000; 0 | 4 takeovers, takeovers " in text
    assert "lost 0, repeated 0, stale stored 0, damaged 0" in text
    assert all(word in text for word in ("first seed 3", "- SQLite: ", "## What is missing"))

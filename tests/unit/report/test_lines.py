"""Events as lines that scripts may rely on."""

from collections.abc import Callable

from maestri.kernel.events import Stored
from maestri.report.lines import Lines, decision_words

History = Callable[..., list[Stored]]


def lines(events: list[Stored]) -> list[str]:
    made = Lines()
    return [made.line(event) for event in events]


def test_a_run_under_way(checks: list[Stored]) -> None:
    assert lines(checks) == [
        "12:00:00 started   run (harden)",
        "12:00:01 opened    /checks (parallel, 4)",
        "12:00:02 started   /checks/lint (run)",
        "12:00:03 started   /checks/types (run)",
        "12:00:04 started   /checks/tests (run)",
        "12:00:05 succeeded /checks/lint 3.0s",
        "12:00:06 retrying  /checks/types in 0.5s: S101: exit code 2",
        "12:00:07 started   /checks/types (run, attempt 2)",
        "12:00:08 failed    /checks/tests 4.0s S101: exit code 2",
    ]


def test_what_comes_from_outside_cannot_begin_a_new_line(history: History) -> None:
    failure = {"code": "S101", "message": "bad\n12:00:09 succeeded /fake \x1b[2K"}
    (line,) = lines(history(("step.failed", "/a", {"failure": failure})))
    assert line == "12:00:00 failed    /a S101: bad 12:00:09 succeeded /fake"


def test_waits_and_decisions(history: History) -> None:
    assert lines(
        history(
            ("step.blocked", "/nap", {"reason": "timer", "until": 43290.0}),
            ("step.skipped", "/x", {"reason": "when"}),
            ("run.directed", "", {"verb": "skip", "path": "/y"}),
            ("run.parked", "", {"waiting": ["/go"]}),
        )
    ) == [
        "12:00:00 waiting   /nap (timer, until 12:01:30)",
        "12:00:01 skipped   /x (when)",
        "12:00:02 decided   run skip /y",
        "12:00:03 waiting   run for /go",
    ]


def test_a_decision_of_a_contest_says_who_won_and_why() -> None:
    value = {
        "winner": "b",
        "tally": [{"answer": "x", "votes": 2, "from": ["b", "c"]}],
        "reason": "shorter",
        "failed": {"a": {"message": "exit code 1"}},
    }
    assert decision_words(value) == "b won · votes: 2 for b, c · shorter · a failed: exit code 1"
    assert decision_words(1234.5) == ""

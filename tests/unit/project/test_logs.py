"""The logs of a run: a file per attempt, and one of all with whole lines."""

from pathlib import Path

import pytest

from maestri.engines.statedir import StateDir
from maestri.project import logs
from maestri.project.logs import LONGEST_LINE_BYTES, SHARE_BYTES, Logs, append


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    found = StateDir(tmp_path)
    found.prepare()
    return found


def lines(state: StateDir) -> list[str]:
    return [line.split(" ", 1)[1] for line in state.run_log("run1").read_text().splitlines()]


def test_lines_of_steps_at_the_same_time_stay_whole(state: StateDir) -> None:
    made = Logs(state, print)
    one, other = made.open("run1", "/a", 1), made.open("run1", "/b", 1)
    one(b"one ")
    other(b"other ")
    one(b"err\n", "stderr")
    one(b"line\nnext")
    other(b"line\n")
    one.close()
    other.close()
    expected = ["/a stderr err", "/a stdout one line", "/b stdout other line", "/a stdout next"]
    assert lines(state) == expected
    assert state.log_path("run1", "/a", 1).read_bytes() == b"one err\nline\nnext"


def test_a_report_stands_on_a_line_of_its_own(state: StateDir) -> None:
    log = Logs(state, print).open("run1", "/a", 1)
    log(b"half")
    log(b"checkpoint: x\n", "report")
    assert state.log_path("run1", "/a", 1).read_bytes() == b"half\ncheckpoint: x\n"


def test_a_line_of_any_length_is_cut_and_costs_no_memory(state: StateDir) -> None:
    log = Logs(state, print).open("run1", "/a", 1)
    for _ in range(50):
        log("ä".encode() * 1000)
    log(b"\nshort\n")
    long, short = lines(state)
    assert (len(long.encode()) < LONGEST_LINE_BYTES + 100, long.endswith("ä …"), short) == (
        True,
        True,
        "/a stdout short",
    )


def test_a_step_that_writes_very_much_is_told_of_where_the_rest_is(state: StateDir) -> None:
    log = Logs(state, print).open("run1", "/a", 1)
    for _ in range(SHARE_BYTES // 60_000 + 50):
        log((b"x" * 99 + b"\n") * 600)
    log.close()
    assert state.run_log("run1").stat().st_size < 1.5 * SHARE_BYTES
    assert lines(state)[-1].endswith(str(state.log_path("run1", "/a", 1)))


def test_what_had_no_room_in_the_log_of_the_run_is_added_when_there_is(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True]

    def stingy(place: str, data: bytes) -> None:
        if place.endswith("all.log") and full[0]:
            raise OSError(28, "No space left on device")
        append(place, data)

    monkeypatch.setattr(logs, "append", stingy)
    log = Logs(state, print).open("run1", "/a", 1)
    log(b"one\n")
    full.clear()
    full.append(False)
    log(b"two\n")
    assert lines(state) == ["/a stdout one", "/a stdout two"]

"""State directories that cannot be used, or not now: what, where and what to do is said; nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.conftest import Desk, Done

Mount = Callable[[str], Path]
Finish = Callable[[subprocess.Popen[str]], "Done"]

STEPS = "  a: {run: echo once >>log}\n  b: {run: test -e go}\n"


def failed_run(desk: Desk) -> None:
    """Leave a run that has failed at its second step, and succeeds when it is resumed."""
    desk.write(STEPS)
    assert desk.maestri("run", "flow.yaml").code == 1
    (desk.folder / "go").touch()


def completes(desk: Desk) -> bool:
    """Resume the run; tell whether it succeeds without repeating what was finished."""
    done = desk.maestri("resume", "@last")
    assert done.code == 0, done.said
    return (desk.folder / "log").read_text() == "once\n" and desk.sound()


# --- read-only ----------------------------------------------------------------------------------------


def test_a_read_only_disk_can_be_looked_at_and_refuses_to_run(desk: Desk, disk: Mount) -> None:
    place = disk("64m")
    desk.state = place / "state"
    failed_run(desk)
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    for words in (("run", "flow.yaml"), ("resume", "@last"), ("skip", "@last", "/b")):
        done = desk.maestri(*words)
        message = done.diagnosed("E507")
        assert (done.code, str(desk.state) in message) == (1, True), message
    for looking in (
        ("ps",),
        ("show", "@last"),
        ("show", "@last", "/b"),
        ("logs", "@last", "/b"),
        ("doctor",),
    ):
        assert "Traceback" not in desk.maestri(*looking).said
        assert desk.maestri(*looking).code != 70, looking
    assert desk.kinds()[-1] == "run.failed"
    subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)
    assert completes(desk)


def test_a_place_that_is_a_file_is_refused(desk: Desk) -> None:
    desk.write(STEPS)
    desk.state.write_text("not a directory")
    done = desk.maestri("run", "flow.yaml")
    assert (done.code, str(desk.state) in done.diagnosed("E507")) == (1, True)
    assert not (desk.folder / "log").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
def test_a_directory_of_somebody_else_is_refused(desk: Desk) -> None:
    desk.write(STEPS)
    desk.state.mkdir()
    os.chown(desk.state, 12345, 12345)
    done = desk.maestri("run", "flow.yaml")
    message = done.diagnosed("E507")
    assert (done.code, "12345" in message, "MAESTRI_STATE" in message) == (1, True, True)


# --- full ---------------------------------------------------------------------------------------------


def fill(file: Path) -> None:
    """Take all the room there is."""
    with file.open("ab", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(1 << 14))
        except OSError:
            return


def said_until(process: subprocess.Popen[str], words: str) -> str:
    """Return what a process says, up to the line that has these words."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    return pytest.fail(f"never said {words!r}: {said}")


def test_on_a_full_disk_a_run_pauses_says_so_and_goes_on_by_itself(
    desk: Desk, disk: Mount, finish: Finish
) -> None:
    place = disk("48m")
    desk.state = place / "state"
    crowd = "".join(f"  s{n}: {{run: head -c 400000 /dev/urandom | base64}}\n" for n in range(3))
    desk.write(f"  wait: {{run: 'touch begun; while [ ! -e go ]; do sleep 0.05; done; echo go'}}\n{crowd}")
    process = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    fill(place / "ballast")
    (desk.folder / "go").touch()
    said = said_until(process, "no room left")
    for _ in range(20):
        fill(place / "ballast")  # also what the reserve gave back
        assert process.poll() is None
    (place / "ballast").unlink()
    done = finish(process)
    assert (done.code, "Traceback" in said + done.said) == (0, False), said + done.said
    assert "fix: free some space" in said + done.said
    assert "there is room again" in done.said
    assert desk.kinds()[-1] == "run.succeeded"
    assert desk.sound()


def test_a_command_whose_output_finds_no_room_waits_for_it(desk: Desk, disk: Mount, finish: Finish) -> None:
    place = disk("48m")
    desk.state = place / "state"
    desk.write("  much: {run: 'touch begun; head -c 30000000 /dev/zero | tr \"\\\\0\" x'}\n")
    desk.maestri("ps")
    process = desk.begin("run", "flow.yaml")
    desk.until_there("begun")
    fill(place / "ballast")
    said = said_until(process, "no room left")
    assert process.poll() is None
    (place / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)
    done = finish(process)
    (kept,) = (desk.state / "artifacts").glob("??/*")
    assert (done.code, kept.stat().st_size) == (0, 30_000_000), said + done.said
    (log,) = (desk.state / "runs").glob("*/logs/*")
    assert (log.stat().st_size, desk.sound()) == (30_000_000, True)


def test_a_disk_that_is_full_from_the_start_is_named(desk: Desk, disk: Mount) -> None:
    place = disk("1m")
    desk.state = place / "state"
    desk.write(STEPS)
    fill(place / "ballast")
    done = desk.maestri("run", "flow.yaml")
    assert (done.code, "Traceback" in done.said) == (1, False), done.said
    assert str(place) in done.said
    assert "fix:" in done.said


# --- damaged, too new ---------------------------------------------------------------------------------


def test_a_damaged_event_is_found_named_and_costs_no_other_run(desk: Desk) -> None:
    failed_run(desk)
    desk.write("  x: {run: echo x}\n", "other.yaml")
    assert desk.maestri("run", "other.yaml").code == 0
    other, damaged = (
        line.split()[-1] for line in reversed(desk.maestri("ps", "--names").said.splitlines()[:2])
    )
    file = desk.state / "journal-0001.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("update event set body = replace(body, 'null', 'true') where name = 'a' and kind = 11")
        db.execute("update event set at = at + 1 where name = 'a'")
    runs = {run: desk.maestri("events", run) for run in (other, damaged)}
    bad = [done for done in runs.values() if done.code]
    assert len(bad) == 1, runs
    message = bad[0].diagnosed("E505")
    assert (bad[0].code, str(file) in message, "/a" in message) == (1, True, True)
    resumed = desk.maestri("resume", next(run for run, done in runs.items() if done.code))
    assert (resumed.code, "/a" in resumed.diagnosed("E505")) == (1, True)
    assert (desk.folder / "log").read_text() == "once\n"


def test_a_file_that_is_no_journal_is_named_and_new_runs_begin_beside_it(desk: Desk) -> None:
    failed_run(desk)
    file = desk.state / "journal-0001.db"
    file.write_bytes(os.urandom(8192))
    for beside in ("journal-0001.db-wal", "journal-0001.db-shm"):
        (desk.state / beside).unlink(missing_ok=True)
    looked = desk.maestri("ps")
    assert "Traceback" not in looked.said
    assert str(file) in looked.said
    assert desk.maestri("run", "flow.yaml").code == 0
    assert (desk.kinds()[-1], (desk.state / "journal-0002.db").exists()) == ("run.succeeded", True)


def test_a_journal_of_a_newer_version_is_left_alone(desk: Desk) -> None:
    failed_run(desk)
    file = desk.state / "journal-0001.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("pragma user_version = 99")
    before = file.read_bytes()
    looked = desk.maestri("ps")
    assert "E506" in looked.said
    assert "upgrade Maestri" in looked.said
    assert "Traceback" not in looked.said
    assert desk.maestri("run", "flow.yaml").code == 0
    assert file.read_bytes() == before


def test_a_journal_that_cannot_be_opened_is_named_where_its_run_is_looked_for(desk: Desk) -> None:
    failed_run(desk)
    file, aside = desk.state / "journal-0001.db", desk.state / "aside"
    file.rename(aside)
    file.mkdir()
    for words in (("resume", "@last"), ("show", "no-such-run-1")):
        done = desk.maestri(*words)
        assert (done.code, str(file) in done.diagnosed("E500")) == (1, True)
    file.rmdir()
    aside.rename(file)
    assert completes(desk)


# --- in use by something else -------------------------------------------------------------------------


def test_a_journal_that_another_program_has_locked_is_named(desk: Desk) -> None:
    failed_run(desk)
    file = desk.state / "journal-0001.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("begin exclusive")
        done = desk.maestri("resume", "@last")
    message = done.diagnosed("E500")
    assert (done.code, str(file) in message, "in use" in message) == (1, True, True), message
    assert completes(desk)

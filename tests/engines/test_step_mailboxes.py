"""The mailboxes of steps: what is well-formed comes in once and in order; all else harms nobody."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from maestri.cli import tell
from maestri.engines.statedir import StateDir
from maestri.engines.step_mailboxes import MOST, StepMailboxes
from maestri.kernel.inside import Report


class Desk:
    """One mailbox and who hears of its reports; `stored` is what becomes of each."""

    def __init__(self, folder: Path) -> None:
        self.state = StateDir(folder / "state")
        self.state.prepare()
        self.heard: list[Report] = []
        self.stored: Callable[[], Awaitable[None] | None] = _at_once

    def hear(self, report: Report) -> Awaitable[None] | None:
        self.heard.append(report)
        return self.stored()

    def play(self, act: Callable[[Path], Any], settled: tuple[tuple[str, str], ...] = ()) -> None:
        """Begin a mailbox, let something happen in it, and close it."""

        async def all_of_it() -> None:
            mailboxes = StepMailboxes(self.state, "#!/bin/sh\n", every_s=0.01)
            mailbox = mailboxes.open("run1", "/build", 1, self.hear, settled)
            mailbox.make()
            found = act(Path(mailbox.place))
            if asyncio.iscoroutine(found):
                await found
            mailbox.close()
            await asyncio.sleep(0.01)
            await mailboxes.close()

        asyncio.run(all_of_it())

    async def until(self, count: int) -> None:
        for _ in range(2000):
            if len(self.heard) >= count:
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"only these came: {self.words}")

    @property
    def words(self) -> list[str]:
        return [report.words for report in self.heard]

    @property
    def left(self) -> list[str]:
        return [file.name for file in (self.state.run_dir("run1") / "inside").iterdir()]


async def _done() -> None:
    pass


def _at_once() -> Awaitable[None]:
    return _done()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def write(place: Path, name: str, record: Any) -> None:
    (place / name).write_text(record if isinstance(record, str) else json.dumps(record))


def test_reports_come_in_order_with_their_data_and_nothing_is_left_of_the_folder(desk: Desk) -> None:
    def act(place: Path) -> None:
        assert tell.quick(["task-started", "one"], str(place)) == 0
        assert tell.quick(["checkpoint", "half", "--data", '{"n": 15}'], str(place)) == 0
        assert tell.quick(["done"], str(place)) == 0

    desk.play(act)
    assert desk.words == ["task-started: one", "checkpoint: half", "done"]
    assert (desk.heard[1].data, desk.left) == ({"n": 15}, [])


def test_a_program_that_knows_nothing_of_maestri_reports_with_a_file(desk: Desk) -> None:
    desk.play(lambda place: write(place, "mine.json", {"what": "checkpoint", "text": "by hand"}))
    assert desk.words == ["checkpoint: by hand"]


def _fifo(place: Path) -> None:
    os.mkfifo(place / "a.json")


def _link(place: Path) -> None:
    secret = place.parent / "secret"
    write(place.parent, "secret", {"what": "checkpoint", "text": "secret"})
    (place / "a.json").symlink_to(secret)


def _folder(place: Path) -> None:
    (place / "a.json").mkdir()


def _socket(place: Path) -> None:
    os.mknod(place / "a.json", 0o140600)


@pytest.mark.parametrize("make", [_fifo, _link, _folder, _socket])
def test_what_is_no_file_is_told_of_and_never_opened(desk: Desk, make: Callable[[Path], None]) -> None:
    desk.play(make)
    assert [report.what for report in desk.heard] == ["left-out"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        '{"what": "explode"}',
        '{"what": ["done"]}',
        '{"what": "done", "text": 7}',
        json.dumps({"what": "done", "text": "x" * 5000}),
        '{"what": "done", "data": NaN}',
        '{"what": "done", "data": 1e999}',
        '{"what": "done", "text": "\\ud800"}',
        '{"what": "done", "data": ' + "[" * 100 + "]" * 100 + "}",
        "[" * 50_000,
        '{"what": "done", "data": "' + "x" * 70_000 + '"}',
        '{"what": "left-out", "text": "not from a step"}',
    ],
)
def test_what_is_no_report_is_told_of_and_left_out(desk: Desk, content: str) -> None:
    desk.play(lambda place: write(place, "a.json", content))
    assert [report.what for report in desk.heard] == ["left-out"]


def test_garbage_of_many_kinds_is_one_finding_and_good_reports_still_come_in(desk: Desk) -> None:
    def act(place: Path) -> None:
        for number in range(20):
            write(place, f"bad-{number}.json", "garbage")
            write(place, f"not a name {number}", "garbage")
        tell.quick(["checkpoint", "good"], str(place))

    desk.play(act)
    assert sorted(report.what for report in desk.heard) == ["checkpoint", "left-out"]


def test_a_flood_is_capped_with_a_notice(desk: Desk) -> None:
    def act(place: Path) -> None:
        for number in range(MOST + 50):
            write(place, f"{number:08}.json", '{"what": "checkpoint"}')

    desk.play(act)
    assert len(desk.heard) == MOST + 1
    assert "the others are left out" in desk.heard[-1].text


def test_a_step_that_replaces_its_folder_by_a_link_gets_nothing_read_or_written_elsewhere(desk: Desk) -> None:
    elsewhere = desk.state.root / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, "a.json", {"what": "checkpoint", "text": "not mine"})

    def act(place: Path) -> None:
        place.rmdir()
        place.symlink_to(elsewhere)

    desk.play(act)
    assert [report.what for report in desk.heard] == ["left-out"]
    assert ([file.name for file in elsewhere.iterdir()], desk.left) == (["a.json"], [])


def test_a_folder_that_was_filled_to_great_depth_and_closed_is_removed(desk: Desk) -> None:
    def act(place: Path) -> None:
        here = os.open(place, os.O_RDONLY)
        for _ in range(1500):
            os.mkdir("d", dir_fd=here)
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.close(here)
        (place / "d").chmod(0)

    desk.play(act)
    assert desk.left == []


def test_reports_are_heard_while_the_step_runs_also_of_two_processes_at_once(desk: Desk) -> None:
    async def act(place: Path) -> None:
        await asyncio.gather(
            *(asyncio.to_thread(tell.quick, ["checkpoint", str(n)], str(place)) for n in range(20))
        )
        await desk.until(20)

    desk.play(act)
    assert {report.text for report in desk.heard} == {str(n) for n in range(20)}
    assert len({report.id for report in desk.heard}) == 20


def test_a_report_that_could_not_be_stored_stays_and_is_found_by_the_next_process(desk: Desk) -> None:
    desk.stored = lambda: None
    desk.play(lambda place: tell.quick(["blocked", "no key"], str(place)))
    (left,) = StepMailboxes(desk.state, "").left("run1", iter(["/other", "/build", "/never looked at"]))
    assert (left.path, left.attempt, [r.words for r in left.reports]) == ("/build", 1, ["blocked: no key"])
    assert left.reports[0].id == desk.heard[0].id
    left.remove()
    assert desk.left == []


def test_what_is_left_of_no_step_of_the_run_is_removed(desk: Desk) -> None:
    desk.stored = lambda: None
    desk.play(lambda place: tell.quick(["blocked", "no key"], str(place)))
    (desk.state.run_dir("run1") / "inside" / "garbage").write_text("of somebody")
    assert list(StepMailboxes(desk.state, "").left("run1", ["/other"])) == []
    assert desk.left == []


def test_whoever_waits_gets_the_note_of_its_own_blocker(desk: Desk) -> None:
    async def acts() -> str | int:
        mailboxes = StepMailboxes(desk.state, "", every_s=0.01)
        mailbox = mailboxes.open("run1", "/build", 1, desk.hear)
        mailbox.make()
        name = tell.write(mailbox.place, tell.understood(["blocked", "no key"]) or tell.Wanted())
        await desk.until(1)
        waiting = asyncio.create_task(asyncio.to_thread(tell.awaited, mailbox.place, str(name), 30))
        mailbox.tell(["another"], "not for you")
        mailbox.tell([desk.heard[0].id], "in the vault")
        note = await waiting
        mailbox.close()
        await mailboxes.close()
        return note

    assert asyncio.run(acts()) == "in the vault"


def test_a_blocker_that_was_settled_before_a_restart_is_answered_once(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(place: Path) -> None:
        for text in ("no key", "no room", "no key"):
            tell.quick(["blocked", text], str(place))

    desk.play(act, (("no key", "in the vault"),))
    assert (capsys.readouterr().out, desk.words) == (
        "in the vault\n",
        ["blocked: no room", "blocked: no key"],
    )


def test_a_step_that_reports_nothing_has_no_folder_and_the_first_report_makes_it(desk: Desk) -> None:
    async def acts() -> list[str]:
        mailboxes = StepMailboxes(desk.state, "", every_s=0.01)
        silent, telling = (mailboxes.open("run1", path, 1, desk.hear) for path in ("/silent", "/telling"))
        silent.begin()
        telling.begin()
        tell.quick(["checkpoint", "one"], telling.place)
        await desk.until(1)
        there = desk.left
        silent.close()
        telling.close()
        await asyncio.sleep(0.01)
        await mailboxes.close()
        return there

    assert (len(asyncio.run(acts())), desk.words, desk.left) == (1, ["checkpoint: one"], [])


def test_nothing_is_told_outside_of_a_step_or_to_one_that_has_ended(tmp_path: Path) -> None:
    assert tell.quick(["checkpoint", "x"], "") is None
    assert tell.quick(["checkpoint", "x"], str(tmp_path / "gone" / "with its run")) is None
    assert tell.awaited(str(tmp_path / "gone"), "", None) == tell.GONE
    assert tell.awaited(str(tmp_path), "", 0) == tell.TOO_LATE


@pytest.mark.parametrize(
    "words",
    [[], ["explode"], ["checkpoint"], ["done", "--data"], ["done", "--data", "{"], ["wait", "x"], ["-h"]],
)
def test_a_wrong_command_line_is_left_to_the_whole_one(words: list[str]) -> None:
    assert tell.understood(words) is None

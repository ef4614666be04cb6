"""A mailbox that strangers may write to."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from maestri.engines.sqlite import mailbox
from maestri.engines.statedir import StateDir
from maestri.errors import EngineError, UsageError
from maestri.kernel.ports import Message

GOOD = "00000000000000000001-m1.json"
RECORD = {"id": "m1", "verb": "signal", "data": {}}


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Give a state directory."""
    return StateDir(tmp_path)


@pytest.fixture
def box(state: StateDir) -> Path:
    """Give the mailbox of the run `r`."""
    return state.made(mailbox.folder(state, "r"))


def test_messages_come_in_the_order_of_posting(state: StateDir) -> None:
    sent = [Message(f"m-{index}", "signal", {"n": index}) for index in (3, 1, 2)]
    for message in sent:
        mailbox.post(state, "r", message)
    assert mailbox.messages(state, "r") == sent


def test_posting_rings_the_bell_each_time(state: StateDir) -> None:
    rings = []
    for index in range(20):
        mailbox.post(state, "r", Message(f"m-{index}", "signal", {}))
        rings.append(mailbox.bell_at(state))
    assert len(set(rings)) == 20


def test_the_bell_says_who_has_mail_since_it_was_looked_at(state: StateDir) -> None:
    mailbox.post(state, "r", Message("m-1", "signal", {}))
    at, who = mailbox.rung(state, 0)
    assert (who, mailbox.rung(state, at)) == ({"r"}, (at, set()))
    mailbox.post(state, "s", Message("m-2", "signal", {}))
    assert mailbox.rung(state, at)[1] == {"s"}


def test_a_bell_that_was_begun_anew_may_mean_anybody(state: StateDir) -> None:
    state.bell.write_text("r\n" * 40_000, encoding="ascii")
    at, _ = mailbox.rung(state, 0)
    mailbox.post(state, "s", Message("m-1", "signal", {}))
    assert mailbox.rung(state, at) == (2, None)


def test_a_name_that_is_being_written_may_mean_anybody(state: StateDir) -> None:
    state.bell.write_text("r\nhalf", encoding="ascii")
    assert mailbox.rung(state, 2) == (2, None)
    assert mailbox.rung(state, 0) == (2, {"r"})


def test_removed_message_is_gone_in_every_copy(state: StateDir) -> None:
    for message_id in ("m1", "m1", "xm1", "m2"):
        mailbox.post(state, "r", Message(message_id, "signal", {}))
    mailbox.remove(state, "r", "m1")
    assert [message.id for message in mailbox.messages(state, "r")] == ["xm1", "m2"]


@pytest.mark.parametrize("message_id", ["", "../x", "a b", "x" * 65, "a\n"])
def test_id_that_could_be_a_path_is_refused(state: StateDir, message_id: str) -> None:
    with pytest.raises(UsageError):
        mailbox.post(state, "r", Message(message_id, "signal", {}))


def test_large_message_is_refused(state: StateDir) -> None:
    with pytest.raises(EngineError, match="too large"):
        mailbox.post(state, "r", Message("m1", "signal", {"x": "x" * (1 << 20)}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        json.dumps({**RECORD, "id": "m2"}).encode(),
        json.dumps({**RECORD, "data": 3}).encode(),
        json.dumps({**RECORD, "verb": None}).encode(),
        json.dumps({**RECORD, "data": {"x": "x" * (1 << 20)}}).encode(),
    ],
)
def test_what_is_no_message_is_moved_away(state: StateDir, box: Path, content: bytes) -> None:
    (box / GOOD).write_bytes(content)
    assert mailbox.messages(state, "r") == []
    assert list(box.iterdir()) == []
    assert len(list((box.parent / "refused-mail").iterdir())) == 1


def test_link_pipe_and_folder_are_moved_away_unread(state: StateDir, box: Path, tmp_path: Path) -> None:
    (tmp_path / "target").write_text(json.dumps(RECORD))
    (box / GOOD).symlink_to(tmp_path / "target")
    os.mkfifo(box / GOOD.replace("1-m1", "2-m1"))
    (box / GOOD.replace("1-m1", "3-m1")).mkdir()
    (box / "anything").write_text(json.dumps(RECORD))
    assert mailbox.messages(state, "r") == []
    assert list(box.iterdir()) == []


def test_file_that_is_being_written_is_left_alone(state: StateDir, box: Path) -> None:
    (box / ".half").write_text("{")
    assert mailbox.messages(state, "r") == []
    assert (box / ".half").exists()


def test_a_message_that_cannot_be_read_now_is_not_moved_away(
    state: StateDir, box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    (box / GOOD).write_text(json.dumps(RECORD))
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fails)
        with pytest.raises(EngineError, match=GOOD):
            mailbox.messages(state, "r")
    assert mailbox.messages(state, "r") == [Message("m1", "signal", {})]


def test_a_mailbox_that_cannot_be_read_is_named_and_may_have_mail(state: StateDir) -> None:
    place = mailbox.folder(state, "r")
    state.made(place.parent)
    place.touch()
    with pytest.raises(EngineError, match="mailbox cannot be read"):
        mailbox.messages(state, "r")
    assert mailbox.may_have_mail(state, "r")
    mailbox.remove(state, "r", "m1")

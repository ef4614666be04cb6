"""Each limit ends a command that goes beyond it, whichever sandbox it is in, and leaves the others alone."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from maestri.errors import ExitFailed, LimitExceeded
from maestri.kernel.isolation import Limits
from maestri.sandboxes import local
from maestri.sandboxes.cgroups import Groups

TOO_MUCH = {
    "wall": ("200ms", "sleep 60"),
    "cpu": ("1s", "while :; do :; done"),
    "memory": ("64MB", "python3 -c 'import time; x = bytearray(200_000_000); time.sleep(60)'"),
    "processes": (8, "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 60 & done; wait"),
    "disk": ("4MB", "for i in 1 2 3 4 5 6; do dd if=/dev/zero of=$i bs=1M count=2; done 2>&1; sleep 60"),
}


@pytest.mark.parametrize("limit", TOO_MUCH)
def test_a_limit_ends_what_goes_beyond_it(box: Any, limit: str) -> None:
    value, command = TOO_MUCH[limit]
    with pytest.raises(LimitExceeded, match=rf"limits\.{limit}"):
        box.run(command, {"limits": {limit: value}})


@pytest.mark.parametrize("limit", ["memory", "processes"])
def test_a_limit_holds_where_no_control_group_can_be_made(
    box: Any, limit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(local, "Groups", partial(Groups, own=tmp_path / "none"))
    value, command = TOO_MUCH[limit]
    try:
        box.run(command, {"limits": {limit: value}})
    except LimitExceeded as error:
        assert f"limits.{limit}" in error.message  # seen by the one who looks
    except ExitFailed as error:
        assert "fork" in error.detail["stderr"].lower()  # held by the kernel
    else:
        pytest.fail("nothing has ended it")


def test_a_command_within_its_limits_ends_as_it_does(box: Any) -> None:
    limits = {"wall": "60s", "cpu": "30s", "memory": "500MB", "processes": 32, "disk": "50MB"}
    assert (
        box.run("sh -c 'echo a; dd if=/dev/zero of=x bs=1M count=1 2>/dev/null'", {"limits": limits}) == "a"
    )
    assert box.records[0][2]["limits"]["memory_bytes"] == 500_000_000


def test_one_file_beyond_the_disk_limit_ends_at_once(box: Any) -> None:
    with pytest.raises(LimitExceeded, match=r"limits\.disk"):
        box.run(["dd", "if=/dev/zero", "of=x", "bs=1M", "count=50"], {"limits": {"disk": "4MB"}})


def test_what_there_was_before_does_not_count_as_written(box: Any) -> None:
    (box.folder / "large").write_bytes(bytes(8 << 20))
    assert box.run("sleep 0.5; echo ok", {"limits": {"disk": "4MB"}}) == "ok"


def test_temporary_files_are_limited_too(strong_box: Any) -> None:
    with pytest.raises(ExitFailed) as caught:
        strong_box.run("for i in 1 2 3; do head -c 2M /dev/zero >/tmp/$i; done", {"limits": {"disk": "4MB"}})
    assert "No space left" in caught.value.detail["stderr"]


def test_memory_that_processes_share_counts_once(box: Any) -> None:
    (box.folder / "share.py").write_text(
        "import os, time\nx = bytearray(60_000_000)\n"
        "for _ in range(4):\n    if os.fork() == 0:\n        time.sleep(1)\n        os._exit(0)\n"
        "for _ in range(4):\n    os.wait()\nprint('ok')\n"
    )
    assert box.run(["python3", "share.py"], {"limits": {"memory": "150MB"}}) == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root can make control groups only by delegation")
def test_a_group_that_was_made_is_gone_when_it_is_closed() -> None:
    groups = Groups(Limits(processes=5, memory_bytes=1 << 26), "test")
    folders = [one.rpartition("/")[0] for one in groups.members]
    groups.close()
    assert [folder for folder in folders if Path(folder).exists()] == []

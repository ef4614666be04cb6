"""The state directory: found, made private, and refused when it must not be trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maestri.engines.filesystems import network_type
from maestri.engines.statedir import ALLOW_NETWORK, StateDir, locate
from maestri.errors import EngineError, RunNotFound, StateUnusable

MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 22 0:50 / /home rw - nfs4 server:/home rw
41 40 0:51 / /home/me/my\\040disk rw shared:1 - xfs /dev/vdb rw
42 22 0:52 / /mnt/shared rw - fuse.sshfs me@there:/ rw
43 22 0:53 / /over rw - ext4 /dev/vdc rw
44 22 0:54 / /over rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"MAESTRI_STATE": "/a/b"}, "/a/b"),
        ({"MAESTRI_STATE": "/a/b", "XDG_STATE_HOME": "/x"}, "/a/b"),
        ({"XDG_STATE_HOME": "/x"}, "/x/maestri"),
        ({}, str(Path.home() / ".local/state/maestri")),
    ],
)
def test_place_follows_the_environment(environ: dict[str, str], expected: str) -> None:
    assert str(locate(environ)) == expected


def test_prepared_directory_is_private(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "deep" / "state")
    state.prepare()
    assert state.root.stat().st_mode & 0o777 == 0o700


def test_looking_creates_nothing(tmp_path: Path) -> None:
    assert StateDir(tmp_path / "state").inspect() is False
    assert StateDir(tmp_path / "state").journals() == []
    assert list(tmp_path.iterdir()) == []


def test_own_directory_that_others_may_enter_is_tightened(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o755)
    assert StateDir(tmp_path / "state").inspect()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(StateUnusable) as caught:
        StateDir(tmp_path / "state").inspect()
    assert caught.value.code == "E507"
    assert caught.value.cause == "it is not a directory"
    assert "MAESTRI_STATE" in caught.value.fix


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 12345, 12345)
    with pytest.raises(StateUnusable) as caught:
        StateDir(tmp_path / "state").prepare()
    assert "user 12345" in caught.value.cause


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib", ""),
        ("/home/me", "nfs4"),
        ("/homestead", ""),
        ("/home/me/my disk/state", ""),
        ("/mnt/shared/x", "fuse.sshfs"),
        ("/over", "cifs"),
    ],
)
def test_network_file_system_is_told_by_the_longest_mount(place: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert network_type(Path(place), tmp_path / "mounts") == kind


def test_system_without_a_list_of_mounts_knows_nothing(tmp_path: Path) -> None:
    assert network_type(tmp_path, tmp_path / "none") == ""


def test_network_is_refused_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestri.engines.statedir.network_type", lambda _: "nfs4")
    (tmp_path / "state").mkdir(mode=0o700)
    with pytest.raises(StateUnusable) as caught:
        StateDir(tmp_path / "state").inspect()
    assert ALLOW_NETWORK in caught.value.fix
    assert StateDir(tmp_path / "state", {ALLOW_NETWORK: "1"}).inspect()


@pytest.mark.parametrize("run_id", ["../x", "", "a/b", ".hidden", "x" * 65, "a\n"])
def test_text_of_a_user_is_no_folder(run_id: str, tmp_path: Path) -> None:
    with pytest.raises(RunNotFound):
        StateDir(tmp_path).run_dir(run_id)


def test_log_has_no_text_of_a_user_in_its_name(tmp_path: Path) -> None:
    first, second = (StateDir(tmp_path).log_path("r", "/loop/round#2/work", n) for n in (1, 2))
    assert first.parent == tmp_path / "runs/r/logs"
    assert first.parent.is_dir()
    assert first.name[:32] == second.name[:32]
    assert (first.name[32:], second.name[32:]) == ("-1.log", "-2.log")


def test_artifact_is_kept_under_its_hash_once(tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text("hello")
    state = StateDir(tmp_path / "state")
    state.prepare()
    kept = [state.keep(str(tmp_path / "report.txt"), "report") for _ in range(2)]
    assert kept[0] == kept[1]
    assert kept[0].size_bytes == 5
    assert state.artifact_path(kept[0].digest).read_text() == "hello"
    assert sum(path.is_file() for path in (tmp_path / "state").rglob("*")) == 1


def test_link_folder_and_pipe_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    state = StateDir(tmp_path / "state")
    state.prepare()
    for name in ("link", "pipe", "state", "missing"):
        with pytest.raises(EngineError):
            state.keep(str(tmp_path / name), name)


def test_text_that_is_no_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="digest"):
        StateDir(tmp_path).artifact_path("../../etc/passwd")


def test_reserve_is_held_and_released(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    assert state.hold_reserve()
    assert state.reserve.stat().st_size == 16 << 20
    state.release_reserve()
    assert not state.reserve.exists()


def test_a_place_for_artifacts_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "artifacts").touch()
    (tmp_path / "report.txt").touch()
    with pytest.raises(EngineError, match="cannot be kept as an artifact"):
        StateDir(tmp_path).keep(str(tmp_path / "report.txt"), "report")


def test_a_reserve_that_cannot_be_held_or_released_harms_nobody(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "gone")
    assert not state.hold_reserve()
    state.release_reserve()


def test_it_tells_whether_there_are_several_journals_and_mailboxes_of_steps(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    (tmp_path / "journal-0001.db").touch()
    assert (state.has_one_journal(), state.has_step_mailboxes("r")) == (True, False)
    (tmp_path / "journal-0002.db").touch()
    state.step_mailbox("r", "/a", 1).mkdir(parents=True)
    assert (state.has_one_journal(), state.has_step_mailboxes("r")) == (False, True)

"""The agent behind copies of directories: real files, hostile ones too."""

import asyncio
import contextlib
import errno
import os
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestri.agents import trees
from maestri.agents.directory import DirectoryAgent
from maestri.engines.statedir import StateDir
from maestri.errors import CopyMissing, DirectoryChanged, InputInvalid, StepFailed
from maestri.kernel.ports import Answer, Attempt, Task


class Desk:
    """A directory with some files, and an agent that works on copies of it."""

    def __init__(self, root: Path) -> None:
        self.state = StateDir(root / "state", {})
        self.state.prepare()
        self.agent = DirectoryAgent(self.state.copies, self.state.root)
        self.dir = root / "work"
        (self.dir / "pkg").mkdir(parents=True)
        (self.dir / "a.txt").write_text("a")
        (self.dir / "pkg" / "b.txt").write_text("b")
        self.copy = Path()

    def ask(self, verb: str, path: str = "/r/copy", **request: Any) -> Answer:
        attempt = Attempt("run-1", path, 1, "key", str(self.dir.parent), _drop, _beat, _tell, self.state.keep)
        return asyncio.run(self.agent.perform(Task("directory", {"verb": verb, **request}), attempt))

    def begin(self) -> Path:
        self.copy = Path(self.ask("copy", dir="work").value["dir"])
        return self.copy

    def apply(self) -> Any:
        return self.ask("apply", "/r/apply", dir="work", copy=str(self.copy)).value


def _drop(data: bytes, stream: str = "") -> None:
    pass


def _beat() -> None:
    pass


def _tell(_kind: str, _text: str) -> None:
    pass


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path)


def content(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        found[name] = (
            str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        )
    return found


def test_a_copy_is_the_same_under_the_same_name_in_the_folder_of_the_run(desk: Desk) -> None:
    copy = desk.begin()
    assert content(copy) == content(desk.dir)
    assert (copy.name, desk.state.root in copy.parents) == ("work", True)


def test_nothing_outside_changes_until_it_is_applied_and_then_all_of_it(desk: Desk) -> None:
    before = content(desk.dir)
    copy = desk.begin()
    (copy / "a.txt").write_text("other")
    (copy / "pkg" / "b.txt").unlink()
    (copy / "new" / "deep").mkdir(parents=True)
    (copy / "new" / "deep" / "c.txt").write_text("c")
    assert content(desk.dir) == before
    done = desk.apply()
    assert content(desk.dir) == content(copy)
    assert done == {"added": ["new/deep/c.txt"], "changed": ["a.txt"], "deleted": ["pkg/b.txt"]}


def test_a_file_may_become_a_folder_and_a_folder_a_file(desk: Desk) -> None:
    copy = desk.begin()
    (copy / "a.txt").unlink()
    (copy / "a.txt").mkdir()
    (copy / "a.txt" / "inner").write_text("i")
    (copy / "pkg" / "b.txt").unlink()
    (copy / "pkg").rmdir()
    (copy / "pkg").write_text("file")
    desk.apply()
    assert content(desk.dir) == content(copy)


def test_modes_and_links_come_along(desk: Desk) -> None:
    copy = desk.begin()
    (copy / "a.txt").chmod(0o755)
    (copy / "link").symlink_to("pkg/b.txt")
    desk.apply()
    assert (desk.dir / "a.txt").stat().st_mode & 0o777 == 0o755
    assert (desk.dir / "link").readlink() == Path("pkg/b.txt")


def test_a_directory_that_changed_meanwhile_is_left_alone_and_the_copy_is_kept(desk: Desk) -> None:
    copy = desk.begin()
    (copy / "a.txt").write_text("ours")
    (desk.dir / "pkg" / "b.txt").write_text("theirs")
    (desk.dir / "z.txt").write_text("new")
    with pytest.raises(DirectoryChanged, match=r"`pkg/b.txt`, `z.txt`"):
        desk.apply()
    assert ((desk.dir / "a.txt").read_text(), (copy / "a.txt").read_text()) == ("a", "ours")


def test_what_tools_leave_behind_is_neither_a_change_nor_brought_back(desk: Desk) -> None:
    copy = desk.begin()
    (copy / "a.txt").write_text("other")
    for root in (copy, desk.dir):
        (root / "pkg" / "__pycache__").mkdir()
        (root / "pkg" / "__pycache__" / root.name).write_text(str(root))
    assert desk.apply()["added"] == []


def test_a_repository_is_seen_in_the_copy_but_one_that_lies_elsewhere_is_not(desk: Desk) -> None:
    (desk.dir / ".git").mkdir()
    (desk.dir / ".git" / "HEAD").write_text("ref")
    (desk.dir / "pkg" / ".git").write_text("gitdir: /elsewhere")
    copy = desk.begin()
    assert (copy / ".git" / "HEAD").read_text() == "ref"
    assert not (copy / "pkg" / ".git").exists()
    (copy / ".git" / "HEAD").write_text("changed")
    assert desk.apply() == {"added": [], "changed": [], "deleted": []}


@pytest.mark.parametrize("steps", range(12))
def test_bringing_back_goes_on_after_a_crash_at_any_file(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    copy = desk.begin()
    for number in range(3):
        (copy / f"new{number}").write_text(str(number))
    (copy / "a.txt").write_text("other")
    (copy / "pkg" / "b.txt").unlink()
    left = [steps]

    def crashing(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                message = "as if killed"
                raise KeyboardInterrupt(message)
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for name in ("rename", "unlink", "mkdir"):
            patch.setattr(os, name, crashing(getattr(os, name)))
        patch.setattr(trees, "place", crashing(trees.place))
        with contextlib.suppress(KeyboardInterrupt):
            desk.agent._apply({"dir": str(desk.dir), "copy": str(copy)}, _attempt(desk), _beat)
    desk.apply()
    assert content(desk.dir) == content(copy)


def _attempt(desk: Desk) -> Attempt:
    return Attempt("run-1", "/r/apply", 1, "k", str(desk.dir), _drop, _beat, _tell, desk.state.keep)


def test_applying_twice_is_applying_once(desk: Desk) -> None:
    (desk.begin() / "a.txt").write_text("other")
    assert desk.apply() == desk.apply()


def test_a_copy_that_was_begun_is_begun_anew(desk: Desk) -> None:
    copy = desk.begin()
    (copy / "left-over").write_text("x")
    (copy / "pkg").chmod(0o500)
    assert desk.begin() == copy
    assert content(copy) == content(desk.dir)


def test_hostile_names_stay_names(desk: Desk) -> None:
    names = ["-rf", "new\nline", "$(touch x)", "ünï", "quote'\"", " ", "a" * 250, os.fsdecode(b"\xff\xfe")]
    for name in names:
        (desk.dir / name).write_text(name if name.isprintable() else "x")
    copy = desk.begin()
    for name in names:
        (copy / name).write_text("changed")
    done = desk.apply()
    assert len(done["changed"]) == len(names)
    assert "\\xff\\xfe" in done["changed"]
    assert content(desk.dir) == content(copy)


def test_links_are_never_followed_out_of_the_directory(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (desk.dir / "way").symlink_to(outside)
    copy = desk.begin()
    assert (copy / "way").readlink() == outside
    (copy / "way").unlink()
    (copy / "way").mkdir()
    (copy / "way" / "secret").write_text("overwritten")
    desk.apply()
    assert (outside / "secret").read_text() == "s"
    assert not (desk.dir / "way").is_symlink()


def test_a_link_that_takes_the_place_of_a_folder_meanwhile_is_a_change(desk: Desk, tmp_path: Path) -> None:
    (desk.begin() / "pkg" / "b.txt").write_text("other")
    (desk.dir / "pkg").rename(tmp_path / "moved")
    (desk.dir / "pkg").symlink_to(tmp_path / "moved")
    with pytest.raises(DirectoryChanged):
        desk.apply()
    assert (tmp_path / "moved" / "b.txt").read_text() == "b"


def test_what_cannot_be_copied_is_named(desk: Desk) -> None:
    os.mkfifo(desk.dir / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(desk.dir)  # the path of a socket is short
        made.bind("sock")
        os.chdir(here)
    assert desk.ask("copy", dir="work").value["left_out"] == ["pipe", "sock"]


def test_the_state_directory_is_no_part_of_a_copy(desk: Desk) -> None:
    copy = Path(desk.ask("copy", dir=".").value["dir"])
    assert sorted(path.name for path in copy.iterdir()) == ["work"]


def test_a_deep_tree_is_copied_and_removed(desk: Desk) -> None:
    here = os.open(desk.dir, os.O_RDONLY)
    for _ in range(90):  # deeper than a path may be long
        os.mkdir("d" * 50, dir_fd=here)
        inner = os.open("d" * 50, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    desk.begin()
    assert desk.apply() == {"added": [], "changed": [], "deleted": []}
    desk.ask("clean", copies=[str(desk.copy)])
    assert list(desk.state.copies("run-1").iterdir()) == []
    trees.remove(str(desk.dir.parent), "work")


def test_what_was_done_is_told_and_archived(desk: Desk) -> None:
    copy = desk.begin()
    (copy / "a.txt").write_text("other")
    (copy / "pkg" / "b.txt").unlink()
    told = desk.ask("changes", copy=str(copy)).value
    answer = desk.ask("archive", copy=str(copy), name="approach")
    assert told == {"added": [], "changed": ["a.txt"], "deleted": ["pkg/b.txt"]}
    with tarfile.open(desk.state.artifact_path(answer.artifacts[0].digest)) as packed:
        assert packed.getnames() == ["a.txt"]


def test_nothing_done_is_archived_as_nothing(desk: Desk) -> None:
    assert desk.ask("archive", copy=str(desk.begin()), name="x").artifacts == ()


def test_cleaning_removes_the_copy_and_may_be_done_again(desk: Desk) -> None:
    copy = desk.begin()
    (copy / "pkg").chmod(0o500)
    desk.ask("clean", copies=[str(copy)])
    desk.ask("clean", copies=[str(copy)])
    assert list(desk.state.copies("run-1").iterdir()) == []


def test_a_copy_that_is_gone_is_said_to_be(desk: Desk) -> None:
    desk.begin()
    desk.ask("clean", copies=[str(desk.copy)])
    with pytest.raises(CopyMissing, match="is not there any more"):
        desk.apply()


@pytest.mark.parametrize("given", ["work/a.txt", "nowhere", "/", "loop", "null\0byte"])
def test_what_is_no_directory_or_everything_is_refused(desk: Desk, given: str) -> None:
    (desk.dir.parent / "loop").symlink_to("loop")
    with pytest.raises(InputInvalid):
        desk.ask("copy", dir=given)


def test_a_file_that_cannot_be_read_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "a.txt")

    monkeypatch.setattr(trees, "place", broken)
    with pytest.raises(StepFailed, match=r"`a\.txt`: Input/output error"):
        desk.begin()


def test_a_cancelled_copy_ends_at_the_next_file(desk: Desk) -> None:
    for number in range(800):
        (desk.dir / f"f{number}").write_text("x")
    attempt = _attempt(desk)

    async def cancelled() -> bool:
        work = asyncio.create_task(
            desk.agent.perform(Task("directory", {"verb": "copy", "dir": str(desk.dir)}), attempt)
        )
        await asyncio.sleep(0.005)
        work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            return True
        return False

    assert asyncio.run(cancelled())
    copied = [path for path in desk.state.copies("run-1").rglob("f*") if path.is_file()]
    assert len(copied) < 800

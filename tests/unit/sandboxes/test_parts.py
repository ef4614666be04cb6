"""The parts of a sandbox that are decided without one: mounts, control groups, causes, what is counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maestri.kernel.isolation import AGENT, CODE, Isolation, Limits
from maestri.sandboxes import causes, policy
from maestri.sandboxes.cgroups import Groups
from maestri.sandboxes.limits import Watch, below, shown, used_bytes
from maestri.sandboxes.mounts import mounts
from maestri.sandboxes.sight import Sight


def test_outer_places_are_mounted_first_and_reading_goes_over_writing() -> None:
    seen = Sight(("/w/.git", "/w/a/b"), ("/w", "/w/a"), ("/w/state",), "/home/me", "/w")
    options = mounts(seen)
    assert [one for one in options if one.startswith("/")][1::2][:2] == ["/w", "/w/.git"]
    assert options.index("/w/a") < options.index("/w/a/b")
    assert options[options.index("/w/state") - 1] == "--tmpfs"
    assert "--bind" not in options[options.index("/w/.git") - 1]


def test_a_place_both_to_read_and_to_write_is_only_to_be_read() -> None:
    assert mounts(Sight(("/w",), ("/w",), (), "/home/me", "/w"))[0] == "--ro-bind-try"


def test_held_variables_say_nothing_by_their_names() -> None:
    assert policy.held({"LD_PRELOAD": "x", "A": "b=c"}) == {"H0": "LD_PRELOAD=x", "H1": "A=b=c"}


def test_the_kernel_gets_the_limits_that_it_can_hold() -> None:
    asked = Isolation(CODE, limits=Limits(cpu_s=0.2, disk_bytes=10, processes=5))
    found = policy.limits(asked, has_own_users=True)
    assert (found["RLIMIT_CPU"], found["RLIMIT_FSIZE"]) == (1, 10)
    assert found["RLIMIT_NPROC"] > 5
    assert policy.limits(Isolation(AGENT), has_own_users=True) == {}
    assert "RLIMIT_NPROC" not in policy.limits(asked, has_own_users=False)


def group_tree(tmp_path: Path, version: int) -> tuple[Path, Path]:
    """Return a tree of files that looks like control groups, and what says where this process is."""
    own = tmp_path / "own"
    if version == 1:
        own.write_text("4:memory:/\n3:pids:/here\n0::/\n")
        places = [tmp_path / "memory", tmp_path / "pids" / "here"]
    else:
        own.write_text("0::/user/app.scope\n")
        places = [tmp_path / "user" / "app.scope"]
        (tmp_path / "user").mkdir()
        (tmp_path / "user" / "cgroup.subtree_control").write_text("memory pids\n")
    for place in places:
        place.mkdir(parents=True)
    return tmp_path, own


@pytest.mark.parametrize("version", [1, 2])
def test_groups_are_made_where_the_kernel_lets_them(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: True)  # files of the kernel's own, which a folder lacks
    root, own = group_tree(tmp_path, version)
    groups = Groups(Limits(processes=5, memory_bytes=100), "x", root, own)
    assert groups.held == {"processes", "memory"}
    assert len(groups.members) == (2 if version == 1 else 1)
    assert sorted(file.read_text() for file in root.rglob("pids.max")) == ["8"]


def test_without_the_right_to_make_groups_nothing_is_held(tmp_path: Path) -> None:
    root, own = group_tree(tmp_path, 2)
    (root / "user" / "cgroup.subtree_control").write_text("")
    groups = Groups(Limits(processes=5), "x", root, own)
    assert (groups.held, groups.members, groups.reached()) == (frozenset(), (), "")


def test_a_limit_that_was_reached_is_read_from_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: True)
    root, own = group_tree(tmp_path, 2)
    groups = Groups(Limits(memory_bytes=100), "x", root, own)
    (made,) = root.rglob("maestri-*")
    (made / "memory.events").write_text("low 0\noom_kill 2\n")
    assert groups.reached() == "memory"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("bwrap: setting up uid map: Permission denied", "cannot create a user namespace"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "cannot create a user namespace"),
        ("bwrap: Unknown option --disable-userns", "too old"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "/proc"),
        ("bwrap: something else", "bwrap has failed: bwrap: something else"),
        ("", "it said nothing"),
    ],
)
def test_each_failure_of_bwrap_has_its_cause_and_a_fix(said: str, words: str) -> None:
    found = causes.of_bwrap(said)
    assert words in found.words
    assert found.fix


def test_the_rule_of_ubuntu_is_named_with_the_profile_to_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = tmp_path / "rule"
    rule.write_text("1\n")
    monkeypatch.setattr(causes, "_APPARMOR", rule)
    assert "bwrap-userns-restrict" in causes.of_bwrap("bwrap: setting up uid map: Permission denied").fix


def test_what_is_watched_is_what_nobody_else_holds() -> None:
    limits = Limits(cpu_s=1, memory_bytes=1 << 20, processes=3, wall_s=5)
    assert Watch(limits, frozenset({"memory"}), ()).watched == {"cpu", "processes", "wall"}
    assert Watch(Limits(), frozenset(), ()).interval_s is None


def test_this_process_and_its_files_can_be_counted(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(bytes(100_000))
    (tmp_path / "link").symlink_to("/")
    assert 100_000 <= used_bytes([str(tmp_path)]) < 1_000_000
    assert os.getpid() in list(below(os.getppid()))


def test_sizes_as_people_write_them() -> None:
    assert [shown(one) for one in (2_500_000_000, 500_000_000, 12)] == ["2.5 GB", "500 MB", "12 bytes"]

"""What cannot be landed has a clear end: an error for all, or one branch left out with the reason."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.landing.ground import Repository, landed, landing

from maestri.kernel.runner import Ended


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one good branch."""
    found = Repository(
        tmp_path / "repository", {"a": "one\ntwo\nthree\n", "bin": "\0\1\2", "dir/b": "b\n" * 9}
    )
    found.branch("docs", {"docs": "words\n"})
    return found


def refused(repository: Repository, branches: list[str], **options: Any) -> tuple[str, str]:
    """Return the code and the words of a landing that fails."""
    ended: Ended = landing(repository, branches, **options)[0].play()
    assert ended.failure is not None
    return ended.failure.code, f"{ended.failure.message}; {ended.failure.fix}"


def left_out(repository: Repository, *names: str) -> Any:
    """Return what is said of the last branch, while those before it land."""
    output = landed(repository, names)
    assert output["landed"] == list(names[:-1])
    return output["left_out"][0]


def test_outside_of_a_repository(tmp_path: Path, repository: Repository) -> None:
    repository.place = tmp_path / "nowhere"
    repository.place.mkdir()
    assert refused(repository, ["docs"])[0] == "W102"


def test_a_repository_without_commits(tmp_path: Path) -> None:
    code, words = refused(Repository(tmp_path / "empty"), ["docs"])
    assert (code, "no commit yet" in words) == ("W104", True)


def test_a_branch_that_is_not_there(repository: Repository) -> None:
    code, words = refused(repository, ["docs", "gone"])
    assert (code, "`gone`" in words) == ("W105", True)


def test_a_base_that_is_not_there(repository: Repository) -> None:
    assert refused(repository, ["docs"], base="nowhere")[0] == "W105"


def test_a_target_that_is_not_there_without_a_base(repository: Repository) -> None:
    code, words = refused(repository, ["docs"], base=None)
    assert (code, "`release`" in words, "`base`" in words) == ("G101", True, True)


def test_a_target_that_is_checked_out_here_or_elsewhere(repository: Repository) -> None:
    repository.git("worktree", "add", "-q", "-b", "held", "../held")
    for into in ("main", "held"):
        code, words = refused(repository, ["docs"], into=into)
        assert (code, "is checked out" in words) == ("G101", True)


@pytest.mark.parametrize("branches", [[], ["docs", "docs"], ["release"], [3]])
def test_a_list_that_is_none(repository: Repository, branches: Any) -> None:
    assert refused(repository, branches)[0] == "S108"


def test_nothing_to_land(repository: Repository) -> None:
    ended = landing(repository, None)[0].play()
    assert ended.failure and (ended.failure.code, ended.failure.message) == (
        "G101",
        "there is nothing to land",
    )


def test_a_bare_repository_is_as_good_as_any(tmp_path: Path, repository: Repository) -> None:
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    bare = Repository.__new__(Repository)
    bare.place = tmp_path / "bare.git"
    output = landed(bare, ["docs"], verify="test -e docs || test ! -e docs", into="release")
    assert output["landed"] == ["docs"]
    assert bare.git("show", "release:docs") == "words"


def test_a_detached_head_is_as_good_as_any(repository: Repository) -> None:
    repository.git("switch", "-q", "--detach", "main")
    assert landed(repository, ["docs"], into="main", base=None)["landed"] == ["docs"]


def test_a_history_that_was_cut_off(tmp_path: Path, repository: Repository) -> None:
    repository.commit({"c": "c\n"})
    subprocess.run(
        [
            "git",
            "clone",
            "-q",
            "--depth=1",
            "--no-single-branch",
            repository.place.as_uri(),
            str(tmp_path / "shallow"),
        ],
        check=True,
        capture_output=True,
    )
    shallow = Repository.__new__(Repository)
    shallow.place = tmp_path / "shallow"
    code, words = refused(shallow, ["origin/docs"])
    assert (code, "--unshallow" in words) == ("W106", True)


def test_a_history_of_its_own(repository: Repository) -> None:
    repository.git("switch", "-q", "--orphan", "alien")
    repository.commit({"alien": "x\n"})
    repository.git("switch", "-q", "main")
    found = left_out(repository, "docs", "alien")
    assert (found["kind"], found["reason"]) == ("unrelated", "it has no commit in common with the target")


def test_a_command_that_does_not_exist(repository: Repository) -> None:
    code, words = refused(repository, ["docs"], verify="no-such-command --at all")
    assert (code, "no-such-command" in words) == ("G104", True)


@pytest.mark.covers("limit")
def test_a_command_that_hangs(repository: Repository) -> None:
    code, words = refused(repository, ["docs"], verify="sleep 1000", verify_timeout=0.3)
    assert (code, "took longer than" in words) == ("G104", True)


def test_a_command_that_hangs_on_one_branch_leaves_that_one_out(repository: Repository) -> None:
    repository.branch("slow", {"slow": "x\n"})
    output = landed(repository, ["docs", "slow"], verify="test ! -e slow || sleep 1000", verify_timeout=1.0)
    assert (output["landed"], output["left_out"][0]["branch"]) == (["docs"], "slow")
    assert "took longer than 1 s" in output["left_out"][0]["reason"]


def test_a_command_that_is_killed_leaves_its_branch_out(repository: Repository) -> None:
    repository.branch("mad", {"mad": "x\n"})
    output = landed(repository, ["docs", "mad"], verify="test ! -e mad || kill -9 $$")
    assert output["left_out"][0]["reason"] == "it does not pass alone: killed by SIGKILL"


def test_a_full_disk_moves_nothing_and_a_resume_goes_on(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "full"
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    says = f'test -e {full} && echo "fatal: No space left on device" >&2 && exit 128'
    body = f'case "$*" in *commit-tree*) {says};; esac'
    program.write_text(f'#!/bin/sh\n{body}\nexec /usr/bin/git "$@"\n')
    program.chmod(0o755)
    full.touch()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    stage, _ = landing(repository, ["docs"])
    failure = stage.play().failure
    assert failure and (failure.code, repository.git("branch", "--list", "release")) == ("W117", "")
    full.unlink()
    assert stage.resume().output["landed"] == ["docs"]


def test_two_changes_of_a_binary_file(repository: Repository) -> None:
    repository.branch("red", {"bin": "\0red"})
    repository.branch("blue", {"bin": "\0blue"})
    assert left_out(repository, "red", "blue")["reason"] == "it conflicts with `red` in `bin`"


def test_a_rename_against_an_edit_lands_with_both(repository: Repository) -> None:
    repository.branch("moves", {"dir/b": None, "dir/c": "b\n" * 9})
    repository.branch("edits", {"dir/b": "b\n" * 8 + "edited\n"})
    output = landed(repository, ["moves", "edits"])
    assert (sorted(output["landed"]), repository.show("release:dir/c")) == (
        ["edits", "moves"],
        "b\n" * 8 + "edited",
    )


def test_a_file_that_is_deleted_against_one_that_is_edited(repository: Repository) -> None:
    repository.branch("deletes", {"a": None})
    repository.branch("edits", {"a": "one\n2\nthree\nfour\n"})
    found = left_out(repository, "deletes", "edits")
    assert (found["kind"], found["files"]) == ("conflict", ["a"])


def test_a_change_of_mode_lands_beside_a_change_of_content(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "runs", "main")
    (repository.place / "a").chmod(0o755)
    repository.git("commit", "-qam", "run it")
    repository.git("switch", "-q", "main")
    repository.branch("edits", {"a": "one\n2\nthree\n"})
    assert sorted(landed(repository, ["runs", "edits"])["landed"]) == ["edits", "runs"]
    assert repository.git("ls-tree", "release", "a").startswith("100755")
    assert repository.show("release:a") == "one\n2\nthree"


def test_a_folder_that_is_renamed_while_another_adds_to_it_is_foretold(repository: Repository) -> None:
    repository.branch("moves", {"dir/b": None, "new/b": "b\n" * 9})
    repository.branch("adds", {"dir/d": "d\n"})
    output = landing(repository, ["moves", "adds"], dry_run=True)[0].play().output
    assert [pair["branches"] for pair in output["forecast"]["conflicts"]] == [["adds", "moves"]]


def test_a_link_that_leads_out_and_a_submodule(repository: Repository, tmp_path: Path) -> None:
    repository.git("switch", "-q", "-c", "link", "main")
    (repository.place / "out").symlink_to("/etc/passwd")
    repository.commit({})
    repository.git("switch", "-q", "-c", "module", "main")
    repository.git(
        "update-index", "--add", "--cacheinfo", f"160000,{repository.git('rev-parse', 'main')},lib"
    )
    repository.git("commit", "-qm", "module")
    repository.git("switch", "-q", "-f", "main")
    output = landed(repository, ["docs", "link", "module"])
    said = {one["branch"]: one["reason"] for one in output["left_out"]}
    assert (output["landed"], "`out`" in said["link"], said["module"]) == (
        ["docs"],
        True,
        "it brings a submodule: `lib`",
    )


def test_names_that_no_shell_would_like(repository: Repository) -> None:
    repository.branch("odd", {"sp ace/q'uote\"/$(x)/-é.txt": "x\n", "new\nline": "y\n"})
    output = landed(repository, ["odd"], verify="test -e 'sp ace' || test ! -e new*")
    assert output["landed"] == ["odd"]

"""The proof that nothing was lost, on real repositories: what is there, what has a reason, what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.landing.ground import Repository

from maestri.landing.history import prove_history
from maestri.landing.proof import Proof, prove
from maestri.workspaces.git import Git

NUMBERS = "".join(f"line {n}\n" for n in range(1, 21))


def changed(*lines: int, word: str = "new") -> str:
    """Return the numbers with some lines changed."""
    return "".join(f"{word} {n}\n" if n in lines else f"line {n}\n" for n in range(1, 21))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository", {"a": NUMBERS, "b": "b\n", "lib/c": "one\ntwo\nthree\n"})


def proof(repository: Repository, files: Mapping[str, str | None], *names: str, **more: Any) -> Proof:
    """Make a commit of some files from `main` the result, and prove branches in it."""
    result = repository.branch("result", files)
    git = Git(repository.place)
    return prove(git, result, git.resolve("main"), {name: git.resolve(name) for name in names}, **more)


def verdicts(found: Proof) -> list[str]:
    return [one.reason.verdict for one in found.findings]


def told(found: Proof) -> list[str]:
    return [one.text() for one in found.findings]


def test_what_is_there_as_it_was_made_is_counted_and_nothing_is_listed(repository: Repository) -> None:
    repository.branch("one", {"a": changed(2, 9), "new": "x\n", "b": None})
    repository.branch("two", {"a": changed(15)})
    merged = (
        NUMBERS.replace("line 2\n", "new 2\n").replace("line 9\n", "new 9\n").replace("line 15\n", "new 15\n")
    )
    found = proof(repository, {"a": merged, "new": "x\n", "b": None}, "one", "two")
    assert found.findings == ()
    assert found.hunks == {"one": 4, "two": 1}
    assert found.as_json()["proved"] is True


@pytest.mark.parametrize(
    ("branch", "result", "said"),
    [
        ({"a": changed(2, 9)}, {"a": changed(2)}, "`one` a:9: lost"),
        ({"a": NUMBERS + "x\ny\n"}, {"a": NUMBERS + "x\n"}, "`one` a:21: lost"),
        ({"a": NUMBERS.replace("line 4\n", "")}, {"b": "B\n"}, "`one` a:4: lost"),
        ({"new": "some text\n"}, {"b": "B\n"}, "`one` new:1: lost"),
        ({"empty": ""}, {"b": "B\n"}, "`one` empty: lost"),
        ({"b": None}, {"a": changed(1)}, "`one` b (deletion): lost"),
        ({"b": "b\0b\n"}, {"a": changed(1)}, "`one` b: lost"),
        ({"lib/c": None, "lib/d": "one\ntwo\nthree\n"}, {"b": "B\n"}, "`one` lib/d (rename): lost"),
        ({"b": "b"}, {"a": changed(1)}, "`one` b:1: lost"),
        ({"b": "b\r\n"}, {"a": changed(1)}, "`one` b:1: lost"),
        (
            {"a": NUMBERS.replace("line 4\n", "other\n")},
            {"a": NUMBERS.replace("5\n", "5\nother\n")},
            "`one` a:4: lost",
        ),
        (
            {"lib/c": None, "lib/d": "one\ntwo\nthree\n"},
            {"lib/d": "one\ntwo\nthree\n"},
            "`one` lib/d (rename): lost",
        ),
    ],
)
def test_what_is_not_there_and_has_no_reason_is_lost(
    repository: Repository, branch: dict[str, str | None], result: dict[str, str | None], said: str
) -> None:
    repository.branch("one", branch)
    found = proof(repository, result, "one")
    assert told(found) == [said]
    assert found.as_json()["proved"] is False


def test_a_mode_that_is_not_there_is_lost_and_one_that_is_there_is_not(repository: Repository) -> None:
    repository.git("switch", "-q", "-c", "one")
    (repository.place / "b").chmod(0o755)
    repository.commit({"new": "x\n"})
    repository.git("switch", "-q", "main")
    assert told(proof(repository, {"new": "x\n"}, "one")) == ["`one` b (mode): lost"]
    git = Git(repository.place)
    tip = git.resolve("one")
    assert prove(git, tip, git.resolve("main"), {"one": tip}).findings == ()


def test_what_another_branch_has_made_of_the_same_lines_supersedes_it(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    repository.branch("two", {"a": changed(5, word="other")})
    found = proof(repository, {"a": changed(5, word="other")}, "one", "two")
    assert told(found) == ["`one` a:5: superseded by `two`"]
    assert found.as_json()["proved"] is True


def test_who_takes_one_side_of_a_whole_file_loses_what_nobody_contested(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5, 15)})
    repository.branch("two", {"a": changed(5, word="other")})
    resolved = [{"branch": "two", "files": ["a"], "commit": "c" * 40}]
    found = proof(repository, {"a": changed(5, word="other")}, "one", "two", resolved=resolved)
    assert told(found) == ["`one` a:5: superseded by `two`", "`one` a:15: lost"]


def test_lines_that_a_resolution_has_written_anew_are_resolved(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    repository.branch("two", {"a": changed(5, word="other")})
    resolved = [{"branch": "two", "files": ["a"], "commit": "c" * 40}]
    found = proof(repository, {"a": changed(5, word="both")}, "one", "two", resolved=resolved)
    assert told(found) == [
        f"`{name}` a:5: resolved in {'c' * 12}, when `two` was merged" for name in ("one", "two")
    ]
    assert verdicts(proof_of(repository, "one", "two")) == ["lost", "lost"]


def proof_of(repository: Repository, *names: str) -> Proof:
    git = Git(repository.place)
    branches = {name: git.resolve(name) for name in names}
    return prove(git, git.resolve("result"), git.resolve("main"), branches)


def test_lines_that_stand_elsewhere_now_were_moved(repository: Repository) -> None:
    repository.branch("one", {"a": NUMBERS + "def mend():\n    return 'whole'\n"})
    found = proof(repository, {"new": "import os\ndef mend():\n    return 'whole'\n"}, "one")
    assert told(found) == ["`one` a:21: moved to new:2"]


def test_lines_that_another_branch_has_added_too_are_not_taken_for_moved(repository: Repository) -> None:
    repository.branch("one", {"a": NUMBERS + "def mend():\n    return 'whole'\n"})
    repository.branch("two", {"new": "def mend():\n    return 'whole'\n"})
    found = proof(repository, {"new": "def mend():\n    return 'whole'\n"}, "one", "two")
    assert told(found) == ["`one` a:21: lost"]


def test_a_lost_line_is_not_taken_for_moved_where_the_next_line_is_like_it(repository: Repository) -> None:
    repository.branch("one", {"a": NUMBERS.replace("line 4\n", "some text\nline 5\n")})
    found = proof(repository, {"a": NUMBERS.replace("line 4\n", "some text\n")}, "one")
    assert told(found) == ["`one` a:4: lost"]


def test_a_change_is_found_in_a_file_that_another_branch_has_renamed(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    repository.branch("two", {"a": None, "z": changed(15)})
    both = NUMBERS.replace("line 5\n", "new 5\n").replace("line 15\n", "new 15\n")
    assert proof(repository, {"a": None, "z": both}, "one", "two").findings == ()


def test_other_line_ends_are_no_loss_where_the_branch_did_not_change_them(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    found = proof(repository, {"a": changed(5).replace("\n", "\r\n")}, "one")
    assert verdicts(found) == ["present"]


def test_a_branch_that_was_gone_on_from_may_have_taken_back_what_it_had(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5, 9)})
    repository.branch("two", {"a": changed(5)}, start="one")
    found = proof(repository, {"a": changed(5)}, "one", "two")
    assert told(found) == ["`one` a:9: reverted, by its own author, who went on in that branch"]


def test_a_branch_is_not_superseded_by_what_it_was_built_on(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    repository.branch("two", {"a": changed(5, word="better")}, start="one")
    found = proof(repository, {"a": changed(5)}, "one", "two")
    assert told(found) == ["`two` a:5: lost"]


# --- histories that anybody has made ---------------------------------------------------------------


def history(repository: Repository, result: str, *names: str) -> Proof:
    git = Git(repository.place)
    return prove_history(git, git.resolve(result), {name: git.resolve(name) for name in names})


def merge(repository: Repository, name: str, files: Mapping[str, str | None]) -> None:
    """Merge a branch as somebody would who then writes some files by hand."""
    repository.git("merge", "--no-ff", "--no-commit", name, check=False)
    repository.commit(files, f"Merge {name}")


def test_a_merge_of_git_is_proved_from_its_history_alone(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    repository.branch("two", {"a": changed(15)})
    repository.commit({"b": "main went on\n"})
    start = repository.git("rev-parse", "HEAD")
    repository.git("merge", "-q", "--no-ff", "-m", "m", "one")
    repository.git("merge", "-q", "--no-ff", "-m", "m", "two")
    found = history(repository, "main", "one", "two")
    assert (found.base, found.findings) == (start, ())


def test_what_a_merge_by_hand_has_dropped_without_a_conflict_is_lost(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5, 15)})
    repository.commit({"b": "main went on\n"})
    merge(repository, "one", {"a": changed(5)})
    assert told(history(repository, "main", "one")) == ["`one` a:15: lost"]


def test_a_strategy_that_takes_ours_loses_all_that_nobody_else_wanted(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5), "new": "some text\n"})
    repository.commit({"b": "main went on\n"})
    repository.git("merge", "-q", "-s", "ours", "-m", "m", "one")
    assert verdicts(history(repository, "main", "one")) == ["lost", "lost"]


def test_a_conflict_that_was_resolved_by_hand_is_found_in_the_history(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    repository.commit({"a": changed(5, word="main")})
    merge(repository, "one", {"a": changed(5, word="both")})
    commit = repository.git("rev-parse", "HEAD")
    assert told(history(repository, "main", "one")) == [
        f"`one` a:5: resolved in {commit[:12]}, when `Merge one` was merged"
    ]


def test_what_its_author_has_reverted_is_not_lost(repository: Repository) -> None:
    tip = repository.branch("one", {"a": changed(5), "b": "B\n"})
    repository.commit({"lib/c": "main went on\n"})
    repository.git("merge", "-q", "--no-ff", "-m", "m", "one")
    repository.git("revert", "--no-edit", tip)
    commit = repository.git("rev-parse", "HEAD")
    found = history(repository, "main", "one")
    assert told(found) == [
        f"`one` {where}: reverted, by its own author, in {commit[:12]}" for where in ("a:5", "b:1")
    ]


def test_branches_that_were_squashed_are_proved_as_well(repository: Repository) -> None:
    repository.branch("one", {"a": changed(5)})
    repository.branch("two", {"a": changed(15)})
    repository.git("merge", "-q", "--squash", "one")
    repository.commit({})
    repository.git("merge", "-q", "--squash", "two")
    repository.commit({"a": changed(15)})  # an older state of the file: what `one` did is gone
    assert told(history(repository, "main", "one", "two")) == ["`one` a:5: lost"]

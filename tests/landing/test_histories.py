"""What history shows of a landed branch: a merge, one commit, or its own ones; the files are the same."""

from pathlib import Path

import pytest
from tests.landing.ground import Repository, landed


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two branches of two commits each, on a `main` that has moved on since."""
    found = Repository(tmp_path / "repository", {"a": "1\n2\n3\n4\n5\n6\n7\n", "b": "b\n"})
    for name, line in (("one", "1"), ("two", "7")):
        found.branch(name, {"a": "1\n2\n3\n4\n5\n6\n7\n".replace(f"{line}\n", f"{name}\n")})
        found.git("switch", "-q", name)
        found.commit({name: "x\n"}, f"more of {name}\n\nWith a reason.")
        found.git("switch", "-q", "main")
    found.commit({"b": "moved on\n"}, "moved on")
    return found


def subjects(repository: Repository) -> list[str]:
    return repository.git("log", "--reverse", "--format=%s", "main..release").split("\n")


@pytest.mark.parametrize(
    ("mode", "shown"),
    [
        ("squash", ["Land one", "Land two"]),
        ("rebase", ["work of one", "more of one", "work of two", "more of two"]),
    ],
)
def test_each_mode_has_its_commits_and_comes_to_the_same_files(
    repository: Repository, mode: str, shown: list[str]
) -> None:
    merged = landed(repository, ["one", "two"])
    tree = repository.git("rev-parse", "release^{tree}")
    assert repository.git("rev-list", "--merges", "--count", "main..release") == "2"
    repository.git("branch", "-D", "release")
    output = landed(repository, ["one", "two"], mode=mode)
    assert (subjects(repository), repository.git("rev-parse", "release^{tree}")) == (shown, tree)
    assert (output["squashed"], merged["landed"]) == ([], output["landed"])
    assert repository.git("rev-list", "--merges", "--count", "main..release") == "0"


def test_rebase_and_squash_keep_the_author_and_rebase_the_whole_message(repository: Repository) -> None:
    landed(repository, ["one"], mode="rebase")
    assert repository.git("log", "-1", "--format=%an|%ae|%cn|%B", "release") == (
        "Ada|ada@example.org|Maestri|more of one\n\nWith a reason."
    )
    landed(repository, ["two"], mode="squash")
    assert repository.git("log", "-1", "--format=%an|%B", "release") == (
        "Ada|Land two\n\n* work of two\n* more of two"
    )


def test_a_branch_that_holds_a_merge_cannot_be_rebased_and_is_squashed_as_is_said(
    repository: Repository,
) -> None:
    repository.git("switch", "-q", "one")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "two")
    repository.git("switch", "-q", "main")
    output = landed(repository, ["one"], mode="rebase")
    assert (output["squashed"], subjects(repository)) == (["one"], ["Land one"])


def test_a_branch_on_top_of_another_brings_only_its_own_commits(repository: Repository) -> None:
    repository.branch("third", {"third": "x\n"}, start="two")
    output = landed(repository, ["third", "two"], mode="rebase")
    assert output["landed"] == ["two", "third"]
    assert subjects(repository) == ["work of two", "more of two", "work of third"]


def test_a_branch_that_brings_nothing_new_adds_no_commit(repository: Repository) -> None:
    repository.branch("same", {"one": "x\n", "a": "one\n2\n3\n4\n5\n6\n7\n"})
    for mode in ("squash", "rebase"):
        output = landed(repository, ["one", "same"], mode=mode, into=mode)
        assert len(output["landed"]) == 2
        assert repository.git("log", "--format=%s", f"main..{mode}").count("same") < 2

"""`land`, on real repositories: what lands, what is left out, and what is never touched."""

from pathlib import Path
from typing import Any

import pytest
from tests.landing.ground import Repository, landed, landing

WORKS = "test ! -e bad && ! test -e p1 -a -e p2"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with `main` and branches: one conflicts with `api`, one is bad, two break together."""
    found = Repository(tmp_path / "repository", {"a": "one\n"})
    for name in ("api", "ui"):
        found.branch(name, {"a": f"{name}\n"})
    for name in ("docs", "bad", "p1", "p2"):
        found.branch(name, {name: "words\n"})
    return found


def reasons(output: Any) -> dict[str, str]:
    return {one["branch"]: one["reason"] for one in output["left_out"]}


def test_what_conflicts_fails_or_breaks_with_others_is_left_out_and_the_rest_lands(
    repository: Repository,
) -> None:
    output = landed(repository, ["api", "ui", "docs", "bad", "p1", "p2"], verify=WORKS)
    assert output["landed"] == ["docs", "p1", "api"]
    assert reasons(output) == {
        "bad": "it does not pass alone: exit code 1",
        "ui": "it conflicts with `api` in `a`",
        "p2": "it breaks together with `p1`: exit code 1",
    }
    assert [one["kind"] for one in output["left_out"]] == ["verify", "combination", "conflict"]
    assert repository.git("rev-parse", "release") == output["commit"]
    assert repository.git("ls-tree", "--name-only", "release").split() == ["a", "docs", "p1"]


def test_checkout_index_stash_and_untracked_files_of_the_user_stay_byte_for_byte(
    repository: Repository,
) -> None:
    (repository.place / "a").write_text("stashed work\n", encoding="utf-8")
    repository.git("stash")
    (repository.place / "a").write_text("unsaved work\n", encoding="utf-8")
    (repository.place / "new").write_text("new\n", encoding="utf-8")
    repository.git("add", "new")
    (repository.place / "untracked").write_text("mine\n", encoding="utf-8")
    before = repository.state()
    output = landed(repository, ["api", "docs"], verify="echo rubbish > a; echo more > rubbish")
    assert (output["landed"], repository.state()) == (["docs", "api"], before)
    assert output["notes"] == [
        "2 files of your checkout have changes that are not committed: they are neither landed nor touched"
    ]


def test_what_a_verification_leaves_behind_is_seen_by_no_other_and_is_not_landed(
    repository: Repository,
) -> None:
    spoils = (
        "test ! -e rubbish -a ! -e deep/x && mkdir -m 0 deep && echo x > rubbish && echo b >> a && rm -f docs"
    )
    output = landed(repository, ["api", "docs", "p1"], verify=spoils)
    assert output["landed"] == ["docs", "p1", "api"]
    assert repository.git("ls-tree", "--name-only", "release").split() == ["a", "docs", "p1"]
    assert repository.show("release:a") == "api"


def test_a_verification_runs_in_a_worktree_whose_head_is_what_it_verifies(repository: Repository) -> None:
    clean = 'test -z "$(git status --porcelain)" && git log -1 --format=%s >> "$OUT"'
    out = repository.place.parent / "out"
    landed(repository, ["docs", "p1"], verify=clean.replace("$OUT", str(out)), max_concurrent=1)
    assert out.read_text().split("\n") == ["begin", "work of docs", "work of p1", "Land p1", ""]


def test_branches_land_by_what_they_contain_and_then_by_size(repository: Repository) -> None:
    repository.branch("big", {"big": "x\n" * 50})
    repository.branch("on-big", {"on": "x\n"}, start="big")
    output = landed(repository, ["on-big", "big", "docs"])
    assert (output["order"], output["landed"]) == (["docs", "big", "on-big"], ["docs", "big", "on-big"])


def test_a_branch_that_mends_one_that_it_contains_lands_with_it(repository: Repository) -> None:
    repository.branch("mended", {"bad": None}, start="bad")
    output = landed(repository, ["bad", "mended", "docs"], verify=WORKS)
    assert (output["landed"], output["contained"], output["left_out"]) == (["mended", "docs"], ["bad"], [])


def test_what_contains_a_culprit_is_left_out_with_it(repository: Repository) -> None:
    repository.branch("on-p2", {"more": "x\n"}, start="p2")
    output = landed(repository, ["p1", "p2", "on-p2"], verify=WORKS)
    assert output["landed"] == ["p1"]
    assert reasons(output)["on-p2"] == "it contains `p2`, which is left out"


def test_a_branch_that_is_in_the_target_already_and_a_second_name_of_one_are_nothing_new(
    repository: Repository,
) -> None:
    repository.git("branch", "old", "main")
    repository.git("branch", "docs-too", "docs")
    output = landed(repository, ["old", "docs", "docs-too"])
    assert (output["landed"], output["contained"]) == (["docs", "docs-too"], ["old"])
    assert repository.git("rev-list", "--count", "release") == "3"


def test_each_tree_is_verified_once_and_not_again_in_a_later_landing(repository: Repository) -> None:
    stage, crew = landing(repository, ["docs", "p1"], verify=WORKS)
    first = stage.play().output["verified"]
    repository.git("branch", "-D", "release")
    crew.asked.clear()
    again, other = landing(repository, ["docs", "p1"], verify=WORKS)
    other.seen.keys = crew.seen.keys
    second = again.play().output["verified"]
    assert (first["ran"], first["known"]) == (4, 0)
    assert (second["ran"], second["known"], second["took_s"]) == (0, 4, 0.0)
    fresh, third = landing(repository, ["docs", "p1"], into="other", verify=WORKS, fresh=True)
    third.seen.keys = crew.seen.keys
    assert fresh.play().output["verified"]["ran"] == 4


def test_a_single_branch_needs_no_second_verification_together(repository: Repository) -> None:
    stage, crew = landing(repository, ["docs"], verify=WORKS)
    stage.play()
    assert crew.verified() == ["`release` as it is", "`docs` alone"]


def test_without_alone_a_bad_branch_is_found_by_bisection(repository: Repository) -> None:
    for number in range(6):
        repository.branch(f"b{number}", {f"b{number}": "x\n"})
    names = [f"b{number}" for number in range(6)]
    output = landed(repository, [*names, "bad"], verify=WORKS, alone=False, max_concurrent=1)
    assert reasons(output) == {"bad": "it does not pass: exit code 1"}
    assert (output["landed"], output["verified"]["ran"] < 8) == (names, True)


def test_a_target_that_fails_by_itself_is_told_and_no_branch_is_blamed(repository: Repository) -> None:
    stage, _ = landing(repository, ["docs", "p1"], verify="echo no good; exit 4")
    failure = stage.play().failure
    assert failure and (failure.code, failure.path) == ("G103", "/l")
    assert failure.cause == "exit code 4: no good"
    assert repository.git("branch", "--list", "release") == ""


def test_branches_that_mend_a_target_that_fails_do_land(repository: Repository) -> None:
    output = landed(repository, ["docs", "p1"], verify="test -e docs && test -e p1")
    assert (output["landed"], output["verified"]["before"], output["verified"]["after"]) == (
        ["docs", "p1"],
        False,
        True,
    )


def test_all_or_nothing_ends_at_the_first_branch_that_must_be_left_out(repository: Repository) -> None:
    stage, _ = landing(repository, ["docs", "bad"], verify=WORKS, keep_going=False)
    failure = stage.play().failure
    assert failure and failure.code == "G105"
    assert failure.message == "`bad` cannot be landed: it does not pass alone: exit code 1"
    assert repository.git("branch", "--list", "release") == ""


def test_a_dry_run_foretells_and_changes_nothing(repository: Repository) -> None:
    stage, crew = landing(repository, ["api", "ui", "docs"], verify="exit 1", dry_run=True)
    output = stage.play().output
    assert output["forecast"]["conflicts"] == [{"branches": ["api", "ui"], "files": ["a"], "count": 1}]
    assert (output["order"], output["landed"], crew.verified()) == (["docs", "api", "ui"], [], [])
    assert repository.git("branch", "--list", "release") == ""


def test_without_a_target_a_new_branch_begins_where_head_is(repository: Repository) -> None:
    repository.git("switch", "-q", "--detach", "docs")
    stage, _ = landing(repository, ["p1"], into=None)
    output = stage.play().output
    assert (output["into"], output["landed"]) == ("landed/run-1", ["p1"])
    assert repository.git("ls-tree", "--name-only", "landed/run-1").split() == ["a", "docs", "p1"]


def test_where_nothing_lands_the_target_stays_where_it_is(repository: Repository) -> None:
    repository.git("branch", "release", "main")
    output = landed(repository, ["bad"], verify=WORKS)
    assert (output["landed"], output["commit"]) == ([], repository.git("rev-parse", "main"))
    assert repository.git("rev-parse", "release") == repository.git("rev-parse", "main")


def test_hooks_filters_and_drivers_of_the_repository_do_not_run(repository: Repository) -> None:
    hooked = repository.place.parent / "hooked"
    for hook in ("post-checkout", "pre-merge-commit", "commit-msg", "reference-transaction", "post-merge"):
        file = repository.place / ".git/hooks" / hook
        file.write_text(f"#!/bin/sh\necho {hook} >> {hooked}\nexit 1\n", encoding="utf-8")
        file.chmod(0o755)
    repository.git("config", "merge.evil.driver", f"touch {hooked}")
    repository.git("config", "core.fsmonitor", f"touch {hooked}")
    (repository.place / ".git/info/attributes").write_text("* merge=evil\n", encoding="utf-8")
    output = landed(repository, ["api", "docs"], verify="true")
    assert (output["landed"], hooked.exists()) == (["docs", "api"], False)


def test_a_target_that_moves_meanwhile_is_not_touched_and_a_resume_lands_on_it(
    repository: Repository,
) -> None:
    repository.git("branch", "release", "main")
    git = f"git --git-dir={repository.place}/.git"
    stage, _ = landing(repository, ["api"], verify=f"{git} update-ref refs/heads/release refs/heads/docs")
    failure = stage.play().failure
    assert failure and failure.code == "G102"
    assert repository.git("rev-parse", "release") == repository.git("rev-parse", "docs")
    assert stage.resume().output["landed"] == ["api"]
    assert repository.git("ls-tree", "--name-only", "release").split() == ["a", "docs"]


def test_what_is_pushed_is_never_rewritten(repository: Repository) -> None:
    repository.git("branch", "release", "docs")
    before = {name: repository.git("rev-parse", name) for name in ("api", "p1", "docs")}
    for mode in ("merge", "squash", "rebase"):
        old = repository.git("rev-parse", "release")
        landed(repository, ["api" if mode == "merge" else "p1" if mode == "squash" else "p2"], mode=mode)
        repository.git("merge-base", "--is-ancestor", old, "release")
    assert {name: repository.git("rev-parse", name) for name in before} == before

"""`maestri land`, as a user starts it in any repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.landing.ground import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two good branches, one that conflicts, one that fails, and two that break together."""
    found = Repository(tmp_path / "repository", {"a": "one\n"})
    for name in ("feat/api", "feat/ui"):
        found.branch(name, {"a": f"{name}\n"})
    for name in ("docs", "bad", "p1", "p2"):
        found.branch(name, {name: "words\n"})
    return found


def maestri(repository: Repository, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MAESTRI_STATE": str(repository.place.parent / "state"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "maestri", *words]
    return subprocess.run(
        command, cwd=repository.place, env=environment, capture_output=True, text=True, check=False
    )


WORKS = "test ! -e bad && ! test -e p1 -a -e p2"
ALL = ("feat/api", "feat/ui", "docs", "bad", "p1", "p2")


def test_a_page_says_what_landed_what_did_not_and_why_and_what_to_do_next(repository: Repository) -> None:
    before = repository.state()
    said = maestri(repository, "land", *ALL, "--verify", WORKS)
    page = said.stdout[said.stdout.index("landed 3 of 6") :]
    name = page.split("`")[1]
    lines = {line.strip().split("  ")[0]: line for line in page.splitlines()}
    assert (said.returncode, said.stderr) == (1, "")
    assert lines["- feat/ui"].endswith("it conflicts with `feat/api` in `a`")
    assert lines["- p2"].strip().endswith("it breaks together with `p1`: exit code 1")
    assert "next: `p2`: make it work with `p1`; then land it again" in page
    assert "proof: 3 of 3 changes are in the result as they were made" in page
    assert (repository.git("rev-parse", name)[:12] in page, repository.state()) == (True, before)


def test_json_is_one_document_with_the_output_and_the_exit_code_is_that_of_the_whole(
    repository: Repository,
) -> None:
    said = maestri(
        repository, "land", "docs", "p1", "--into", "release", "--base", "main", "--squash", "--json"
    )
    document = json.loads(said.stdout)
    assert (said.returncode, document["status"], document["workflow"]) == (0, "succeeded", "land")
    assert (document["output"]["landed"], document["output"]["mode"]) == (["docs", "p1"], "squash")


def test_a_dry_run_says_who_will_conflict_and_makes_no_branch(repository: Repository) -> None:
    said = maestri(repository, "land", *ALL, "--dry-run", "--verify", "exit 1")
    assert "forecast: `feat/api` and `feat/ui` conflict in `a`" in said.stdout
    assert "6 of 6 would be verified and landed" in said.stdout
    assert (said.returncode, "landed/" in repository.git("branch")) == (0, False)


def test_a_command_resolves_a_conflict(repository: Repository) -> None:
    mend = 'test "$LAND_BRANCH" = feat/ui && test "$LAND_FILES" = a && echo both > a'
    said = maestri(
        repository, "land", "feat/api", "feat/ui", "--into", "r", "--base", "main", "--resolve", mend
    )
    assert (said.returncode, repository.show("r:a")) == (0, "both"), said.stdout
    assert "conflict resolved in a" in said.stdout


def test_a_person_is_asked_in_the_worktree_and_the_run_is_resumed(repository: Repository) -> None:
    said = maestri(repository, "land", "feat/api", "feat/ui", "--into", "r", "--base", "main", "--ask")
    assert (said.returncode, "asks: `feat/ui` conflicts in a. Resolve it in" in said.stdout) == (3, True)
    tree = next((repository.place.parent / "state").glob("runs/*/landing/conflicts/*/tree"))
    (tree / "a").write_text("by hand\n", encoding="utf-8")
    assert maestri(repository, "answer", "@last", "/land/try/conflict/resolve/person", "done").returncode == 0
    assert maestri(repository, "resume", "@last").returncode == 0
    assert repository.show("r:a") == "by hand"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["land"], 2, "BRANCH is missing"),
        (["land", "docs", "--merge", "--squash"], 2, "--squash"),
        (["land", "docs", "--verify-timeout", "soon"], 2, "`soon` is not a duration"),
        (["land", "docs", "--into", "main"], 1, "error[G101]: the branch `main` is checked out"),
        (["land", "nowhere"], 1, "error[W105]: there is no branch or commit `nowhere`"),
        (
            ["land", "docs", "bad", "--verify", WORKS, "--no-keep-going"],
            1,
            "error[G105]: `bad` cannot be landed",
        ),
    ],
)
def test_what_is_wrong_is_told_with_a_code(
    repository: Repository, words: list[str], code: int, said: str
) -> None:
    found = maestri(repository, *words)
    assert (found.returncode, said in found.stdout + found.stderr) == (code, True), (
        found.stdout + found.stderr
    )
    assert "landed/" not in repository.git("branch")

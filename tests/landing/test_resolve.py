"""Conflicts go to somebody, in a worktree of their own, with both sides explained; or are left out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.landing.ground import Repository, landed, landing

from maestri.kernel.context import Context


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two branches that say different things in one line, and a third beside them."""
    found = Repository(tmp_path / "repository", {"a": "one\n", "b": "b\n"})
    found.branch("api", {"a": "api\n"})
    found.branch("ui", {"a": "ui\nand more\n"})
    found.branch("docs", {"docs": "words\n"})
    return found


def by(command: str, said: Any = None) -> Any:
    async def resolve(scope: Context, conflict: Mapping[str, Any], place: str) -> Any:
        await scope.run("mend", command, cwd=place, env={"TEXT": conflict["text"]})
        return said

    return resolve


def test_what_a_resolver_makes_of_the_files_lands_with_both_parents(repository: Repository) -> None:
    output = landed(repository, ["api", "ui", "docs"], resolve=by("printf 'api\\nui\\n' > a"))
    assert (output["landed"], output["left_out"]) == (["docs", "api", "ui"], [])
    assert output["resolved"][0] | {"commit": ""} == {
        "branch": "ui",
        "files": ["a"],
        "with": ["api"],
        "commit": "",
    }
    assert repository.show("release:a").split() == ["api", "ui"]
    assert repository.git("log", "-1", "--format=%B", "release") == "Land ui\n\nConflicts resolved in:\n- a"
    assert repository.git("rev-parse", "release^2") == repository.git("rev-parse", "ui")


def test_both_sides_are_explained_with_the_versions_of_each_file(
    repository: Repository, tmp_path: Path
) -> None:
    explained = tmp_path / "explained"
    keep = f'printf "%s" "$TEXT" > {explained}; cat ../sides/1/base ../sides/1/ours ../sides/1/theirs > a'
    landed(repository, ["api", "ui"], resolve=by(keep))
    words = explained.read_text()
    for part in (
        "# `ui` conflicts with",
        "## What `ui` wants",
        "- work of ui (Ada",
        "## What `api`, which has landed",
    ):
        assert part in words
    assert repository.show("release:a").split("\n") == ["one", "api", "ui", "and more"]


@pytest.mark.parametrize(
    ("command", "said", "problem"),
    [
        ("true", None, "nothing was changed in the files of the conflict"),
        ("echo more >> a", None, "there are conflict markers left in `a`"),
        ("exit 3", None, "its resolver failed: `exit 3` ended with exit code 3"),
        ("true", "Leave out", "its resolver has left it out"),
        ("true", False, "its resolver has left it out"),
    ],
)
def test_what_is_no_resolution_leaves_the_branch_out(
    repository: Repository, command: str, said: Any, problem: str
) -> None:
    output = landed(repository, ["api", "ui", "docs"], resolve=by(command, said))
    assert output["landed"] == ["docs", "api"]
    assert output["left_out"][0]["reason"] == f"it conflicts with `api` in `a`; {problem}"


def test_a_resolution_that_loses_a_change_elsewhere_leaves_its_branch_out(repository: Repository) -> None:
    lines = "1\n2\n3\n4\n5\n6\n7\n8\n"
    repository.commit({"long": lines})
    repository.branch("one", {"long": lines.replace("2", "one")})
    repository.branch("two", {"long": lines.replace("2", "two").replace("8", "two too")})
    output = landed(repository, ["one", "two"], resolve=by("cp ../sides/1/ours long"))
    assert (output["landed"], output["proof"]["proved"]) == (["one"], True)
    assert output["left_out"][0]["reason"].endswith("its resolution loses changes: `two` long:8: lost")


def test_a_deleted_file_can_be_kept_as_it_is_by_saying_so(repository: Repository) -> None:
    repository.branch("gone", {"a": None})
    output = landed(repository, ["api", "gone"], resolve=by("true", "done"))
    assert output["landed"] == ["gone", "api"]
    assert repository.show("release:a") == "api"


def test_a_resolution_is_verified_and_left_out_where_it_does_not_pass(repository: Repository) -> None:
    output = landed(repository, ["api", "ui"], verify="! grep -q junk a", resolve=by("echo junk > a"))
    assert (output["landed"], output["left_out"][0]["kind"]) == (["api"], "combination")


def test_a_conflict_with_the_target_itself_is_resolved_before_the_branch_is_verified(
    repository: Repository,
) -> None:
    repository.commit({"a": "moved on\n"})
    output = landed(repository, ["api", "docs"], verify="! grep -q '<<<' a", resolve=by("echo both > a"))
    assert (output["landed"], output["resolved"][0]["with"]) == (["docs", "api"], [])
    assert repository.show("release:a") == "both"


def test_a_resolution_is_used_again_when_a_branch_before_it_is_left_out(repository: Repository) -> None:
    repository.branch("x", {"x": "x\n"})
    repository.branch("y", {"y": "y\n"})
    stage, crew = landing(
        repository, ["x", "api", "y", "ui"], verify="! test -e x -a -e y", resolve=by("echo both > a")
    )
    output = stage.play().output
    assert (output["landed"], [one["branch"] for one in output["left_out"]]) == (["x", "api", "ui"], ["y"])
    assert sum(task.request["verb"] == "conflict" for task in crew.asked) == 1
    assert repository.show("release:a") == "both"


def test_a_person_may_take_days_and_several_processes(repository: Repository) -> None:
    async def person(scope: Context, _conflict: Any, place: str) -> Any:
        return await scope.ask("person", f"resolve {place}", ["done", "leave out"])

    stage, crew = landing(repository, ["api", "ui"], resolve=person)
    waiting = stage.play()
    assert waiting.status == "waiting"
    place = next(task for task in crew.asked if task.request["verb"] == "conflict").request["place"]
    tree = next((repository.place.parent / "state").glob("runs/run-1/landing/conflicts/*/tree"))
    (tree / "a").write_text("both\n")
    stage.post("answer", path=waiting.waiting[0], value="done")
    assert stage.resume().output["landed"] == ["api", "ui"]
    assert (repository.show("release:a"), place, tree.exists()) == ("both", "/l/try/conflict", False)
    assert repository.git("worktree", "list").count("\n") == 0

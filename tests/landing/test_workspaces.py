"""The work of the steps before, landed without naming it: what was checked is what lands."""

from pathlib import Path
from typing import Any

import pytest
from tests.landing.ground import Crew, Repository, held_of, landing

from maestri.kernel.ports import Workspace
from maestri.landing.watching import of_workspaces
from maestri.workspaces.git import Git


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with two files."""
    return Repository(tmp_path / "repository", {"a": "one\n", "b": "b\n"})


def work(crew: Crew, repository: Repository, path: str, files: dict[str, str]) -> Workspace:
    """Do the work of a step of the run, and commit it as the engine would."""
    made = crew.worktrees.prepare("run-1", path, str(repository.place), name="bold-otter-1")
    for name, text in files.items():
        Path(made.dir, name).write_text(text, encoding="utf-8")
    crew.worktrees.finish(made)
    return made


def states(crew: Crew) -> dict[str, str]:
    return {held.workspace.path: held.state for held in crew.worktrees.held("run-1")}


def test_all_work_that_has_not_landed_lands_and_is_known_as_landed_in_every_mode(
    repository: Repository,
) -> None:
    for mode in ("merge", "squash"):
        stage, crew = landing(repository, None, into=f"landed-{mode}", mode=mode)
        work(crew, repository, f"/{mode}/one", {"a": f"{mode}\n"})
        work(crew, repository, f"/{mode}/two", {mode: "new\n"})
        work(crew, repository, f"/{mode}/idle", {})
        output = stage.play().output
        assert sorted(branch["workspace"] for branch in output["branches"].values()) == [
            f"/{mode}/one",
            f"/{mode}/two",
        ]
        assert set(states(crew).values()) == {"landed", "empty"}


def test_what_was_put_on_a_branch_after_its_step_is_not_landed_and_said(repository: Repository) -> None:
    stage, crew = landing(repository, None)
    made = work(crew, repository, "/one", {"a": "checked\n"})
    tree: Any = repository.git("commit-tree", f"{made.branch}^{{tree}}", "-p", made.branch, "-m", "behind")
    repository.git("update-ref", f"refs/heads/{made.branch}", tree)
    output = stage.play().output
    assert repository.git("rev-parse", "release^2") != tree
    assert output["notes"] == [
        f"`{made.branch}` was moved after its step had ended: what the step has made is landed"
    ]


def test_the_forecast_looks_at_what_workers_have_not_committed_yet(repository: Repository) -> None:
    _, crew = landing(repository, None)
    for path in ("/one", "/two", "/three"):
        made = crew.worktrees.prepare("run-1", path, str(repository.place), name="bold-otter-1")
        Path(made.dir, "b" if path == "/three" else "a").write_text(f"{path}\n", encoding="utf-8")
    git = Git(repository.place)
    state = repository.place.parent / "state"
    found = of_workspaces(git, held_of(crew), lambda run: state / "runs" / run / "workspaces", "HEAD")
    assert [pair["branches"] for pair in found["conflicts"]] == [
        ["maestri/bold-otter-1/one", "maestri/bold-otter-1/two"]
    ]
    assert states(crew) == dict.fromkeys(("/one", "/two", "/three"), "working")

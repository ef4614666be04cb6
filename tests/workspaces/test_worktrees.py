"""Worktrees of steps: where they begin, what is committed, what is never touched, when they are removed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.workspaces.repos import Repo, content_of, worktrees

from maestri.errors import (
    BareRepository,
    BranchTaken,
    ClaimBroken,
    FeatureUnsupported,
    NoCommits,
    NotARepository,
    NotLanded,
    ResultsConflict,
    WorkspaceMissing,
)
from maestri.kernel.ports import Work, Workspace
from maestri.workspaces.worktrees import ACCEPT, LEAVE_OUT, Worktrees

RUN = "01M7WJC1MWRP9YCQS6T349YMYN"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.fixture
def places(tmp_path: Path) -> Worktrees:
    return worktrees(tmp_path)


def done(places: Worktrees, repo: Repo, path: str, files: dict[str, str], *after: str) -> Work:
    made = places.prepare(RUN, path, str(repo.path), name="bold-otter-3", after=after)
    for name, text in files.items():
        place = Path(made.dir, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return places.finish(made)


# --- where it begins ------------------------------------------------------------------------------


def test_a_worktree_has_the_files_of_the_last_commit_on_a_branch_of_its_own(
    repo: Repo, places: Worktrees
) -> None:
    repo.write({"src/a.py": "not committed\n"})
    made = places.prepare(RUN, "/mend/fix#2", str(repo.path), name="bold-otter-3")
    assert Path(made.dir, "src", "a.py").read_text() == "a = 1\n"
    assert made.branch == "maestri/bold-otter-3/mend.fix.2"
    assert repo.git("rev-parse", made.branch) == made.base == repo.git("rev-parse", "HEAD")


def test_the_git_of_a_step_sees_a_clean_worktree_before_and_after_the_commit(
    repo: Repo, places: Worktrees
) -> None:
    made = places.prepare(RUN, "/a", str(repo.path))
    assert repo.git("-C", made.dir, "status", "--porcelain=v1", "--branch") == f"## {made.branch}"
    Path(made.dir, "new.txt").write_text("new")
    places.finish(made)
    assert repo.git("-C", made.dir, "status", "--porcelain=v1", "--branch") == f"## {made.branch}"


def test_a_run_begins_at_one_commit_for_all_its_steps(repo: Repo, places: Worktrees) -> None:
    first = places.prepare(RUN, "/a", str(repo.path))
    repo.commit("meanwhile", {"src/a.py": "a = 2\n"})
    assert places.prepare(RUN, "/b", str(repo.path)).base == first.base


def test_a_step_begins_from_the_merged_results_of_what_it_builds_on(repo: Repo, places: Worktrees) -> None:
    one = done(places, repo, "/one", {"src/a.py": "a = 2\n"})
    other = done(places, repo, "/group/other", {"docs/x.md": "y\n"})
    done(places, repo, "/beside", {"src/b.py": "b = 2\n"})
    made = places.prepare(RUN, "/after", str(repo.path), after=["/one", "/group"])
    assert repo.git("rev-parse", f"{made.base}^1", f"{made.base}^2").split() == [other.commit, one.commit]
    texts = [Path(made.dir, name).read_text() for name in ("src/a.py", "src/b.py", "docs/x.md")]
    assert texts == ["a = 2\n", "b = 1\n", "y\n"]


def test_a_step_that_builds_on_one_line_of_work_begins_at_its_end(repo: Repo, places: Worktrees) -> None:
    done(places, repo, "/one", {"n": "1"})
    second = done(places, repo, "/two", {"n": "2"}, "/one")
    made = places.prepare(RUN, "/three", str(repo.path), after=["/one", "/two"])
    assert made.base == second.commit


def test_a_round_builds_on_the_rounds_before(repo: Repo, places: Worktrees) -> None:
    done(places, repo, "/loop/round/fix", {"n": "1"})
    second = done(places, repo, "/loop/round#2/fix", {"n": "2"})
    assert places.prepare(RUN, "/loop/round#3/fix", str(repo.path)).base == second.commit


def test_results_that_conflict_cannot_be_built_on(repo: Repo, places: Worktrees) -> None:
    done(places, repo, "/one", {"src/a.py": "a = 2\n"})
    done(places, repo, "/two", {"src/a.py": "a = 3\n"})
    with pytest.raises(ResultsConflict, match="`/one`, `/two`") as caught:
        places.prepare(RUN, "/three", str(repo.path), after=["/one", "/two"])
    assert "`src/a.py`" in caught.value.cause


def test_a_step_of_a_folder_works_in_that_folder(repo: Repo, places: Worktrees) -> None:
    made = places.prepare(RUN, "/a", str(repo.path / "src"), claims=["a.py"])
    assert made.dir == f"{made.tree}/src"
    Path(made.dir, "a.py").write_text("a = 2\n")
    Path(made.tree, "a.py").write_text("elsewhere\n")
    assert [one["path"] for one in places.finish(made).stray] == ["a.py"]


def test_a_worktree_is_made_once(repo: Repo, places: Worktrees) -> None:
    made = places.prepare(RUN, "/a", str(repo.path))
    Path(made.dir, "begun.txt").write_text("begun")
    assert places.prepare(RUN, "/a", str(repo.path)) == made
    assert Path(made.dir, "begun.txt").read_text() == "begun"


def test_many_are_made_at_once(repo: Repo, places: Worktrees) -> None:
    made: list[Workspace] = []

    def make(number: int) -> None:
        made.append(worktrees(repo.path.parent).prepare(RUN, f"/w{number}", str(repo.path)))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.dir for one in made}) == 12
    assert repo.git("worktree", "list").count("\n") == 12


# --- what is committed ----------------------------------------------------------------------------


def test_the_engine_commits_what_is_in_the_files(repo: Repo, places: Worktrees) -> None:
    work = done(places, repo, "/a", {"src/a.py": "a = 2\n", "new/file.txt": "new\n"})
    assert (work.added, work.changed, work.deleted) == (("new/file.txt",), ("src/a.py",), ())
    shown = repo.git("show", "--format=%an %s", "--name-status", "maestri/bold-otter-3/a")
    assert shown.split("\n") == ["Maestri /a", "", "A\tnew/file.txt", "M\tsrc/a.py"]


def test_a_step_that_changes_nothing_makes_no_commit(repo: Repo, places: Worktrees) -> None:
    work = done(places, repo, "/a", {})
    assert work.commit == repo.git("rev-parse", "HEAD")
    assert places.held(RUN)[0].state == "empty"


def test_the_word_of_a_step_that_commits_by_itself_is_not_taken(repo: Repo, places: Worktrees) -> None:
    made = places.prepare(RUN, "/a", str(repo.path), name="bold-otter-3")
    Path(made.dir, "src", "a.py").write_text("a = 2\n")
    repo.git("-C", made.dir, "commit", "--all", "--quiet", "--message=mine")
    Path(made.dir, "src", "a.py").write_text("a = 3\n")
    repo.git("-C", made.dir, "update-index", "--assume-unchanged", "src/a.py")
    work = places.finish(made)
    assert repo.git("rev-parse", f"{made.branch}^") == made.base
    assert repo.git("show", f"{work.commit}:src/a.py") == "a = 3"


def test_what_is_ignored_or_left_behind_by_tools_is_not_committed(repo: Repo, places: Worktrees) -> None:
    repo.commit("ignore", {".gitignore": "*.log\n"})
    (repo.path / ".git" / "info" / "exclude").write_text("private\n")
    work = done(places, repo, "/a", {"x.log": "", "private": "", "__pycache__/a.pyc": "", "b.txt": "b"})
    assert work.added == ("b.txt",)


def test_committing_twice_gives_the_same_commit(repo: Repo, places: Worktrees) -> None:
    first = done(places, repo, "/a", {"b.txt": "b"})
    (held,) = places.held(RUN)
    assert places.finish(held.workspace).commit == first.commit == held.commit


def test_names_that_are_no_text_are_kept_and_told(repo: Repo, places: Worktrees) -> None:
    made = places.prepare(RUN, "/a", str(repo.path))
    Path(made.dir.encode().decode(), "\udcff").write_bytes(b"x")
    assert places.finish(made).added == ("\\xff",)


def test_a_repository_with_long_names_of_objects_works_the_same(tmp_path: Path, places: Worktrees) -> None:
    repo = Repo(tmp_path / "long", form="sha256")
    made = places.prepare(RUN, "/a", str(repo.path), claims=["src"])
    Path(made.dir, "src", "a.py").write_text("a = 2\n")
    Path(made.dir, "new.txt").write_text("new\n")
    work = places.finish(made, stray=LEAVE_OUT)
    assert (len(work.commit), work.changed, work.added) == (64, ("src/a.py",), ())


# --- claims ---------------------------------------------------------------------------------------


def claimed(places: Worktrees, repo: Repo, *claims: str) -> Workspace:
    return places.prepare(RUN, "/a", str(repo.path), claims=claims)


def strays(work: Work) -> dict[str, str]:
    return {one["path"]: one["why"] for one in work.stray}


def test_files_outside_the_claims_are_named_and_kept_aside_and_nothing_is_committed(
    repo: Repo, places: Worktrees
) -> None:
    made = claimed(places, repo, "src/**")
    Path(made.dir, "src", "a.py").write_text("a = 2\n")
    Path(made.dir, "docs", "x.md").write_text("z\n")
    work = places.finish(made)
    assert (work.commit, strays(work)) == ("", {"docs/x.md": "it is outside of the claims"})
    assert repo.git("show", f"{work.aside}:docs/x.md") == "z"
    assert repo.git("rev-parse", made.branch) == made.base


def test_what_is_stray_can_be_left_out_or_accepted(repo: Repo, places: Worktrees) -> None:
    made = claimed(places, repo, "src/**")
    Path(made.dir, "src", "a.py").write_text("a = 2\n")
    Path(made.dir, "docs", "x.md").unlink()
    Path(made.dir, "new.txt").write_text("new\n")
    without = places.finish(made, stray=LEAVE_OUT)
    assert (without.changed, without.added, without.deleted) == (("src/a.py",), (), ())
    whole = places.finish(made, stray=ACCEPT)
    assert (whole.changed, whole.added, whole.deleted) == (("src/a.py",), ("new.txt",), ("docs/x.md",))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "../.git/config", ".GIT/config"])
def test_a_link_that_leads_out_is_stray_although_it_is_claimed(
    repo: Repo, places: Worktrees, target: str
) -> None:
    made = claimed(places, repo, "**")
    Path(made.dir, "src" if target.startswith("..") else "", "link").symlink_to(target)
    assert list(strays(places.finish(made)).values()) == ["it is a link that leads out"]


def test_a_link_within_the_worktree_is_not_stray(repo: Repo, places: Worktrees) -> None:
    made = claimed(places, repo, "**")
    Path(made.dir, "src", "link").symlink_to("../docs/x.md")
    assert places.finish(made).stray == ()


def test_what_is_written_through_a_link_is_not_committed_as_a_file(repo: Repo, places: Worktrees) -> None:
    outside = repo.path.parent / "outside"
    outside.mkdir()
    made = claimed(places, repo, "src/**")
    (Path(made.dir) / "src" / "way").symlink_to(outside)
    (Path(made.dir) / "src" / "way" / "x.py").write_text("x\n")
    assert list(strays(places.finish(made))) == ["src/way"]


@pytest.mark.parametrize("name", ["SRC/a.py", "src/A.py", "docs/X.md"])
def test_a_path_that_another_system_takes_for_a_claimed_one_is_stray(
    repo: Repo, places: Worktrees, name: str
) -> None:
    made = claimed(places, repo, "src/**", "docs/X.md", "SRC/**")
    Path(made.dir, name).parent.mkdir(exist_ok=True)
    Path(made.dir, name).write_text("x\n")
    assert list(strays(places.finish(made))) == [name]


def test_a_folder_named_like_gits_own_is_refused(repo: Repo, places: Worktrees) -> None:
    made = claimed(places, repo, "**")
    Path(made.dir, "src", ".GIT").mkdir()
    Path(made.dir, "src", ".GIT", "config").write_text("[core]\n\tfsmonitor = x\n")
    with pytest.raises(ClaimBroken, match=r"src/\.GIT/config"):
        places.finish(made)


# --- what is not supported ------------------------------------------------------------------------


def test_places_without_a_repository_or_a_commit_are_refused(tmp_path: Path, places: Worktrees) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotARepository):
        places.prepare(RUN, "/a", str(tmp_path / "plain"))
    bare = Repo(tmp_path / "full")
    bare.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    with pytest.raises(BareRepository):
        places.prepare(RUN, "/a", str(tmp_path / "bare"))
    bare.git("init", "--quiet", str(tmp_path / "empty"))
    with pytest.raises(NoCommits):
        places.prepare(RUN, "/a", str(tmp_path / "empty"))


def test_files_that_go_through_a_filter_are_named(repo: Repo, places: Worktrees) -> None:
    repo.commit("large", {".gitattributes": "*.bin filter=lfs diff=lfs\n", "big/one.bin": "pointer"})
    with pytest.raises(FeatureUnsupported, match=r"filters \(lfs\)") as caught:
        places.prepare(RUN, "/a", str(repo.path))
    assert "`big/one.bin`" in caught.value.cause


def test_a_filter_that_no_file_goes_through_is_none(repo: Repo, places: Worktrees) -> None:
    repo.commit("none", {".gitattributes": "*.bin filter=lfs\n"})
    assert places.prepare(RUN, "/a", str(repo.path)).notes == ()


def test_a_sparse_checkout_is_noted(repo: Repo, places: Worktrees) -> None:
    repo.git("sparse-checkout", "set", "src")
    made = places.prepare(RUN, "/a", str(repo.path))
    assert "sparse" in made.notes[0]
    assert Path(made.dir, "docs", "x.md").exists()


def test_a_branch_with_the_work_of_somebody_else_is_not_taken(repo: Repo, places: Worktrees) -> None:
    repo.on("maestri/bold-otter-3/a", {"mine": "x"})
    with pytest.raises(BranchTaken):
        places.prepare(RUN, "/a", str(repo.path), name="bold-otter-3")
    assert repo.git("show", "maestri/bold-otter-3/a:mine") == "x"


# --- what is never touched ------------------------------------------------------------------------


def own_files(repo: Repo) -> dict[str, str]:
    """Return all that is the user's: everything but what git keeps of objects, worktrees and our refs."""
    ours = ("objects", "worktrees", "refs/maestri", "refs/heads/maestri", "logs/refs/heads/maestri")
    return {
        name: mark
        for name, mark in content_of(repo.path).items()
        if not name.startswith(tuple(f".git/{place}" for place in ours))
        and name not in {".git", ".git/refs", ".git/refs/heads", ".git/logs/refs/heads"}
    }


def test_the_users_checkout_index_stash_and_files_stay_as_they_are(repo: Repo, places: Worktrees) -> None:
    repo.write({"src/a.py": "stashed\n"})
    repo.git("stash")
    repo.write({"src/b.py": "staged\n", "new.txt": "new\n"})
    repo.git("add", "src/b.py")
    repo.write({"src/b.py": "changed\n", "ignored/deep/x": "x"})
    before = own_files(repo)
    done(places, repo, "/a", {"src/b.py": "b = 2\n", "new.txt": "other\n"})
    done(places, repo, "/b", {"src/a.py": "a = 2\n"}, "/a")
    for held in places.held(RUN):
        places.remove(held.workspace, discard=True)
    assert own_files(repo) == before
    assert repo.git("for-each-ref", "--format=%(refname)").split() == ["refs/heads/main", "refs/stash"]
    assert repo.git("worktree", "list").count("\n") == 0


# --- removing -------------------------------------------------------------------------------------


def test_work_that_has_not_landed_is_not_removed(repo: Repo, places: Worktrees) -> None:
    done(places, repo, "/a", {"src/a.py": "a = 2\n"})
    (held,) = places.held(RUN)
    with pytest.raises(NotLanded, match="1 changed file"):
        places.remove(held.workspace)
    assert Path(held.workspace.dir, "src", "a.py").read_text() == "a = 2\n"


def test_changes_that_were_never_committed_are_not_removed(repo: Repo, places: Worktrees) -> None:
    made = places.prepare(RUN, "/a", str(repo.path))
    Path(made.dir, "begun.txt").write_text("begun")
    with pytest.raises(NotLanded, match=r"`begun\.txt`"):
        places.remove(made)


@pytest.mark.parametrize("how", ["merged", "marked", "behind"])
def test_work_that_has_landed_is_removed(repo: Repo, places: Worktrees, how: str) -> None:
    work = done(places, repo, "/a", {"src/a.py": "a = 2\n"})
    (held,) = places.held(RUN)
    if how == "merged":
        repo.git("merge", "--quiet", held.workspace.branch)
    elif how == "marked":
        places.mark_landed(held.workspace, work.commit)
    else:
        after = done(places, repo, "/b", {"src/b.py": "b = 2\n"}, "/a")
        places.mark_landed(places.held(RUN)[1].workspace, after.commit)
    assert places.held(RUN)[0].state == "landed"
    places.remove(held.workspace)
    assert not Path(held.workspace.tree).exists()
    assert held.workspace.branch not in repo.git("branch", "--list")


def test_a_workspace_whose_files_somebody_removed_is_gone_and_says_so(repo: Repo, places: Worktrees) -> None:
    made = places.prepare(RUN, "/a", str(repo.path))
    repo.git("worktree", "remove", "--force", made.tree)
    assert places.held(RUN)[0].state == "gone"
    with pytest.raises(WorkspaceMissing):
        places.finish(made)
    places.remove(made)
    assert not places.held(RUN)


def test_a_workspace_without_its_repository_is_removed_on_request_only(repo: Repo, places: Worktrees) -> None:
    made = places.prepare(RUN, "/a", str(repo.path))
    repo.path.rename(repo.path.parent / "moved")
    with pytest.raises(NotLanded, match="repository"):
        places.remove(made)
    places.remove(made, discard=True)
    assert not places.held(RUN)

"""Repositories that try to make git run their code. Whatever is asked of them, their canary never sings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workspaces.repos import Repo, content_of, worktrees

from maestri.errors import MaestriError, RepositoryChanged
from maestri.workspaces import checkout, hardening
from maestri.workspaces.git import NOWHERE, Git
from maestri.workspaces.worktrees import Worktrees
from tally import tally

RUN = "01M7WJC1MWRP9YCQS6T349YMYN"


class Trap:
    """A repository with a script in it that leaves a trace wherever it is run."""

    def __init__(self, root: Path) -> None:
        self.trace = root / "sung"
        self.script = root / "canary"
        self.script.write_text(f'#!/bin/sh\necho "$0 $*" >> {self.trace}\n')
        self.script.chmod(0o755)
        self.root = root
        self.repo = Repo(root / "repo")
        self.repo.on("other", {"src/a.py": "a = 2\n"})
        self.repo.commit("mine", {"src/a.py": "a = 3\n"})

    @property
    def has_sung(self) -> bool:
        return self.trace.exists()

    def config(self, key: str, value: str) -> None:
        self.repo.git("config", key, value)

    def attribute(self, words: str, file: str = ".gitattributes") -> None:
        place = self.repo.path / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"* {words}\n")

    def hook(self, name: str, folder: str = ".git/hooks") -> None:
        place = self.repo.path / folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(self.script.read_text())
        place.chmod(0o755)


def in_config(key: str, value: str = "{canary}") -> Callable[[Trap], None]:
    return lambda trap: trap.config(key, value.format(canary=trap.script))


def with_attribute(words: str, key: str, file: str = ".gitattributes") -> Callable[[Trap], None]:
    def plant(trap: Trap) -> None:
        trap.attribute(words, file)
        trap.config(key, str(trap.script))

    return plant


def with_merge_driver(file: str) -> Callable[[Trap], None]:
    def plant(trap: Trap) -> None:
        trap.attribute("merge=evil", file)
        trap.config("merge.evil.driver", f"{trap.script} %A %O %B")

    return plant


def with_hook(name: str) -> Callable[[Trap], None]:
    return lambda trap: trap.hook(name)


def with_hooks_path(trap: Trap) -> None:
    trap.hook("post-checkout", "tools")
    trap.config("core.hooksPath", str(trap.repo.path / "tools"))


def with_signatures(trap: Trap) -> None:
    trap.config("gpg.program", str(trap.script))
    trap.config("commit.gpgSign", "true")


def with_included(trap: Trap) -> None:
    (trap.repo.path / ".git" / "more").write_text(f"[core]\n\tfsmonitor = {trap.script}\n")
    trap.config("include.path", "more")


def with_worktree_config(trap: Trap) -> None:
    trap.config("extensions.worktreeConfig", "true")
    trap.repo.git("config", "--worktree", "core.fsmonitor", str(trap.script))


def with_missing_objects(trap: Trap) -> None:
    """A clone that lacks an object, and whose remote would be asked by a command."""
    trap.config("protocol.ext.allow", "always")
    trap.config("remote.evil.url", f"ext::{trap.script}")
    trap.config("remote.evil.promisor", "true")
    trap.config("extensions.partialClone", "evil")
    blob = trap.repo.git("rev-parse", "HEAD:src/b.py")
    (trap.repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def with_submodule(trap: Trap) -> None:
    inner = Repo(trap.root / "inner")
    allow = ("-c", "protocol.file.allow=always")
    trap.repo.git(*allow, "submodule", "--quiet", "add", str(inner.path), "inner")
    trap.repo.git("commit", "--quiet", "--message=inner")
    trap.repo.git("-C", "inner", "config", "core.fsmonitor", str(trap.script))


PULL = ("merge", "other")
STATUS = ("status",)
CHECKOUT = ("worktree", "add", "../elsewhere")
# A way in, how it is planted, and what of git's own commands would go through it.
VECTORS: dict[str, tuple[Callable[[Trap], None], tuple[str, ...]]] = {
    "fsmonitor": (in_config("core.fsmonitor"), STATUS),
    "clean filter": (with_attribute("filter=evil", "filter.evil.clean"), ("add", "--renormalize", ".")),
    "smudge filter": (with_attribute("filter=evil", "filter.evil.smudge", ".git/info/attributes"), CHECKOUT),
    "process filter": (
        with_attribute("filter=evil", "filter.evil.process", ".git/info/attributes"),
        CHECKOUT,
    ),
    "external diff": (in_config("diff.external"), ("diff", "HEAD~1")),
    "diff command": (with_attribute("diff=evil", "diff.evil.command"), ("diff", "HEAD~1")),
    "textconv": (with_attribute("diff=evil", "diff.evil.textconv"), ("diff", "HEAD~1")),
    "merge driver": (with_merge_driver(".gitattributes"), PULL),
    "merge driver in info": (with_merge_driver(".git/info/attributes"), PULL),
    "post-checkout": (with_hook("post-checkout"), CHECKOUT),
    "reference-transaction": (with_hook("reference-transaction"), ("branch", "new")),
    "post-index-change": (with_hook("post-index-change"), ("update-index", "--force-remove", "src/a.py")),
    "pre-commit": (with_hook("pre-commit"), ("commit", "--allow-empty", "--message=x")),
    "commit-msg": (with_hook("commit-msg"), ("commit", "--allow-empty", "--message=x")),
    "hooks path": (with_hooks_path, CHECKOUT),
    "signatures": (with_signatures, ("commit", "--allow-empty", "--message=x")),
    "included configuration": (with_included, STATUS),
    "worktree configuration": (with_worktree_config, STATUS),
    "missing objects": (with_missing_objects, ("fetch", "evil")),
    "submodule": (with_submodule, STATUS),
    "editor": (in_config("core.editor"), ("commit", "--allow-empty")),
    "alias": (in_config("alias.new", "!{canary}"), ("new",)),
    "ssh": (in_config("core.sshCommand"), ("fetch", "ssh://example.invalid/x")),
}  # fmt: skip


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


def tolerant(act: Callable[[], object]) -> None:
    """Do something that may be refused: that is a good end, too."""
    try:
        act()
    except MaestriError:
        return


def work_in(trap: Trap) -> None:
    """Have a step work in a worktree of the repository, and everything be asked of git that ever is."""
    places = worktrees(trap.root)
    made = places.prepare(RUN, "/step", str(trap.repo.path))
    Path(made.dir, "src", "a.py").write_text("a = 4\n")
    Path(made.dir, "new.txt").write_text("new\n")
    places.finish(made)
    places.look(made)
    places.prepare(RUN, "/after", str(trap.repo.path), after=["/step"])
    places.held()
    places.remove(made, discard=True)


def ask_everything(git: Git) -> None:
    ours, theirs = git.resolve("main"), git.resolve("other")
    acts: tuple[Callable[[], object], ...] = (
        lambda: git.merge_tree(ours, theirs),
        lambda: git.merge_tree(ours, theirs, base=git.merge_base(ours, theirs)),
        lambda: git.diff_raw(theirs, ours, renames=True),
        lambda: git.diff_hunks(theirs, ours, renames=True),
        lambda: git.cat_many(entry.object for entry in git.ls_tree(ours)),
        lambda: git.commits(theirs, ours),
        lambda: git.update_ref("refs/heads/made", git.commit_tree(git.tree_of(ours), [ours], "x"), NOWHERE),
        git.branches,
        git.worktrees,
        git.marks,
        lambda: checkout.status(git),
    )
    for act in acts:
        tolerant(act)


@pytest.mark.parametrize("name", VECTORS)
def test_a_hostile_repository_runs_nothing(trap: Trap, name: str) -> None:
    VECTORS[name][0](trap)
    trap.trace.unlink(missing_ok=True)  # planting it may have made it sing
    tolerant(lambda: ask_everything(Git(trap.repo.path)))
    tolerant(lambda: work_in(trap))
    tally("hostile repositories", 0, repositories=1, code_run=int(trap.has_sung))
    assert not trap.has_sung, trap.trace.read_text()


@pytest.mark.parametrize("name", VECTORS)
def test_git_itself_would_run_it(trap: Trap, name: str) -> None:
    plant, words = VECTORS[name]
    plant(trap)
    trap.trace.unlink(missing_ok=True)
    trap.repo.git(*words, ok=False, env={"TERM": "dumb"})
    assert trap.has_sung


def test_what_the_environment_says_is_not_passed_on(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    home = trap.root / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[core]\n\tfsmonitor = {trap.script}\n")
    hostile = {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_EXTERNAL_DIFF": str(trap.script),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(trap.script),
        "GIT_DIR": str(trap.root / "nowhere"),
        "GIT_INDEX_FILE": str(trap.root / "index"),
        "GIT_PAGER": str(trap.script),
        "GIT_EXEC_PATH": str(trap.root),
    }
    for key, value in hostile.items():
        monkeypatch.setenv(key, value)
    ask_everything(Git(trap.repo.path))
    work_in(trap)
    assert not trap.has_sung


def test_a_program_called_git_in_the_folder_is_not_the_one(
    trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = trap.repo.path / "git"
    own.write_text(trap.script.read_text())
    own.chmod(0o755)
    monkeypatch.chdir(trap.repo.path)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    ask_everything(Git(trap.repo.path))
    assert not trap.has_sung


# --- while a step works ---------------------------------------------------------------------------


def begun(trap: Trap) -> tuple[Worktrees, Path]:
    places = worktrees(trap.root)
    made = places.prepare(RUN, "/step", str(trap.repo.path))
    folder = Path(made.dir)
    (folder / "src" / "a.py").write_text("a = 9\n")
    return places, folder


def finished(places: Worktrees) -> None:
    (held,) = places.held(RUN)
    places.finish(held.workspace)


@pytest.mark.parametrize("key", ["filter.evil.clean", "core.fsmonitor", "alias.x", "core.hooksPath"])
def test_a_step_that_changes_the_configuration_is_refused(trap: Trap, key: str) -> None:
    places, folder = begun(trap)
    (folder / ".gitattributes").write_text("* filter=evil\n")
    trap.config(key, str(trap.script))
    with pytest.raises(RepositoryChanged) as caught:
        finished(places)
    assert f"`{key.lower()}`" in caught.value.cause
    assert not trap.has_sung


@pytest.mark.parametrize("name", ["pre-commit", "post-checkout"])
def test_a_step_that_plants_a_hook_is_refused(trap: Trap, name: str) -> None:
    places, _ = begun(trap)
    trap.hook(name)
    with pytest.raises(RepositoryChanged, match="git configuration"):
        finished(places)
    assert not trap.has_sung


def test_a_harmless_change_of_the_configuration_is_none(trap: Trap) -> None:
    places, _ = begun(trap)
    trap.config("branch.main.remote", "origin")
    trap.config("user.name", "Ann")
    finished(places)
    assert places.held(RUN)[0].state == "done"


def test_a_filter_that_comes_after_the_look_at_the_configuration_is_not_run(trap: Trap) -> None:
    places, folder = begun(trap)
    (folder / ".gitattributes").write_text("* filter=evil\n")
    (held,) = places.held(RUN)
    git = Git(trap.repo.path)
    trap.config("filter.evil.clean", str(trap.script))
    place = next((places._runs / RUN / "workspaces").iterdir())
    git.stage(Path(held.workspace.tree), place / "index", place / "excludes")
    assert not trap.has_sung


@pytest.mark.parametrize("kind", ["pointer", "link", "replaced"])
def test_a_step_that_puts_another_worktree_in_its_place_is_refused(trap: Trap, kind: str) -> None:
    other = Repo(trap.root / "evil")
    other.git("config", "core.fsmonitor", str(trap.script))
    places, folder = begun(trap)
    if kind == "pointer":
        (folder / ".git").write_text(f"gitdir: {other.path}/.git\n")
    else:
        folder.rename(trap.root / "aside")
        if kind == "link":
            folder.symlink_to(other.path)
        else:
            folder.mkdir()
    with pytest.raises(MaestriError) as caught:
        finished(places)
    assert caught.value.diagnostic.code == "W112"
    assert not trap.has_sung


def test_a_repository_inside_of_the_worktree_is_stray_and_runs_nothing(trap: Trap) -> None:
    places, folder = begun(trap)
    inner = Repo(folder / "inner")
    inner.git("config", "core.fsmonitor", str(trap.script))
    (held,) = places.held(RUN)
    work = places.finish(held.workspace)
    assert [one["path"] for one in work.stray] == ["inner"]
    assert not trap.has_sung


def test_the_views_hold_nothing_but_an_empty_configuration() -> None:
    for object_format in ("sha1", "sha256"):
        place = Path(hardening.view(object_format))
        assert {file.name for file in place.rglob("*") if file.is_file()} == {"HEAD", "config", ".keep"}


def test_a_repository_cannot_send_the_work_into_other_files(trap: Trap) -> None:
    other = Repo(trap.root / "other")
    before = content_of(other.path)
    trap.config("core.worktree", str(other.path))
    work_in(trap)
    ask_everything(Git(trap.repo.path))
    assert content_of(other.path) == before

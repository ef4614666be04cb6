"""Workspaces as git worktrees: one worktree and one branch for each step, made and committed by the engine.

What is done is kept by refs, so that a crash leaves nothing that the same call does not go on from:
`refs/maestri/RUN/base` is what a run began from, `…/work/STEP` the commit of a step, `…/aside/STEP` what it
did outside of its claims, `…/landed/STEP` what is safe elsewhere.

Rule 1: no file of the user's checkout is touched, nor its index; worktrees lie with the run.
Rule 2: a worktree is looked at before it is handed out, and again before anything is taken from it.
Rule 3: what is committed is what is in the files, compared by an index that no step can write to.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from maestri.claims import Touched, strays
from maestri.errors import (
    BranchTaken,
    NotARepository,
    NotLanded,
)
from maestri.kernel.ports import Held, Work, Workspace
from maestri.workspaces import bases, records, standing, verifying
from maestri.workspaces.git import NOWHERE, Git
from maestri.workspaces.reading import ABSENT_MODE, LINK_MODE, SUBMODULE_MODE, Change, Entry
from maestri.workspaces.records import EXCLUDES, INDEX, Kept
from maestri.workspaces.turns import turn

ACCEPT, LEAVE_OUT = "accept", "leave out"
Check = Callable[[], None]
# What tools leave behind for themselves, and is no work of anybody.
_PASSING: Final = ("__pycache__/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/")
_NAMED: Final = 10


def _never() -> None:
    """Go on."""


class Worktrees:
    """The port `Workspaces`, with git."""

    def __init__(self, runs: Path, made: Callable[[str], Path]) -> None:
        """Begin; nothing is looked at yet.

        Args:
            runs: The folder of all runs, in which each has one under its id.
            made: Gives the folder for the workspaces of a run by the run's id, made if need be.
        """
        self._runs = runs
        self._made = made
        self._notes: dict[tuple[Path, str], list[str]] = {}  # of commits that were looked at

    def prepare(
        self,
        run: str,
        path: str,
        cwd: str,
        *,
        name: str = "",
        claims: Sequence[str] = (),
        after: Sequence[str] = (),
        check: Check | None = None,
    ) -> Workspace:
        """Make the worktree of a step, or return the one that it has.

        Raises:
            WorkspaceFailed: The class says why.
        """
        git = Git(cwd, check=check or _never)
        root = git.work_root()
        folder = records.folder_of(self._made(run), path)
        base = bases.base_of(git, run, path, after)
        kept = records.read(folder)
        if kept is not None and kept.workspace.base == base and verifying.is_whole(kept):
            return kept.workspace._replace(claims=tuple(claims))
        notes = self._looked_at(git, base)
        tree = folder / (root.name if root.name.isprintable() and root.name else "tree")
        branch = records.branch_of(name or run, path)
        prefix = os.path.relpath(os.path.realpath(cwd), root)
        place = str(tree if prefix == "." else tree / prefix)
        workspace = Workspace(
            run, path, place, str(tree), str(root), branch, base, tuple(claims), tuple(notes)
        )
        with turn(self._runs, git):
            self._wipe(git, folder, kept, workspace)
            folder.mkdir(mode=0o700, exist_ok=True)
            git.worktree_add(tree, base, branch)
        self._fill(git, workspace, folder)
        about = os.lstat(tree)
        kept = Kept(workspace, about.st_dev, about.st_ino, git.marks())
        verifying.refuse_unreal(git, kept)
        records.write(folder, kept)
        return workspace

    def finish(self, workspace: Workspace, *, stray: str = "", check: Check | None = None) -> Work:
        """Commit what was done in a worktree.

        Raises:
            WorkspaceFailed: The class says why.
        """
        folder = records.folder_of(self._made(workspace.run), workspace.path)
        kept = records.known(folder, workspace)
        git = Git(workspace.repository, check=check or _never)
        verifying.refuse_unreal(git, kept)
        verifying.refuse_changed(git, kept)
        with tempfile.TemporaryDirectory(prefix="staged-", dir=folder) as scratch:
            index = Path(shutil.copy2(folder / INDEX, scratch))
            tree = git.stage(Path(workspace.tree), index, folder / EXCLUDES)
            changes = git.diff_raw(workspace.base, tree)
            outside = self._strays(git, workspace, changes, tree) if stray != ACCEPT else {}
            aside = self._keep_aside(git, workspace, tree) if outside else ""
            if outside and stray == LEAVE_OUT:
                tree = git.take_back(index, _before(changes, outside))
                changes = [change for change in changes if change.path not in outside]
            elif outside:
                return _work("", changes, outside, aside)
            commit = self._committed(git, workspace, tree if changes else "")
            self._show(git, workspace, index)
        return _work(commit, changes, outside, aside)

    def look(self, workspace: Workspace) -> Work:
        """Return what differs in a worktree from what it began from, committed or not.

        Raises:
            WorkspaceFailed: The class says why.
        """
        folder = records.folder_of(self._made(workspace.run), workspace.path)
        git = Git(workspace.repository)
        commit = git.ref(records.ref("work", workspace.run, workspace.path))
        tree = commit or workspace.base
        if Path(workspace.tree).is_dir():
            tree = self._staged(git, workspace, folder)
        changes = git.diff_raw(workspace.base, tree)
        return _work(commit, changes, self._strays(git, workspace, changes, tree), "")

    def held(self, run: str = "") -> Sequence[Held]:
        """Return the workspaces of a run, or of all, in order of runs and paths."""
        return [standing.held(kept) for kept in records.everything(self._runs, run)]

    def mark_landed(self, workspace: Workspace, commit: str) -> None:
        """Say that the work of a workspace, up to a commit, is safe elsewhere."""
        Git(workspace.repository).update_ref(
            records.ref("landed", workspace.run, workspace.path), commit, reason="maestri: landed"
        )

    def remove(self, workspace: Workspace, *, discard: bool = False) -> None:
        """Remove a workspace with its branch.

        Raises:
            NotLanded: It holds work that is nowhere else, and that is not to be discarded.
        """
        folder = records.folder_of(self._made(workspace.run), workspace.path)
        try:
            git = Git(workspace.repository)
        except NotARepository:
            self._remove_orphan(workspace, folder, discard=discard)
            return
        kept = records.read(folder)
        if kept is not None and not discard:
            standing.refuse_unlanded(git, kept, lambda: self._staged(git, kept.workspace, folder))
        with turn(self._runs, git):
            self._forget(git, workspace)
            names = [records.ref(kind, workspace.run, workspace.path) for kind in ("work", "aside", "landed")]
            left = [
                kept for kept in records.everything(self._runs, workspace.run) if kept.workspace != workspace
            ]
            names += [] if left else [records.base_ref(workspace.run)]
            git.update_refs({name: (NOWHERE, at) for name, at in git.refs(*names).items()})
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_orphan(self, workspace: Workspace, folder: Path, *, discard: bool) -> None:
        """Remove a workspace whose repository is gone: its files are all that is left of the work."""
        if not discard and Path(workspace.tree).is_dir():
            message = f"the repository of `{workspace.path}` is gone, and its files are all that is left"
            fix = "take what you need, or `maestri workspaces clean --discard NAME`"
            raise NotLanded(message, cause=f"they are in `{workspace.tree}`", fix=fix)
        shutil.rmtree(folder, ignore_errors=True)

    # --- making one ---------------------------------------------------------------------------------

    def _looked_at(self, git: Git, base: str) -> list[str]:
        """Return what people should know of the files of a commit; mostly many steps begin at one."""
        place = (git.common_dir, base)
        if place not in self._notes:
            self._notes[place] = verifying.refuse_unsupported(git, base, git.ls_tree(base))
        return self._notes[place]

    def _wipe(self, git: Git, folder: Path, kept: Kept | None, workspace: Workspace) -> None:
        """Remove what a call that did not come to its end has left, and keep aside what was done in it.

        Raises:
            BranchTaken: The branch has commits that are not from there.
        """
        if not folder.exists():
            return  # it is removed last, so that nothing else is left either
        ref = f"refs/heads/{workspace.branch}"
        own = records.ref("work", workspace.run, workspace.path)
        refs = git.refs(ref, own)
        if kept is not None and Path(kept.workspace.tree).is_dir():
            self._keep_aside(git, kept.workspace, self._staged(git, kept.workspace, folder))
        known = {workspace.base, refs.get(own), kept.workspace.base if kept else ""}
        if refs.get(ref, workspace.base) not in known:
            message = f"the branch `{workspace.branch}` has other commits already"
            fix = f"rename it: git branch -m {workspace.branch} NAME; then resume the run"
            raise BranchTaken(message, fix=fix)
        self._forget(git, workspace)
        shutil.rmtree(folder, ignore_errors=True)

    def _forget(self, git: Git, workspace: Workspace) -> None:
        if any(tree.path == workspace.tree for tree in git.worktrees()):
            shutil.rmtree(workspace.tree, ignore_errors=True)  # git would look into its files first
            git.worktree_remove(Path(workspace.tree))
        git.update_ref(f"refs/heads/{workspace.branch}", NOWHERE)

    def _fill(self, git: Git, workspace: Workspace, folder: Path) -> None:
        """Check the files out, with an index of our own; the step's git gets a copy of it."""
        git.check_out(workspace.base, Path(workspace.tree), folder / INDEX)
        self._show(git, workspace, folder / INDEX)
        info = git.common_dir / "info" / "exclude"
        own = info.read_text(errors="surrogateescape") if info.is_file() else ""
        (folder / EXCLUDES).write_text("\n".join((*_PASSING, own)), errors="surrogateescape")
        Path(workspace.dir).mkdir(parents=True, exist_ok=True)

    def _show(self, git: Git, workspace: Workspace, index: Path) -> None:
        """Have the step's own git see an index."""
        shutil.copy2(index, verifying.admin_of(git, workspace) / "index")

    # --- what was done in it ------------------------------------------------------------------------

    def _staged(self, git: Git, workspace: Workspace, folder: Path) -> str:
        with tempfile.TemporaryDirectory(prefix="staged-", dir=folder) as scratch:
            index = Path(shutil.copy2(folder / INDEX, scratch))
            return git.stage(Path(workspace.tree), index, folder / EXCLUDES)

    def _strays(self, git: Git, workspace: Workspace, changes: Sequence[Change], tree: str) -> dict[str, str]:
        if not changes:
            return {}
        prefix = os.path.relpath(workspace.dir, workspace.tree)
        links = git.cat_many(change.new for change in changes if change.new_mode == LINK_MODE)
        touched = [
            Touched(
                change.path,
                change.new_mode == ABSENT_MODE,
                os.fsdecode(links[change.new]) if change.new_mode == LINK_MODE else None,
                change.new_mode == SUBMODULE_MODE,
            )
            for change in changes
        ]
        # Only what is new can be written in another way than what is there.
        is_new = any(change.status == "A" for change in changes)
        paths = [entry.path for entry in git.ls_tree(tree)] if is_new else []
        return strays(touched, workspace.claims, paths, "" if prefix == "." else prefix)

    def _keep_aside(self, git: Git, workspace: Workspace, tree: str) -> str:
        """Keep a tree that is not what was asked for under a ref of its own; return the ref."""
        if tree == git.tree_of(workspace.base):
            return ""
        ref = records.ref("aside", workspace.run, workspace.path)
        commit = git.commit_tree(tree, (workspace.base,), f"Kept aside from {workspace.path}")
        git.update_ref(ref, commit, reason="maestri: kept aside")
        return ref

    def _committed(self, git: Git, workspace: Workspace, tree: str) -> str:
        """Commit a tree to the branch of a workspace; whatever the branch was moved to is not looked at.

        Args:
            git: The repository.
            workspace: The workspace.
            tree: The tree; empty where it is that of the base.
        """
        own, ref = records.ref("work", workspace.run, workspace.path), f"refs/heads/{workspace.branch}"
        refs = git.refs(own, ref)
        done = refs.get(own, "")
        if not tree:
            commit = workspace.base
        elif done and git.tree_of(done) == tree:
            commit = done
        else:
            message = f"{workspace.path}\n\nMaestri-Run: {workspace.run}\nMaestri-Step: {workspace.path}\n"
            commit = git.commit_tree(tree, (workspace.base,), message, at=verifying.now())
        moves = {ref: (commit, refs.get(ref, "")), own: (commit, done)}
        git.update_refs(moves, reason="maestri: the work of a step")
        return commit


def _before(changes: Sequence[Change], outside: dict[str, str]) -> list[Entry | str]:
    """Return what stood at the paths that are stray."""
    return [
        change.path if change.status == "A" else Entry(change.path, change.old_mode, "blob", change.old)
        for change in changes
        if change.path in outside
    ]


def _work(commit: str, changes: Sequence[Change], outside: dict[str, str], aside: str) -> Work:
    named: dict[str, list[str]] = {"added": [], "changed": [], "deleted": []}
    for change in changes:
        word = {"A": "added", "D": "deleted"}.get(change.status, "changed")
        named[word].append(verifying.shown(change.path))
    found = tuple({"path": verifying.shown(path), "why": why} for path, why in outside.items())
    added, changed, deleted = (tuple(paths) for paths in named.values())
    return Work(commit, added, changed, deleted, found, aside)

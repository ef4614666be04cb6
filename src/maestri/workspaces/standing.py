"""How a workspace stands: whether it is worked in, what it holds, and whether that is safe elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from maestri.errors import NotLanded, WorkspaceFailed
from maestri.kernel.ports import Held, Workspace
from maestri.workspaces import records
from maestri.workspaces.git import Git
from maestri.workspaces.records import Kept
from maestri.workspaces.verifying import shown

_NAMED: Final = 10


def held(kept: Kept) -> Held:
    """Return how a workspace stands; one whose repository cannot be read is gone."""
    workspace = kept.workspace
    try:
        git = Git(workspace.repository)
        commit = git.ref(records.ref("work", workspace.run, workspace.path))
        if not Path(workspace.tree).is_dir():
            return Held(workspace, "gone", commit)
        if not commit:
            return Held(workspace, "working")
        if commit == workspace.base:
            return Held(workspace, "empty", commit)
        return Held(workspace, "landed" if _has_landed(git, workspace, commit) else "done", commit)
    except WorkspaceFailed:
        return Held(workspace, "gone")


def _has_landed(git: Git, workspace: Workspace, commit: str) -> bool:
    """Tell whether a commit is in a branch of the user, or in something that was said to have landed."""
    landed = list(git.refs(records.ref("landed", workspace.run)).values())
    others = [at for name, at in git.branches().items() if not name.startswith("maestri/")]
    return any(git.is_ancestor(commit, at) for at in dict.fromkeys((*landed, *others)))


def refuse_unlanded(git: Git, kept: Kept, staged: Callable[[], str]) -> None:
    """Refuse to give up work that is nowhere else.

    Args:
        git: The repository.
        kept: The workspace.
        staged: Gives the tree of the files that are in it now.

    Raises:
        NotLanded: It has not landed, or was never committed.
    """
    workspace = kept.workspace
    commit = git.ref(records.ref("work", workspace.run, workspace.path)) or workspace.base
    fix = f"land `{workspace.branch}`, or give it up: `maestri workspaces clean --discard NAME`"
    if commit != workspace.base and not _has_landed(git, workspace, commit):
        files = len(git.diff_raw(workspace.base, commit))
        message = f"the work of `{workspace.path}` has not landed: {files} changed file{'s' * (files != 1)}"
        raise NotLanded(message, cause=f"it is on no branch but `{workspace.branch}`", fix=fix)
    changes = git.diff_raw(git.tree_of(commit), staged()) if Path(workspace.tree).is_dir() else []
    if changes:
        names = ", ".join(f"`{shown(change.path)}`" for change in changes[:_NAMED])
        message = f"the workspace of `{workspace.path}` holds changes that were never committed: {names}"
        raise NotLanded(message, cause=f"they are in `{workspace.tree}`", fix=fix)

"""The forecast while workers are at work: what their files hold now, as if each were committed.

Rule: nothing of a worktree is touched; what is in it goes into objects that no branch names.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from maestri.kernel.ports import Held
from maestri.landing.forecast import forecast
from maestri.workspaces import records
from maestri.workspaces.git import Git

_LIVE: Final = frozenset({"working", "done"})


def of_branches(git: Git, names: Sequence[str], onto: str) -> dict[str, Any]:
    """Return the forecast for some branches.

    Raises:
        RevisionMissing: There is no branch or commit of a name.
    """
    commits = {name: git.resolve(name) for name in names}
    return {**forecast(git, git.resolve(onto), commits), "branches": list(names)}


def of_workspaces(git: Git, held: Sequence[Held], folder: Callable[[str], Path], onto: str) -> dict[str, Any]:
    """Return the forecast for the workspaces of a repository that have not landed, as they are now.

    Args:
        git: The repository.
        held: Workspaces, of other repositories too.
        folder: Gives the folder of the workspaces of a run by the run's id.
        onto: What they are to come together on.
    """
    mine = [
        one
        for one in held
        if one.state in _LIVE and Git(one.workspace.repository).common_dir == git.common_dir
    ]
    commits = {one.workspace.branch: _now(git, one, folder(one.workspace.run)) for one in mine}
    return {**forecast(git, git.resolve(onto), commits), "branches": list(commits)}


def _now(git: Git, held: Held, folder: Path) -> str:
    """Return a commit of what a workspace holds now."""
    workspace = held.workspace
    if held.commit:
        return held.commit
    place = records.folder_of(folder, workspace.path)
    with tempfile.TemporaryDirectory(prefix="maestri-") as scratch:
        index = Path(shutil.copy2(place / records.INDEX, scratch))
        tree = git.stage(Path(workspace.tree), index, place / records.EXCLUDES)
    return git.commit_tree(tree, (workspace.base,), f"What {workspace.path} holds now")

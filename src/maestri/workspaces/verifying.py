"""Whether a worktree is what it is taken for, and whether the repository is one that can be worked on."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from maestri.errors import FeatureUnsupported, RepositoryChanged, WorkspaceInvalid
from maestri.kernel.ports import Workspace
from maestri.workspaces import reading, repository
from maestri.workspaces.git import Git
from maestri.workspaces.reading import SUBMODULE_MODE, Entry
from maestri.workspaces.records import Kept

_FILTER = re.compile(rb"^[^#\n].*\bfilter=", re.MULTILINE)
_ATTRIBUTES: Final = ".gitattributes"
_NAMED: Final = 5


def now() -> float:
    """Return the date for a commit."""
    return time.time()


def shown(path: str) -> str:
    """Return a path as a text that is valid Unicode."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def admin_of(git: Git, workspace: Workspace) -> Path:
    """Return the folder in the repository that belongs to a worktree.

    Raises:
        WorkspaceInvalid: Its `.git` does not lead there, or not back.
    """
    pointer = Path(workspace.tree) / ".git"
    found = None if pointer.is_symlink() else repository.pointer(pointer)
    if found is None or found.parent != git.common_dir / "worktrees":
        raise _unreal(workspace, "its `.git` does not lead to the repository")
    back = found / "gitdir"
    if not back.is_file() or os.path.realpath(back.read_text().strip()) != os.path.realpath(pointer):
        raise _unreal(workspace, "the repository knows it under another path")
    return found


def is_whole(kept: Kept) -> bool:
    """Tell whether a workspace that was made before is still the one that was made."""
    try:
        about = os.lstat(kept.workspace.tree)
        admin_of(Git(kept.workspace.repository), kept.workspace)
    except (OSError, WorkspaceInvalid):
        return False
    return stat.S_ISDIR(about.st_mode) and (about.st_dev, about.st_ino) == (kept.device, kept.inode)


def refuse_unreal(git: Git, kept: Kept) -> None:
    """Refuse a worktree that is not the one that was made for the step.

    Raises:
        WorkspaceInvalid: Says what about it is wrong.
    """
    workspace = kept.workspace
    about = os.lstat(workspace.tree)
    if not stat.S_ISDIR(about.st_mode) or (about.st_dev, about.st_ino) != (kept.device, kept.inode):
        raise _unreal(workspace, "another folder, or a link, was put in its place")
    if os.path.realpath(workspace.tree) != workspace.tree:
        raise _unreal(workspace, "a folder above it is a link")
    admin_of(git, workspace)
    if git.root is not None and Path(workspace.tree).is_relative_to(git.root):
        raise _unreal(workspace, "it lies in the files of the user")


def _unreal(workspace: Workspace, cause: str) -> WorkspaceInvalid:
    message = f"the worktree `{workspace.tree}` is not the one that was made for `{workspace.path}`"
    return WorkspaceInvalid(message, cause=cause, fix="take over by hand what you need, then start a new run")


def refuse_changed(git: Git, kept: Kept) -> None:
    """Refuse to go on where a step has changed what git runs.

    Raises:
        RepositoryChanged: Names what was changed.
    """
    marks = git.marks()
    changed = [name for name in {**kept.marks, **marks} if kept.marks.get(name) != marks.get(name)]
    if changed:
        names = ", ".join(sorted(changed)[:_NAMED])
        message = f"the git configuration of `{git.root}` was changed while `{kept.workspace.path}` worked"
        fix = "look at it before you use git there; undo it, then resume the run"
        raise RepositoryChanged(message, cause=f"changed: {names}", fix=fix)


def refuse_unsupported(git: Git, base: str, entries: Sequence[Entry]) -> list[str]:
    """Refuse a repository whose files a worktree would not have; return what people should know.

    Raises:
        FeatureUnsupported: Submodules, filters (Git LFS, git-crypt), or objects that were never fetched.
    """
    modules = [entry.path for entry in entries if entry.mode == SUBMODULE_MODE]
    if modules:
        raise _unsupported("submodules", "a worktree has no files of them", modules)
    if any(key.startswith("remote.") and key.endswith(".promisor") for key in git.config):
        raise _unsupported("objects that were not fetched (a partial clone)", "git would have to fetch", [])
    filtered = _filtered(git, base, entries)
    if filtered:
        names = sorted(set(filtered.values()))
        what = f"filters ({', '.join(names)})"
        cause = "filters are programs, which are not run: files would be committed as they are"
        raise _unsupported(what, cause, list(filtered))
    sparse = git.config.get("core.sparsecheckout", "").lower() in {"true", "1", "yes", "on"}
    return ["the checkout is sparse; the worktree has all files"] if sparse else []


def _filtered(git: Git, base: str, entries: Sequence[Entry]) -> dict[str, str]:
    """Return the files that go through a filter; mostly none, and then one look at the attributes tells."""
    wanted = [entry.object for entry in entries if entry.path.rpartition("/")[2] == _ATTRIBUTES]
    if not wanted or not any(_FILTER.search(text) for text in git.cat_many(wanted).values()):
        return {}
    given = b"".join(os.fsencode(entry.path) + b"\0" for entry in entries)
    with tempfile.TemporaryDirectory(prefix="maestri-") as scratch:
        index = Path(scratch, "index")
        git.runner.view("read-tree", base, index=index)
        asked = ("check-attr", "--cached", "-z", "--stdin", "filter")
        words = iter(reading.fields(git.runner.view(*asked, stdin=given, index=index).output))
    named = zip(words, words, words, strict=False)
    return {path: value for path, _, value in named if value not in {"unspecified", "unset"}}


def _unsupported(what: str, cause: str, paths: Sequence[str]) -> FeatureUnsupported:
    names = ", ".join(f"`{shown(path)}`" for path in paths[:_NAMED])
    message = f"a worktree of this repository would be wrong: it has {what}"
    where = f"{cause}: {names}" if names else cause
    return FeatureUnsupported(message, cause=where, fix="use `workspace: copy`, or `shared`")

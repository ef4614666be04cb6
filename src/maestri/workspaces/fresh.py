"""A new repository with one commit, for those who want to see Maestri at work before they have one for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from maestri.workspaces.git import NOWHERE, Git

_CONFIG: Final = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"


def fresh(directory: Path, files: Mapping[str, str], message: str) -> Git:
    """Make a repository whose branch `main` has one commit with some files, which are checked out.

    Args:
        directory: Where; it is made, and must not be there.
        files: The texts of the files by their paths.
        message: That of the commit.

    Returns:
        The repository.

    Raises:
        WorkspaceFailed: There is no git, or it cannot work there.
        OSError: The directory is there, or cannot be made.
    """
    directory.mkdir(parents=True)
    own = directory / ".git"
    for folder in ("objects", "refs/heads", "refs/tags", "info"):
        (own / folder).mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (own / "config").write_text(_CONFIG, encoding="utf-8")
    (own / "info" / "exclude").write_text("", encoding="utf-8")
    for name, text in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    git = Git(directory)
    tree = git.stage(directory, own / "index", own / "info" / "exclude")
    git.update_ref("refs/heads/main", git.commit_tree(tree, (), message), NOWHERE, reason="begin")
    return git

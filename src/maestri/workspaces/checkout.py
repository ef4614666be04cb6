"""What the user's own checkout has that is not committed; it is looked at, and never touched."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from maestri.workspaces import reading
from maestri.workspaces.git import Git


def status(git: Git) -> list[tuple[str, str]]:
    """Return what the checkout has that HEAD has not, each as (word, path).

    The words are `staged`, `changed` and `untracked`. A copy of the index is looked at: git writes into an
    index that it compares with files.

    Raises:
        BareRepository: There is no checkout.
        NoCommits: There is nothing to compare it with.
    """
    root, head = git.work_root(), git.head()
    option = {"core.excludesFile": str(git.common_dir / "info" / "exclude")}
    asked = {
        "staged": ("diff-index", "--cached", "--name-only", "-z", head),
        "changed": ("diff-files", "--name-only", "-z"),
        "untracked": ("ls-files", "--others", "--exclude-standard", "--directory", "-z"),
    }
    with tempfile.TemporaryDirectory(prefix="maestri-") as scratch:
        index = Path(scratch, "index")
        if (git.git_dir / "index").exists():
            shutil.copy2(git.git_dir / "index", index)
        git.runner.view("update-index", "-q", "--refresh", ok=(0, 1), work_tree=root, index=index)
        found = []
        for word, words in asked.items():
            said = git.runner.view(*words, work_tree=root, index=index, settings=option)
            found += [(word, path) for path in reading.fields(said.output)]
        return found

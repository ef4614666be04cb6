"""Taking turns: who adds or removes worktrees of a repository does so alone, across all processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from maestri.workspaces.git import Git


@contextmanager
def turn(locks: Path, git: Git) -> Iterator[None]:
    """Wait until nobody else adds or removes worktrees of this repository.

    Args:
        locks: The folder of the lock files; it is made if need be.
        git: The repository.
    """
    name = blake2b(os.fsencode(git.common_dir), digest_size=8).hexdigest()
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (locks / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

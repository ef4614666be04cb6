"""Locks of the operating system: free at once when their holder dies.

Rule 1: who looks whether a lock is held does not keep the holder from anything.
Rule 2: a lock file that was removed or replaced is a lock that was lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

_TRIES = 3
_PAUSE_S = 0.002  # somebody who looks holds the lock for some microseconds


class FileLock:
    """An exclusive lock on a file that says who holds it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Wrap a descriptor that holds the lock already; see `acquire`."""
        self.path = path
        self._descriptor = descriptor

    def is_ours(self) -> bool:
        """Tell whether the locked file is still the one that others would lock."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def release(self) -> None:
        """Let go of the lock; the file stays."""
        os.close(self._descriptor)


def acquire(path: Path) -> FileLock | None:
    """Take a lock, or return None when somebody else holds it."""
    for attempt in range(_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        lock = FileLock(path, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.release()
            if attempt + 1 < _TRIES:
                time.sleep(_PAUSE_S)
            continue
        if lock.is_ours():
            with contextlib.suppress(OSError):  # on a full disk the lock holds without these words
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)
            return lock
        lock.release()
    return None


def is_held(path: Path) -> bool:
    """Tell whether somebody, this process included, holds a lock; creates nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(path: Path) -> str:
    """Return who took a lock last, in words."""
    try:
        return path.read_text(errors="replace")[:200] or "another process"
    except OSError:
        return "another process"

"""Removes a folder that somebody else has filled, as deep and as strange as it may be.

Rule: no link is followed, and nothing recurses: what lies deeper is moved up before it is removed.
"""

from __future__ import annotations

import contextlib
import os
import stat


def removed(place: str) -> None:
    """Remove a folder with all that is in it; what cannot be removed stays."""
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(os.lstat(place).st_mode):
            os.unlink(place)  # noqa: PTH108
            return
        top = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            count = 0
            while inner := _emptied(top):
                for name in inner:
                    count = _moved_up(top, name, count)
        finally:
            os.close(top)
        os.rmdir(place)  # noqa: PTH106


def _emptied(folder: int) -> list[str]:
    """Remove the files in a folder; returns the names of the folders in it."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]


def _moved_up(top: int, name: str, count: int) -> int:
    """Remove a folder in `top`; the folders in it are moved to `top` under numbers."""
    os.chmod(name, 0o700, dir_fd=top)
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    try:
        for inner in _emptied(folder):
            os.chmod(inner, 0o700, dir_fd=folder)  # one that may not be written to cannot be moved either
            count += 1
            os.rename(inner, f"..moved-{count}", src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return count

"""Which file system a folder lies on, and whether SQLite's shared memory works there.

Rule 1: only what is known to be shared between machines is refused; an unknown system is let through.
"""

from __future__ import annotations

import os
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    "9p afs beegfs ceph cifs coda davfs fuse.ceph fuse.davfs2 fuse.gcsfuse "  # noqa: SIM905 - a line per name would say less
    "fuse.glusterfs fuse.rclone "
    "fuse.s3fs fuse.sshfs glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 smb3 smbfs".split()
)


def network_type(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Return the type of the network file system that a folder lies on, or an empty text.

    Where the system has no list of mounts (macOS), nothing is known and the answer is empty.
    """
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    found = _type_of(os.path.realpath(folder), lines)
    return found if found in _NETWORK else ""


def _type_of(place: str, lines: list[str]) -> str:
    best, found = "", ""
    for line in lines:
        mount, _, source = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5 or not source:
            continue
        point = _unescaped(fields[4])
        # A later mount on the same point hides the earlier one, therefore >=.
        if _holds(point, place) and len(point) >= len(best):
            best, found = point, source.split(" ", 1)[0]
    return found


def _holds(point: str, place: str) -> bool:
    return point in {"/", place} or place.startswith(point + "/")


def _unescaped(text: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text

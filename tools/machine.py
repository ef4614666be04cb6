"""What machine this is, and what it lacks for a measurement."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def lacks(need: str) -> bool:
    """Tell whether this machine lacks something: `strace`, `mounts`, `FUSE`, `a guardian`.

    Raises:
        KeyError: Nobody knows how to look for it.
    """
    return not _LOOK[need]()


def _can_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    return (
        subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0
    )


def _can_mount() -> bool:
    with tempfile.TemporaryDirectory() as place:
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place]
        try:
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return False
        except OSError:
            return False
        subprocess.run(["umount", place], check=True)
        return True


def _has_fuse() -> bool:
    return os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)


def _has_guardian() -> bool:
    return sys.platform == "linux"


_LOOK: dict[str, Callable[[], bool]] = {
    "strace": _can_trace,
    "mounts": _can_mount,
    "FUSE": _has_fuse,
    "a guardian": _has_guardian,
}


def described() -> dict[str, str]:
    """Return what a figure may depend on; nothing that names the machine or its place."""
    return {
        "system": f"{platform.system().lower()} {platform.machine()}",
        "processors": str(os.cpu_count()),
        "memory": _memory(),
        "file system of temporary files": _file_system(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }


def _memory() -> str:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            return f"{int(line.split()[1]) / 1e6:.1f} GB"
    return "unknown"


def _file_system() -> str:
    try:
        command = ["stat", "-f", "-c", "%T", tempfile.gettempdir()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []

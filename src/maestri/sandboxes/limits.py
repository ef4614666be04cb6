"""What a tree of processes uses, looked at from outside, where the kernel does not hold the limit itself.

Rule 1: a look counts everything below one process; whoever has left the tree is none of its (and cannot).
Rule 2: a look is late by up to its interval; what the kernel holds at once is left to the kernel.
Rule 3: memory is counted twice only at first: before it is too much, shared parts are taken out.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from maestri.kernel.isolation import Limits

INTERVAL_S: Final = 0.25
OWN_PROCESSES: Final = 3  # that a sandbox itself consists of; they are no part of what a step may start
_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_BLOCK_BYTES: Final = 512
_REST: Final = 20  # a look at the disk may take one part in so many of the time


class Watch:
    """Looks at one command; `watched` are the limits that it holds."""

    def __init__(self, limits: Limits, left_to_kernel: frozenset[str], folders: Sequence[str]) -> None:
        """Begin before the command is started.

        Args:
            limits: What is limited.
            left_to_kernel: Those that need no looking at.
            folders: Where the command may write.
        """
        self.limits = limits
        given = {key.rpartition("_")[0] or key: value for key, value in limits._asdict().items()}
        self.watched = frozenset(key for key, value in given.items() if value is not None) - left_to_kernel
        self._folders = folders
        self._began = time.monotonic()
        self._next_disk = 0.0
        self._before_bytes = used_bytes(folders) if "disk" in self.watched else 0

    @property
    def interval_s(self) -> float | None:
        """How often to look, in seconds; None where there is nothing to look at."""
        return INTERVAL_S if self.watched else None

    def look(self, root: int) -> str:
        """Return what was exceeded, in words; an empty text for nothing."""
        limits, watched = self.limits, self.watched
        if limits.wall_s is not None and time.monotonic() - self._began > limits.wall_s:
            return _words("wall", f"{limits.wall_s:g} s")
        tree = list(below(root)) if watched & {"cpu", "memory", "processes"} else []
        if (
            limits.processes is not None
            and "processes" in watched
            and len(tree) > limits.processes + OWN_PROCESSES
        ):
            return _words("processes", str(limits.processes))
        if limits.cpu_s is not None and sum(map(cpu_s, [root, *tree])) > limits.cpu_s:
            return _words("cpu", f"{limits.cpu_s:g} s")
        if limits.memory_bytes is not None and "memory" in watched and _exceeds(tree, limits.memory_bytes):
            return _words("memory", shown(limits.memory_bytes))
        return self._look_at_disk()

    def _look_at_disk(self) -> str:
        limit = self.limits.disk_bytes
        began = time.monotonic()
        if limit is None or began < self._next_disk:
            return ""
        grown = used_bytes(self._folders) - self._before_bytes
        now = time.monotonic()
        self._next_disk = now + max(INTERVAL_S, _REST * (now - began))
        return _words("disk", shown(limit)) if grown > limit else ""


_WHAT: Final = {
    "wall": "it took longer than",
    "processes": "it started more processes than",
    "cpu": "it used more processor time than",
    "memory": "it used more memory than",
    "disk": "it wrote more than",
}


def _words(limit: str, value: str) -> str:
    return f"{_WHAT[limit]} its sandbox allows: {value} (`limits.{limit}`)"


def exceeded(limit: str, limits: Limits) -> str:
    """Return the words for a limit that the kernel has held."""
    values = {
        "processes": str(limits.processes),
        "cpu": f"{limits.cpu_s or 0:g} s",
        "memory": shown(limits.memory_bytes or 0),
        "disk": shown(limits.disk_bytes or 0),
    }
    return _words(limit, values[limit])


def shown(size_bytes: int) -> str:
    """Return a size as people write it."""
    for unit, bytes_ in (("GB", 10**9), ("MB", 10**6)):
        if size_bytes >= bytes_:
            return f"{size_bytes / bytes_:g} {unit}"
    return f"{size_bytes} bytes"


def below(root: int) -> Iterator[int]:
    """Yield the processes below one, as far as they live while they are looked at."""
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        for child in _children(pid):
            yield child
            waiting.append(child)


def _children(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return []
    return [int(child) for one in threads for child in _read(f"/proc/{pid}/task/{one}/children").split()]


def _read(place: str) -> bytes:
    try:
        return Path(place).read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def cpu_s(pid: int) -> float:
    """Return the processor time of a process, with that of its children that have ended."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_A_SECOND if len(fields) > 14 else 0.0


def _exceeds(tree: Sequence[int], limit_bytes: int) -> bool:
    return sum(map(_resident_bytes, tree)) > limit_bytes and sum(map(_own_bytes, tree)) > limit_bytes


def _resident_bytes(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE_BYTES if len(fields) > 1 else 0


def _own_bytes(pid: int) -> int:
    """Return the memory of a process, of what it shares with others only its part."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return _resident_bytes(pid)


def used_bytes(folders: Sequence[str]) -> int:
    """Return the room that the files in some folders take, without following links."""
    total, waiting = 0, list(folders)
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    about = entry.stat(follow_symlinks=False)
                    total += about.st_blocks * _BLOCK_BYTES
                    if stat.S_ISDIR(about.st_mode):
                        waiting.append(entry.path)
        except OSError:  # gone meanwhile, or no folder
            continue
    return total

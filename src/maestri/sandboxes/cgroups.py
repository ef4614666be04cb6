"""Control groups, where this process may make some: limits that hold for a whole tree, also for root.

Rule: whether it works is found out by doing it; where it does not, `limits` watches instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from maestri.kernel.isolation import Limits
from maestri.records import NamedTuple
from maestri.sandboxes.limits import OWN_PROCESSES

ROOT: Final = Path("/sys/fs/cgroup")
OWN: Final = Path("/proc/self/cgroup")
PROCESSES, MEMORY = "processes", "memory"
_PREFIX: Final = "maestri-"
_MEMBERS: Final = "cgroup.procs"
# For each version: the file with the limit, and the file that counts how often it was reached.
_FILES: Final = {
    (1, PROCESSES): ("pids.max", "pids.events", "max"),
    (1, MEMORY): ("memory.limit_in_bytes", "memory.oom_control", "oom_kill"),
    (2, PROCESSES): ("pids.max", "pids.events", "max"),
    (2, MEMORY): ("memory.max", "memory.events", "oom_kill"),
}
_CONTROLLERS: Final = {PROCESSES: "pids", MEMORY: "memory"}


class _Place(NamedTuple):
    version: int
    folder: Path


class Groups:
    """The groups of one command; `held` are the limits that they hold."""

    def __init__(self, limits: Limits, name: str, root: Path = ROOT, own: Path = OWN) -> None:
        """Make a group for each limit that one can be made for.

        Args:
            limits: What is limited.
            name: What tells these groups from others of this process.
            root: Where control groups are mounted.
            own: Where the kernel says which groups this process is in.
        """
        self.held: frozenset[str] = frozenset()
        self._groups: dict[Path, list[tuple[str, int]]] = {}
        processes = None if limits.processes is None else limits.processes + OWN_PROCESSES
        for what, value in ((PROCESSES, processes), (MEMORY, limits.memory_bytes)):
            made = (
                None
                if value is None
                else self._made(what, value, f"{_PREFIX}{os.getpid()}-{name}", root, own)
            )
            if made is not None:
                version, folder = made
                self._groups.setdefault(folder, []).append((what, version))
                self.held |= {what}

    def _made(self, what: str, value: int, name: str, root: Path, own: Path) -> _Place | None:
        for version, above in _places(_CONTROLLERS[what], root, own):
            folder = above / name
            try:
                _sweep(above)
                folder.mkdir(exist_ok=True)
                (folder / _FILES[version, what][0]).write_text(str(value))
                if not os.access(folder / _MEMBERS, os.W_OK):
                    raise PermissionError
            except OSError:
                with suppress(OSError):
                    folder.rmdir()
                continue
            return _Place(version, folder)
        return None

    @property
    def members(self) -> tuple[str, ...]:
        """The files that a process writes its id to, to join."""
        return tuple(str(folder / _MEMBERS) for folder in self._groups)

    def reached(self) -> str:
        """Return which limit was reached, an empty text for none."""
        for folder, kinds in self._groups.items():
            for what, version in kinds:
                _, events, key = _FILES[version, what]
                if _count(folder / events, key) > 0:
                    return what
        return ""

    def close(self) -> None:
        """Remove the groups; nothing is in them any more."""
        for folder in self._groups:
            with suppress(OSError):
                folder.rmdir()


def _count(file: Path, key: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [key]), 0)


def _places(controller: str, root: Path, own: Path) -> Iterator[_Place]:
    """Yield where a group might be made: beside the group of this process, and in it."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            yield _Place(1, root / controllers / path.strip("/"))
        elif controllers == "":
            here = root / path.strip("/")
            for above in (here, here.parent) if here != root else (here,):
                if controller in _words(above / "cgroup.subtree_control"):
                    yield _Place(2, above)


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _sweep(above: Path, is_alive: Callable[[int], bool] = lambda pid: Path(f"/proc/{pid}").exists()) -> None:
    """Remove what a process that was killed has left; a group with somebody in it cannot be removed."""
    for left in above.glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            with suppress(OSError):
                left.rmdir()

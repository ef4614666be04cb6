"""What both kinds of sandboxes hand to `confine.py`, which stands last before the command."""

from __future__ import annotations

import ctypes
import marshal
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from maestri.kernel.isolation import CODE, Isolation
from maestri.records import NamedTuple
from maestri.sandboxes.limits import OWN_PROCESSES
from maestri.sandboxes.sight import PYTHON, SCRIPT, Sight

HELD: Final = "H"  # as in `confine.py`
SCOPE_ABI: Final = 6  # from which Landlock keeps signals and abstract sockets in
PROCESSES: Final = 4096  # for unread code without a limit of its own: far above what builds need
_CREATE_RULESET: Final = 444
_VERSION: Final = 1


class Launch(NamedTuple):
    """One start: its own folder, and the control groups that it joins."""

    folder: Path
    groups: tuple[str, ...] = ()


class Mechanism(Protocol):
    """One way to make a sandbox."""

    @property
    def name(self) -> str:
        """What it is called on record."""
        ...

    @property
    def level(self) -> str:
        """How strong it is: `strong` or `basic`."""
        ...

    def missing(self) -> str:
        """Return why it cannot even be tried, or an empty text."""
        ...

    def weaker(self, isolation: Isolation) -> tuple[str, ...]:
        """Return what it does not hold back, in words for people."""
        ...

    def argv(self, isolation: Isolation, seen: Sight, launch: Launch) -> list[str]:
        """Return what is started, up to the command itself.

        Raises:
            PlaceRefused: It cannot hide what must be hidden.
        """
        ...

    def temporary(self, launch: Launch) -> str:
        """Return the folder for temporary files, as the command sees it."""
        ...

    def has_begun(self, launch: Launch) -> bool:
        """Tell of a command that has ended whether it was started at all."""
        ...


def inner(asked: Mapping[str, Any]) -> list[str]:
    """Return the command line of `confine.py`, up to the command itself."""
    return [PYTHON, "-I", "-S", SCRIPT, marshal.dumps(dict(asked)).hex()]


def held(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment so that it acts upon nothing before it is the command's."""
    return {f"{HELD}{number}": f"{name}={value}" for number, (name, value) in enumerate(env.items())}


def limits(isolation: Isolation, *, has_own_users: bool) -> dict[str, int]:
    """Return the limits that the kernel holds for each process, by their names in `resource`.

    Args:
        isolation: What the step asks for.
        has_own_users: Whether processes are counted apart from all others of the user.
    """
    asked, found = isolation.limits, {}
    if asked.cpu_s is not None:
        found["RLIMIT_CPU"] = max(1, round(asked.cpu_s))
    if asked.disk_bytes is not None:
        found["RLIMIT_FSIZE"] = asked.disk_bytes
    if has_own_users and (isolation.profile == CODE or asked.processes is not None):
        found["RLIMIT_NPROC"] = (asked.processes or PROCESSES) + OWN_PROCESSES
    return found


@cache
def landlock_abi() -> int:
    """Return the version of Landlock that the kernel has, 0 where it has none."""
    if sys.platform != "linux":
        return 0
    found: int = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    return max(found, 0)

"""The strong sandbox: bubblewrap with a root of its own, in which nothing is but what `sight` names.

Rule 1: the command has no network of its own unless its profile is `agent`, no process of others, no power.
Rule 2: nothing of the step acts upon what stands before it: its environment arrives in held variables
    (`confine.py`), and `bwrap` and the shell are called by their paths.
Rule 3: `bwrap` does not listen to the request to end, the command does: so it may end in good order.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Final

from maestri.kernel.isolation import CODE, STRONG, Isolation
from maestri.sandboxes import policy, seccomp
from maestri.sandboxes.mounts import mounts
from maestri.sandboxes.policy import Launch
from maestri.sandboxes.sight import SETTINGS, SYSTEM, Sight

NAME: Final = "bubblewrap"
TEMPORARY_BYTES: Final = 1 << 30  # what fits into /tmp where no limit is declared
STATUS: Final = "status"  # in the launch's own folder: what bwrap says of itself
# $1: where bwrap says what becomes of it; then the groups to join, `--`, and bwrap with its arguments.
_OUTER: Final = """\
trap '' TERM
exec 3>"$1" || exit 125
shift
while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done
shift
exec "$@"
"""
_ALWAYS: Final = (
    "--die-with-parent", "--new-session", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
    "--unshare-cgroup-try", "--cap-drop", "ALL", "--json-status-fd", "3",
)  # fmt: skip
_PLACES: Final = ("/usr/bin", "/bin", "/usr/local/bin")


class Bubblewrap:
    """Starts commands under `bwrap`."""

    name: Final = NAME
    level: Final = STRONG

    def __init__(self, program: str | None = None) -> None:
        """Take the program; by default the system's, never one that only PATH leads to."""
        self._program = program or shutil.which("bwrap", path=os.pathsep.join(_PLACES))

    def missing(self) -> str:
        """Return why it cannot even be tried, or an empty text."""
        return "" if self._program else "bwrap is not installed"

    def weaker(self, isolation: Isolation) -> tuple[str, ...]:
        """Return what it does not hold back, in words for people."""
        found = []
        if isolation.profile != CODE:
            found.append("the network is the machine's own, with what listens on its loopback")
        if seccomp.for_machine(seccomp.INSIDE) is None:
            found.append("no filter of system calls is known for this kind of machine")
        return tuple(found)

    def argv(self, isolation: Isolation, seen: Sight, launch: Launch) -> list[str]:
        """Return what is started, up to the command itself."""
        limits = isolation.limits
        size = str(limits.disk_bytes or TEMPORARY_BYTES)
        options = list(_ALWAYS)
        options += ("--unshare-net", "--disable-userns") if isolation.profile == CODE else ()
        for folder in SYSTEM:
            options += _of_system(Path(folder))
        options += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]  # noqa: S108
        options += _covered() if os.geteuid() == 0 else []
        options += ["--remount-ro", "/dev", "--size", size, "--tmpfs", "/tmp"]  # noqa: S108
        options += ["--size", size, "--tmpfs", seen.home] if seen.home.strip("/") else []
        for place in SETTINGS:
            options += ["--ro-bind-try", place, place]
        options += mounts(seen)
        options += ["--remount-ro", "/", "--chdir", seen.cwd]
        status = str(launch.folder / STATUS)
        outer = ["/bin/sh", "-c", _OUTER, "sandbox", status, *launch.groups, "--"]
        inner = policy.inner(_policy(isolation))
        return [*outer, str(self._program), *options, "--", *inner]

    def temporary(self, _launch: Launch) -> str:
        """Return the folder for temporary files, as the command sees it."""
        return "/tmp"  # noqa: S108 - its own

    def has_begun(self, launch: Launch) -> bool:
        """Tell of a command that has ended whether it was started at all."""
        try:
            return '"exit-code"' in (launch.folder / STATUS).read_text(encoding="utf-8")
        except OSError:
            return False


def _covered() -> list[str]:
    """Return the options by which root cannot change the settings of the kernel.

    Most of them ask for no power, only for the user who is root, and that one still is root inside.
    """
    options = []
    for place in sorted(Path("/proc").iterdir()):
        if (
            not place.name.isdigit()
            and not place.is_symlink()
            and (place.is_dir() or place.stat().st_mode & 0o222)
        ):
            options += ["--ro-bind-try", str(place), str(place)]
    return options


def _of_system(folder: Path) -> list[str]:
    """Return the options for one folder of the system; where it is a link, it is the same link inside."""
    if folder.is_symlink():
        return ["--symlink", str(folder.readlink()), str(folder)]
    return ["--ro-bind", str(folder), str(folder)] if folder.is_dir() else []


def _policy(isolation: Isolation) -> dict[str, Any]:
    """Return what is left for the inside: the filter, the limits, and sockets that no file stands for."""
    is_code = isolation.profile == CODE
    scoped = not is_code and policy.landlock_abi() >= policy.SCOPE_ABI
    allowed = seccomp.INSIDE if is_code else seccomp.AGENT if scoped else seccomp.AGENT_WITHOUT_UNIX
    return {
        "network": not is_code,
        "scoped": scoped,
        "filter": (seccomp.for_machine(allowed) or b"").hex(),
        "limits": policy.limits(isolation, has_own_users=True),
        "drop": False,
    }

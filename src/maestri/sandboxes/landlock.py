"""The basic sandbox: Landlock and a filter of system calls, where there is no namespace to be had.

Rule 1: it hides nothing: what may not be read is still there, and its name and size can be seen.
Rule 2: without a network no address can be reached, not even the command's own; pipes and pairs are left.
Rule 3: who asks for a strong sandbox never gets this one (`minimum: basic` asks for no more).
"""

from __future__ import annotations

import os
from typing import Any, Final

from maestri.errors import PlaceRefused
from maestri.kernel.isolation import BASIC, CODE, Isolation
from maestri.sandboxes import policy, seccomp
from maestri.sandboxes.policy import Launch
from maestri.sandboxes.sight import SETTINGS, SYSTEM, Sight

NAME: Final = "landlock"
LEAST_ABI: Final = 3
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts")
_FACTS: Final = ("cpuinfo", "meminfo", "stat", "loadavg", "filesystems", "version", "uptime", "sys")
_OUTER: Final = """\
while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done
shift
exec "$@"
"""


class Landlock:
    """Starts commands that have shut themselves in."""

    name: Final = NAME
    level: Final = BASIC

    def missing(self) -> str:
        """Return why it cannot even be tried, or an empty text."""
        abi = policy.landlock_abi()
        if abi < LEAST_ABI:
            have = f"has version {abi} of it" if abi else "has none, or has it switched off"
            return f"Landlock needs Linux 6.2 or newer; this kernel {have}"
        if seccomp.for_machine(seccomp.NO_NETWORK) is None:
            return "no filter of system calls is known for this kind of machine"
        return ""

    def weaker(self, isolation: Isolation) -> tuple[str, ...]:
        """Return what it does not hold back, in words for people."""
        found = ["names, sizes and dates of files elsewhere can be seen"]
        whose = (
            "of all files, since this is root," if os.geteuid() == 0 else "of the user's own files elsewhere"
        )
        found.append(f"modes {whose} can be changed")
        found.append("`.git` in the folder of the step can be written to")
        if policy.landlock_abi() < policy.SCOPE_ABI:
            found.append("signals can be sent to other processes of the user")
        if isolation.profile != CODE:
            found.append("the network is the machine's own, with what listens on its loopback")
        return tuple(found)

    def argv(self, isolation: Isolation, seen: Sight, launch: Launch) -> list[str]:
        """Return what is started, up to the command itself.

        Raises:
            PlaceRefused: The state of Maestri lies in the folder that the command may write to.
        """
        if seen.hidden:
            message = f"the folder of the step holds the state of Maestri, `{seen.hidden[0]}`"
            cause = "the sandbox that works here, Landlock, cannot hide a part of a folder"
            raise PlaceRefused(message, cause=cause, fix="set MAESTRI_STATE to a folder elsewhere")
        inner = policy.inner(_policy(isolation, seen, launch))
        if not launch.groups:
            return inner
        return ["/bin/sh", "-c", _OUTER, "sandbox", *launch.groups, "--", *inner]

    def temporary(self, launch: Launch) -> str:
        """Return the folder for temporary files, as the command sees it."""
        return str(launch.folder / "tmp")

    def has_begun(self, _launch: Launch) -> bool:
        """Tell of a command that has ended whether it was started at all: `confine.py` says so itself."""
        return True


def _policy(isolation: Isolation, seen: Sight, launch: Launch) -> dict[str, Any]:
    is_code = isolation.profile == CODE
    allowed = seccomp.NO_NETWORK if is_code else seccomp.AGENT_WITHOUT_UNIX
    temporary = launch.folder / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    facts = [f"/proc/{name}" for name in _FACTS]
    cores = "/sys/devices/system/cpu"
    return {
        "read": [*SYSTEM, *SETTINGS, *facts, cores, "/proc/self", *seen.read],
        "write": [*(f"/dev/{name}" for name in _DEVICES), str(temporary), *seen.write],
        "network": not is_code,
        "scoped": True,
        "filter": (seccomp.for_machine(allowed) or b"").hex(),
        "limits": policy.limits(isolation, has_own_users=False),
        "drop": os.geteuid() == 0,
    }

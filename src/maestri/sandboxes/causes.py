"""Why a sandbox does not work here, in words, and what to do about it: read from what the system says.

Rule: the fix that is named is for the cause that was found; where none was, all that can be tried is named.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from maestri.records import NamedTuple

_APPARMOR: Final = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_CLONE: Final = Path("/proc/sys/kernel/unprivileged_userns_clone")
_MOST: Final = Path("/proc/sys/user/max_user_namespaces")
_CONTAINERS: Final = (Path("/.dockerenv"), Path("/run/.containerenv"))
_NAMESPACE: Final = ("new namespace", "user namespace", "uid map", "RTM_NEWADDR", "unshare")
_INSTALLS: Final = {
    "apt-get": "apt-get install bubblewrap",
    "dnf": "dnf install bubblewrap",
    "zypper": "zypper install bubblewrap",
    "pacman": "pacman -S bubblewrap",
    "apk": "apk add bubblewrap",
}
_PROFILE: Final = "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict"


class Cause(NamedTuple):
    """Why it does not work, and what to do about it."""

    words: str
    fix: str


def not_installed() -> Cause:
    """Return what to do where there is no bwrap."""
    if sys.platform != "linux":
        return Cause(
            "there is a sandbox for Linux only", "run this step on Linux, for instance in a container"
        )
    command = next((line for tool, line in _INSTALLS.items() if shutil.which(tool)), "")
    return Cause(
        "bwrap is not installed", f"install it: `{command}`" if command else "install bubblewrap 0.8 or newer"
    )


def of_bwrap(said: str) -> Cause:
    """Return why bwrap has failed, by what it said."""
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    if "nknown option" in said:
        return Cause(f"bwrap is too old ({last})", "install bubblewrap 0.8 or newer")
    if any(word in said for word in _NAMESPACE):
        return Cause(f"bwrap is installed but cannot create a user namespace ({last})", _namespaces())
    if "mount proc" in said or "proc on" in said:
        words = f"bwrap cannot mount a `/proc` of its own ({last})"
        fix = "start the container with `--security-opt systempaths=unconfined`"
        return Cause(words, fix)
    return Cause(f"bwrap has failed: {last}", "see `maestri doctor`")


def _namespaces() -> str:
    if _value(_APPARMOR) == "1":
        # Ubuntu 23.10 and newer.
        name = "/etc/apparmor.d/bwrap-userns-restrict"
        load = f"ln -s {_PROFILE} /etc/apparmor.d/ && apparmor_parser -r {name}"
        first = "" if Path(_PROFILE).exists() else "apt-get install apparmor-profiles && "
        return f"an AppArmor rule forbids it; load the profile bwrap-userns-restrict: `{first}{load}`"
    if _value(_CLONE) == "0":
        return "allow it: `sysctl kernel.unprivileged_userns_clone=1`"
    if _value(_MOST) == "0":
        return "allow some: `sysctl user.max_user_namespaces=15000`"
    if any(place.exists() for place in _CONTAINERS):
        return (
            "start the container with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`"
        )
    return "allow unprivileged user namespaces for bwrap"


def _value(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""

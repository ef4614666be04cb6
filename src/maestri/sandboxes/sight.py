"""What a command in a sandbox sees of the machine: little of the system, its own folder, what was asked for.

Rule 1: nothing is seen that is not named here: no home, no `/var`, no `/run`, no state of Maestri.
Rule 2: a folder that holds the user's home, or everything, is never shown: it would be no sandbox.
Rule 3: of two rules about a place the one about the nearer place holds.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from maestri.errors import PlaceRefused, ProgramHidden
from maestri.kernel.isolation import AGENT, Isolation, Placed
from maestri.records import NamedTuple

SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
# Of certificates the public parts only: what root alone may read, root could read in a sandbox as well.
_SETTINGS: Final = (
    "alternatives", "ca-certificates", "crypto-policies", "group", "hosts", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "passwd", "pki/ca-trust", "pki/tls/cert.pem",
    "pki/tls/certs", "protocols", "services", "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf", "timezone",
)  # fmt: skip
SETTINGS: Final = tuple(f"/etc/{name}" for name in _SETTINGS)
_NETWORK: Final = ("/etc/resolv.conf", "/etc/gai.conf")
SCRIPT: Final = str(Path(__file__).with_name("confine.py"))
PACKAGE: Final = str(Path(__file__).parent.parent)  # with the program that reports from inside
PYTHON: Final = os.path.realpath(getattr(sys, "_base_executable", sys.executable) or sys.executable)


class Sight(NamedTuple):
    """What is seen: to read, to write to, and what is hidden within that.

    `home` is the user's home by the environment of the command.
    """

    read: tuple[str, ...]
    write: tuple[str, ...]
    hidden: tuple[str, ...]
    home: str
    cwd: str


def sight(isolation: Isolation, placed: Placed, private: Path) -> Sight:
    """Return what a command sees.

    Args:
        isolation: What its step asks for.
        placed: The command.
        private: The folder of Maestri itself, which nothing but what is named may be seen of.

    Raises:
        PlaceRefused: A folder cannot be shown.
    """
    home = str(Path.home())
    folder = os.path.realpath(placed.folder)
    _check_folder(folder, home)
    state = os.path.realpath(private)
    read = [*_toolchain(home), *placed.readable, *(_NETWORK if isolation.profile == AGENT else ())]
    read += [_shown(given, "read", home, state) for given in isolation.read]
    write = [folder, *placed.writable]
    write += [_shown(given, "write", home, state) for given in isolation.write]
    read += _repository(Path(folder))
    _check_cwd(placed.cwd, write)
    hidden = [state] if _is_below(state, folder) else []
    return Sight(tuple(read), tuple(write), tuple(hidden), placed.env.get("HOME", home), placed.cwd)


def _toolchain(home: str) -> list[str]:
    """Return where Maestri's own Python is, with what is installed beside it, as far as that is not shown."""
    places = {PYTHON, *(os.path.realpath(one) for one in (sys.base_prefix, sys.prefix))}
    places.add(os.path.realpath(sysconfig.get_path("stdlib")))
    outside = [one for one in places if not any(_is_below(one, system) for system in SYSTEM)]
    return [PACKAGE, *sorted(one for one in outside if not _is_below(home, one))]


def _repository(folder: Path) -> list[str]:
    """Return what of a git repository is only to be read: what is committed is for Maestri to say.

    A worktree leads to the repository that it is of. That way is taken only where the repository leads back:
    a step may have written the one end, and never the other.
    """
    own = folder / ".git"
    if own.is_symlink() or not own.exists():
        return []  # where a link leads to is for nobody to say who may write in the folder
    if own.is_dir():
        return [str(own)]
    try:
        place = Path(own.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
        back = Path((place / "gitdir").read_text(encoding="utf-8").strip())
        common = place / (place / "commondir").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return [str(own)]
    is_meant = back.is_absolute() and os.path.realpath(back) == os.path.realpath(own)
    return [str(own), os.path.realpath(common)] if is_meant else [str(own)]


def _check_folder(folder: str, home: str) -> None:
    if not os.path.isdir(folder):  # noqa: PTH112 - a path that is handed on as text
        return  # whoever starts the command says so
    if _is_below(home, folder):
        what = "the whole file system" if folder == "/" else "your home folder"
        message = f"a sandbox around `{folder}` would show {what}"
        fix = "start the run in the folder of a project, or give the step a `workspace`"
        cause = "the folder that a step works in is open to it"
        raise PlaceRefused(message, cause=cause, fix=fix)
    owner = os.stat(folder).st_uid  # noqa: PTH116 - as above
    if owner != os.geteuid():
        message = f"a sandbox cannot write to `{folder}`: it belongs to another user (uid {owner})"
        cause = "in a sandbox nobody, not even root, has the powers of others"
        raise PlaceRefused(
            message, cause=cause, fix=f"run as that user, or `chown` the folder to uid {os.geteuid()}"
        )


def _check_cwd(cwd: str, write: list[str]) -> None:
    """Refuse a place to start in that is not open to the command: an answer of others may have named it."""
    real = os.path.realpath(cwd)
    if not any(_is_below(real, os.path.realpath(place)) for place in write):
        message = f"a command in a sandbox cannot start in `{cwd}`: it lies outside of what the step works on"
        fix = "start it in the folder of the run or in its workspace, or name the folder under `write`"
        raise PlaceRefused(message, fix=fix)


def _shown(given: str, key: str, home: str, state: str) -> str:
    path = os.path.realpath(os.path.expanduser(given))  # noqa: PTH111 - as above
    if not os.path.lexists(path):
        message, cause = (
            f"`{given}` cannot be shown in a sandbox: it does not exist",
            f"it stands under `{key}`",
        )
        raise PlaceRefused(message, cause=cause, fix=f"create it, or take it out of `{key}`")
    if _is_below(home, path) or _is_below(state, path) or _is_below(path, state):
        message = f"`{given}` cannot be shown in a sandbox: it holds your home folder or the state of Maestri"
        raise PlaceRefused(
            message, cause=f"it stands under `{key}`", fix="name the folders in it that are needed"
        )
    return path


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def check_program(argv0: str, env: Mapping[str, str], seen: Sight) -> None:
    """Refuse a program that is on the machine, but where the sandbox does not show it.

    Raises:
        ProgramHidden: Names the folder to show.
    """
    folders = [seen.cwd] if "/" in argv0 else env.get("PATH", os.defpath).split(os.pathsep)
    found = [os.path.join(folder, argv0) for folder in folders]  # noqa: PTH118 - as above
    present = [one for one in found if os.access(one, os.X_OK) and os.path.isfile(one)]  # noqa: PTH113
    shown = (*SYSTEM, *SETTINGS, *seen.read, *seen.write)
    if not present or any(_is_seen(one, shown) for one in present):
        return
    real = os.path.realpath(present[0])
    message = f"`{argv0}` is at {present[0]}, which the sandbox does not show"
    fix = f"show where it is installed: `sandbox: {{profile: …, read: [{os.path.dirname(real)}]}}`"  # noqa: PTH120
    raise ProgramHidden(message, cause="a sandbox shows the system, and no home", fix=fix)


def _is_seen(path: str, shown: tuple[str, ...]) -> bool:
    return all(any(_is_below(one, place) for place in shown) for one in (path, os.path.realpath(path)))

"""What the canary tries from inside a sandbox: each probe is something that must not come through.

A stand-alone script, run as `python -I -S -c TEXT OUTSIDE` in the sandbox that is to be proved; it imports
nothing of Maestri. OUTSIDE is a JSON object that says what there is to be reached: `outside` (a folder),
`decoy` (a file with a secret), `tcp` and `udp` (ports), `abstract` and `file` (unix sockets), `pid` (of a
process), `pids` (its namespace), `names` (the variables that were given), and `probes` (which to try). It
prints a JSON object: each probe with an empty text where it was blocked, else with how it came through.

Rule: who is not sure says that it came through.
"""

from __future__ import annotations

# Importing pathlib would double the time to start.
# ruff: noqa: PTH108, PTH115, PTH123
import ctypes
import json
import os
import platform
import socket
import subprocess  # nosec B404 - what works in a sandbox is proved as well
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER = 0x10000000
KEYCTL = {"x86_64": 250, "aarch64": 219}
WAIT_S = 0.3
Outside: TypeAlias = "dict[str, Any]"


def _cut(place: str) -> None:
    os.truncate(place, 0)


def write_outside(there: Outside) -> str:
    """Try to write where only others may."""
    for place in (
        there["outside"] + "/written",
        "/usr/maestri-canary",
        "/etc/maestri-canary",
        "/maestri-canary",
    ):
        try:
            with open(place, "w", encoding="ascii") as file:
                file.write("x")
        except OSError:
            continue
        return f"wrote {place}"
    for change in (_cut, os.unlink):
        try:
            change(there["decoy"])
        except OSError:
            continue
        return f"changed {there['decoy']}"
    return ""


def kernel_settings(_there: Outside) -> str:
    """Try to open what changes the kernel; nothing is written."""
    for place in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger"):
        try:
            os.close(os.open(place, os.O_WRONLY))
        except OSError:
            continue
        return f"may write to {place}"
    return ""


def read_outside(there: Outside) -> str:
    """Try to read a secret, or to list the folder that it is in."""
    try:
        with open(there["decoy"], encoding="ascii") as file:
            return f"read {file.read()[:20]!r}"
    except OSError:
        pass
    try:
        return f"listed {os.listdir(there['outside'])}"  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return ""


def _reached(family: int, kind: int, address: Any) -> str:
    try:
        with socket.socket(family, kind) as out:
            out.settimeout(WAIT_S)
            out.connect(address)
            out.send(b"x")
    except OSError:
        return ""
    return f"reached {address!r}"


def tcp(there: Outside) -> str:
    """Try to connect to a port of the machine."""
    return _reached(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", there["tcp"]))


def udp(there: Outside) -> str:
    """Try to send a datagram to the machine; whether it has arrived is for the outside to say."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(b"x", ("127.0.0.1", there["udp"]))
    except OSError:
        return ""
    return ""


def abstract_socket(there: Outside) -> str:
    """Try to reach a unix socket that is no file."""
    return _reached(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + there["abstract"])


def file_socket(there: Outside) -> str:
    """Try to reach a unix socket that is a file, like that of a container engine."""
    return _reached(socket.AF_UNIX, socket.SOCK_STREAM, there["file"])


def _is_apart(there: Outside) -> bool:
    """Tell whether process ids mean other processes here than outside."""
    try:
        return bool(os.readlink("/proc/self/ns/pid") != there["pids"])
    except OSError:
        return False


def signals(there: Outside) -> str:
    """Try to send a signal to a process outside."""
    if _is_apart(there):
        return ""
    try:
        os.kill(there["pid"], 0)
    except OSError:
        return ""
    return f"may send signals to process {there['pid']}"


def processes(there: Outside) -> str:
    """Try to look at a process outside, and at the secrets in its environment."""
    if _is_apart(there):
        return ""
    for name in ("environ", "cmdline", "stat"):
        try:
            with open(f"/proc/{there['pid']}/{name}", "rb") as file:
                file.read(1)
        except OSError:
            continue
        return f"read /proc/{there['pid']}/{name}"
    return ""


def variables(there: Outside) -> str:
    """Look for variables that were not given."""
    more = sorted(set(os.environ) - set(there["names"]) - {"PWD", "SHLVL", "_", "LC_CTYPE"})
    return f"has {', '.join(more)}" if more else ""


def user_namespace(_there: Outside) -> str:
    """Try to become root of a namespace, from where much more of the kernel can be reached."""
    child = os.fork()
    if child == 0:
        os._exit(1 if LIBC.unshare(NEW_USER) == 0 else 0)
    return "made a user namespace" if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) else ""


def kernel_calls(_there: Outside) -> str:
    """Try a system call that only the filter refuses: the keys of a session."""
    number = KEYCTL.get(platform.machine())
    if number is None:
        return "the calls of this machine are not known"
    return "may use keyctl" if LIBC.syscall(number, 0, -3, 1) >= 0 or ctypes.get_errno() != 1 else ""


def set_id(_there: Outside) -> str:
    """Try to leave a program behind that runs as its owner."""
    with open("program", "w", encoding="ascii") as file:
        file.write("x")
    try:
        os.chmod("program", 0o4755)  # noqa: PTH101, S103 - a try
    except OSError:
        return ""
    finally:
        os.unlink("program")
    return "made a file that runs as its owner"


def works(_there: Outside) -> str:
    """See that what a command needs is there: files, a folder for temporary ones, other programs, itself."""
    try:
        for folder in (".", os.environ["TMPDIR"]):
            place = os.path.join(folder, "canary")  # noqa: PTH118 - as above
            with open(place, "w", encoding="ascii") as file:
                file.write("x")
            os.unlink(place)
        with open("/dev/null", "w", encoding="ascii") as file:
            file.write("x")
        subprocess.run(["/bin/sh", "-c", "exit 0"], check=True)  # nosec B603 - a fixed command
        left, right = socket.socketpair()
        left.close()
        right.close()
    except (OSError, subprocess.SubprocessError) as error:
        return f"it cannot work there: {error}"
    return ""


PROBES: dict[str, Callable[[Outside], str]] = {
    "write outside": write_outside,
    "kernel settings": kernel_settings,
    "read outside": read_outside,
    "tcp": tcp,
    "udp": udp,
    "abstract socket": abstract_socket,
    "file socket": file_socket,
    "signals": signals,
    "processes": processes,
    "variables": variables,
    "user namespace": user_namespace,
    "kernel calls": kernel_calls,
    "set-id files": set_id,
    "works": works,
}


def main() -> None:
    """Try each probe and print what came through."""
    there: Outside = json.loads(sys.argv[1])
    found = {}
    for name in there["probes"]:
        try:
            found[name] = PROBES[name](there)
        except Exception as error:  # noqa: BLE001 - who is not sure says that it came through
            found[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))  # noqa: T201 - that is how it answers


if __name__ == "__main__":
    main()

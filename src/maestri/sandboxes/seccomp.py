"""The filters of system calls: what no command in a sandbox may ask of the kernel.

Rule 1: a call is refused with an error, never by killing: programs look whether something can be done.
Rule 2: what cannot be judged by its numbers is not there at all (`clone3`, `openat2`, `io_uring`): programs
    fall back to what can be.
Rule 3: an unknown machine has no filter; `for_machine` says so, and whoever needs one does not work there.
"""

from __future__ import annotations

import errno
import platform
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from maestri.records import NamedTuple

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in `seccomp_data`; an argument has eight bytes
_NAMESPACES: Final = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_SET_ID: Final = 0o6000
_CREATE: Final = 0o100
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # put words into a terminal as if they had been typed
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_DATAGRAM: Final = 2
_SOCKET_KIND: Final = 0xF
_X32: Final = 0x40000000  # calls of another kind of program, with numbers of their own

# Numbers from 424 on are the same on all machines.
_NEW: Final = {
    "pidfd_getfd": 438, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "clone3": 435, "openat2": 437, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "fchmodat2": 452, "open_tree_attr": 467,
}  # fmt: skip
_NUMBERS: Final[Mapping[str, Mapping[str, int]]] = {
    "x86_64": {
        "ptrace": 101, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "swapon": 167,
        "swapoff": 168, "reboot": 169, "init_module": 175, "delete_module": 176, "quotactl": 179, "acct": 163,
        "settimeofday": 164, "iopl": 172, "ioperm": 173, "add_key": 248, "request_key": 249, "keyctl": 250,
        "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313,
        "kexec_load": 246, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "syslog": 103, "clone": 56,
        "ioctl": 16, "socket": 41, "socketpair": 53, "connect": 42, "clock_settime": 227, "chmod": 90,
        "fchmod": 91, "fchmodat": 268, "open": 2, "creat": 85, "openat": 257, "mknod": 133, "mknodat": 259,
        **_NEW,
    },
    "aarch64": {
        "ptrace": 117, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "swapon": 224,
        "swapoff": 225, "reboot": 142, "init_module": 105, "delete_module": 106, "quotactl": 60, "acct": 89,
        "settimeofday": 170, "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97,
        "perf_event_open": 241, "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268,
        "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273,
        "kexec_load": 104, "kexec_file_load": 294, "bpf": 280, "userfaultfd": 282, "syslog": 116,
        "clone": 220, "ioctl": 29, "socket": 198, "socketpair": 199, "connect": 203, "clock_settime": 112,
        "fchmod": 52, "fchmodat": 53, "openat": 56, "mknodat": 33, **_NEW,
    },
}  # fmt: skip
_MACHINES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_NEVER: Final = (
    "ptrace", "swapon", "swapoff", "reboot", "init_module", "delete_module", "quotactl", "acct",
    "settimeofday", "iopl", "ioperm", "add_key", "request_key", "keyctl", "perf_event_open",
    "open_by_handle_at", "clock_adjtime", "process_vm_readv", "process_vm_writev", "kcmp", "finit_module",
    "kexec_load", "kexec_file_load", "bpf", "userfaultfd", "syslog", "clock_settime", "quotactl_fd",
    "process_madvise", "pidfd_getfd",
)  # fmt: skip
_NO_SUCH: Final = ("io_uring_setup", "io_uring_enter", "io_uring_register", "openat2")
# What a sandbox within the sandbox is made of.
_NESTING: Final = (
    "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_tree", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "open_tree_attr",
)  # fmt: skip
# Where the mode of a file stands among the arguments; the second is where the flags do, if they matter.
_MODES: Final = {
    "chmod": (1, None), "fchmod": (1, None), "fchmodat": (2, None), "fchmodat2": (2, None),
    "creat": (1, None), "mknod": (1, None), "mknodat": (2, None), "open": (2, 1), "openat": (3, 2),
}  # fmt: skip


class Allowed(NamedTuple):
    """What a filter lets through of what not everybody may do.

    `nesting`: make namespaces. `families`: kinds of sockets. `streams_only`: of unix sockets only streams,
    which cannot be sent to a name. Without `connects` no socket is connected.
    """

    nesting: bool = False
    families: tuple[int, ...] = (_UNIX, _INET, _INET6, _NETLINK)
    connects: bool = True
    streams_only: bool = False


INSIDE: Final = Allowed()  # a network of its own stands around it
AGENT: Final = Allowed(nesting=True)
AGENT_WITHOUT_UNIX: Final = Allowed(nesting=True, families=(_INET, _INET6, _NETLINK))
NO_NETWORK: Final = Allowed(families=(_UNIX,), connects=False, streams_only=True)


def for_machine(allowed: Allowed, machine: str | None = None) -> bytes | None:
    """Return a filter as the kernel takes it, None where this machine's calls are not known.

    Args:
        allowed: What it lets through.
        machine: `x86_64` or `aarch64`; this one without it.
    """
    machine = machine or platform.machine()
    if machine not in _MACHINES or (sys.maxsize >> 32) == 0:
        return None
    lines = _lines(_MACHINES[machine], _NUMBERS[machine], allowed)
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


Line = tuple[int, int, int, int]


def _lines(architecture: int, numbers: Mapping[str, int], allowed: Allowed) -> Iterator[Line]:
    """Yield the instructions; each check is complete in itself, so that no jump is longer than a few."""
    yield _LOAD, 0, 0, _MACHINE
    yield _EQUAL, 1, 0, architecture
    yield _RETURN, 0, 0, _ERRNO | errno.ENOSYS
    yield _LOAD, 0, 0, _NUMBER
    yield from _refused(_AT_LEAST, _X32, errno.ENOSYS)
    for name in (*_NEVER, *(() if allowed.nesting else _NESTING)):
        yield from _refused(_EQUAL, numbers.get(name), errno.EPERM)
    for name in (*_NO_SUCH, *(() if allowed.nesting else ("clone3",))):
        yield from _refused(_EQUAL, numbers.get(name), errno.ENOSYS)
    if not allowed.connects:
        yield from _refused(_EQUAL, numbers["connect"], errno.EPERM)
    if not allowed.nesting:
        yield from _judged(numbers["clone"], [*_argument(0), *_refused(_ANY_BIT, _NAMESPACES, errno.EPERM)])
    words = [line for word in (_TIOCSTI, _TIOCLINUX) for line in _refused(_EQUAL, word, errno.EPERM)]
    yield from _judged(numbers["ioctl"], [*_argument(1), *words])
    for name, (mode, flags) in _MODES.items():
        if name in numbers:
            yield from _judged(numbers[name], _mode(mode, flags))
    yield from _judged(numbers["socket"], _socket(allowed))
    if allowed.streams_only:
        yield from _judged(numbers["socketpair"], _no_datagrams())
    yield _RETURN, 0, 0, _ALLOW


def _refused(test: int, value: int | None, error: int) -> Iterator[Line]:
    """Yield: where the test holds, refuse; else go on."""
    if value is not None:
        yield test, 0, 1, value
        yield _RETURN, 0, 0, _ERRNO | error


def _argument(place: int) -> Iterator[Line]:
    yield _LOAD, 0, 0, _FIRST_ARGUMENT + 8 * place  # its lower half; these machines are little-endian


def _judged(number: int, checks: Iterable[Line]) -> Iterator[Line]:
    """Yield: where the call has this number, do the checks and allow what passes; else go on."""
    body = [*checks, (_RETURN, 0, 0, _ALLOW)]
    yield _EQUAL, 0, len(body), number
    yield from body


def _mode(mode: int, flags: int | None) -> Iterator[Line]:
    """Yield: nothing gets the bits by which a program runs as its owner, which would outlive the sandbox."""
    if flags is not None:
        yield from _argument(flags)
        yield _ANY_BIT, 1, 0, _CREATE
        yield _RETURN, 0, 0, _ALLOW
    yield from _argument(mode)
    yield from _refused(_ANY_BIT, _SET_ID, errno.EPERM)


def _socket(allowed: Allowed) -> Iterator[Line]:
    known = len(allowed.families)
    yield from _argument(0)
    for place, family in enumerate(allowed.families):
        yield _EQUAL, known - place, 0, family
    yield _RETURN, 0, 0, _ERRNO | errno.EAFNOSUPPORT
    if allowed.streams_only:
        yield from _no_datagrams()


def _no_datagrams() -> Iterator[Line]:
    """Yield: no datagrams, which are sent to a name without a connection."""
    yield from _argument(1)
    yield _AND, 0, 0, _SOCKET_KIND
    yield from _refused(_EQUAL, _DATAGRAM, errno.EPERM)

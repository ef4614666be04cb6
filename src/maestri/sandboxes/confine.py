"""The last program before a command in its sandbox: takes its powers away and becomes the command.

A stand-alone script, run as `python -I -S confine.py POLICY PROGRAM ARGUMENT…`; it imports nothing of
Maestri, so that it starts fast and needs nothing of it to be visible. POLICY is a mapping, marshalled and in
hexadecimal:

    read, write    the files and folders that may be read, or written to as well; absent: all that is visible
    network        whether connections over TCP are left to it
    scoped         whether it is kept from the signals and the abstract sockets of others
    filter         the filter of system calls, in hexadecimal
    limits         what of `resource` is limited, by name: `{"RLIMIT_CPU": 10}`
    drop           whether to drop the powers of root

What is imported here is what a start takes: `json`, `ctypes` and `signal` alone would double that. So their C
halves do it, with plain numbers.

The environment of the command comes in variables `H0`, `H1`, … as `NAME=VALUE`: nothing of it must act upon
the programs that stand before this one. It ends with 125 where the sandbox cannot be made, and with 127 where
the program is not there; a command that is started takes its place.
"""

from __future__ import annotations

# Importing pathlib would cost as much again.
# ruff: noqa: PTH118
import _ctypes
import _signal as signal  # type: ignore[import-not-found]
import marshal  # nosec B302 - written by the one who starts this, for this interpreter
import os
import resource
import sys

BROKEN, MISSING = 125, 127
SAID = "maestri-confine: "
CREATE, ADD, RESTRICT = 444, 445, 446  # the calls of Landlock, the same on all machines
NO_NEW_PRIVILEGES, SECCOMP, BOUNDING_DROP = 38, 22, 24
CAPABILITIES = 0x20080522  # the version of what `capset` takes
LEAST_ABI = 3  # before it a file could be cut off that may not be written to
NET_ABI, SCOPE_ABI = 4, 6
READ = 0b1101  # execute, read a file, list a folder
ALL = 0x7FFF  # all that ABI 3 knows: also write, make, remove, rename, truncate
OF_FILES = 0x4007  # what of it is meant for what is no folder
DIRECTORY = 0o040000
HELD = "H"


class Word(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 - so it is called there
    """A number as wide as an address."""

    _type_ = "l"


class Byte(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 - as above
    """One byte."""

    _type_ = "B"


class Function(_ctypes.CFuncPtr):
    """A function of the C library."""

    _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO


def function(name: str) -> Function:
    """Return a function of the C library by its name."""
    return Function(_ctypes.dlsym(_ctypes.dlopen(None, os.RTLD_NOW), name))  # type: ignore[arg-type]


def done(found: int) -> int:
    """Return what a function has returned.

    Raises:
        OSError: It was refused.
    """
    if found < 0:
        code = _ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return found


SYSCALL, PRCTL, CAPSET = function("syscall"), function("prctl"), function("capset")


def number(value: int, size: int) -> bytes:
    """Return a number as it lies in memory."""
    return value.to_bytes(size, sys.byteorder)


def landlock(policy: dict) -> None:  # type: ignore[type-arg]
    """Keep this process, and all that it becomes and starts, to the files that it is shown.

    Raises:
        OSError: The kernel has no Landlock, or one that is too old.
    """
    abi = done(SYSCALL(Word(CREATE), None, Word(0), Word(1)))
    has_files = "read" in policy
    if abi < LEAST_ABI and has_files:
        raise OSError(0, f"this kernel has ABI {abi} of Landlock, and {LEAST_ABI} is needed")
    files = ALL if has_files else 0
    network = 3 if abi >= NET_ABI and not policy["network"] else 0
    scoped = 3 if abi >= SCOPE_ABI and policy["scoped"] else 0
    if not files | network | scoped:
        return
    size = 24 if abi >= SCOPE_ABI else 16 if abi >= NET_ABI else 8
    wanted = b"".join(number(one, 8) for one in (files, network, scoped))[:size]
    ruleset = done(SYSCALL(Word(CREATE), wanted, Word(size), Word(0)))
    for path in policy.get("read", ()):
        allow(ruleset, path, READ)
    for path in policy.get("write", ()):
        allow(ruleset, path, ALL)
    done(SYSCALL(Word(RESTRICT), Word(ruleset), Word(0)))
    os.close(ruleset)


def allow(ruleset: int, path: str, rights: int) -> None:
    """Allow what is below a path; what is not there needs no rule."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    if os.fstat(place).st_mode & 0o170000 != DIRECTORY:
        rights &= OF_FILES
    done(SYSCALL(Word(ADD), Word(ruleset), Word(1), number(rights, 8) + number(place, 4), Word(0)))
    os.close(place)


def drop_powers() -> None:
    """Leave root nothing but the ownership of files.

    Raises:
        OSError: It was refused.
    """
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:  # noqa: PTH123
        last = int(file.read())
    for power in range(last + 1):
        done(PRCTL(BOUNDING_DROP, Word(power), Word(0), Word(0), Word(0)))
    done(CAPSET(number(CAPABILITIES, 4) + bytes(4), bytes(24)))


def filter_calls(lines: bytes) -> None:
    """Refuse some system calls from now on.

    Raises:
        OSError: It was refused.
    """
    kind = type("Lines", (_ctypes.Array,), {"_length_": len(lines), "_type_": Byte})
    held = kind.from_buffer_copy(lines)  # type: ignore[attr-defined]
    program = number(len(lines) // 8, 8) + number(_ctypes.addressof(held), 8)
    done(PRCTL(SECCOMP, Word(2), program, Word(0), Word(0)))


def limit(limits: dict) -> None:  # type: ignore[type-arg]
    """Limit what each process may use; what is lower already stays."""
    for name, wanted in {**limits, "RLIMIT_CORE": 0}.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # The second that a processor's time has more is for those who clean up after its signal.
        above = value + 1 if name == "RLIMIT_CPU" and value != hard else value
        resource.setrlimit(kind, (value, above))


def environment() -> dict[str, str]:
    """Return the environment of the command."""
    pairs = (
        os.environ[f"{HELD}{n}"].partition("=") for n in range(len(os.environ)) if f"{HELD}{n}" in os.environ
    )
    return {name: value for name, _, value in pairs}


def become(argv: list[str], env: dict[str, str]) -> None:
    """Become the command; returns only where it is not there."""
    name = argv[0]
    folders = [""] if "/" in name else env.get("PATH", os.defpath).split(os.pathsep)
    for folder in folders:
        try:
            os.execve(os.path.join(folder, name), argv, env)  # noqa: S606 - no shell is what is wanted
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue


def main() -> int:
    """Confine this process and become the command; returns why that did not happen."""
    policy = marshal.loads(bytes.fromhex(sys.argv[1]))  # nosec B302 # noqa: S302 - of whoever starts this
    argv = sys.argv[2:]
    env = environment()
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the programs before this one do not listen to it
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        if policy["drop"]:
            drop_powers()
        limit(policy["limits"])
        done(PRCTL(NO_NEW_PRIVILEGES, Word(1), Word(0), Word(0), Word(0)))
        if "read" in policy or policy["scoped"]:
            landlock(policy)
        if policy["filter"]:
            filter_calls(bytes.fromhex(policy["filter"]))
    except OSError as error:
        sys.stderr.write(f"{SAID}{error}\n")
        return BROKEN
    try:
        become(argv, env)
    except OSError as error:
        sys.stderr.write(f"{SAID}{argv[0]}: {error.strerror}\n")
        return 126
    sys.stderr.write(f"{argv[0]}: not found in what the sandbox shows\n")
    return MISSING


if __name__ == "__main__":
    sys.exit(main())

"""The filters, run by an interpreter of a few lines: what they say to a call, on each kind of machine."""

from __future__ import annotations

import errno
import struct

import pytest

from maestri.sandboxes import seccomp
from maestri.sandboxes.seccomp import AGENT, AGENT_WITHOUT_UNIX, INSIDE, NO_NETWORK, Allowed

OK = 0
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
UNIX, INET, INET6, VSOCK = 1, 2, 10, 40
STREAM, DATAGRAM = 1, 2
NEW_USER = 0x10000000


def judge(allowed: Allowed, machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """Return the error that a call gets, 0 for none."""
    program = seccomp.for_machine(allowed, machine)
    assert program is not None
    data = struct.pack(
        "<iIQ6Q", number, arch or ARCH[machine], 0, *(*arguments, *(0,) * (6 - len(arguments)))
    )
    accumulator, at = 0, 0
    lines = list(struct.iter_unpack("<HBBI", program))
    while True:
        code, yes, no, value = lines[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x54:
            accumulator &= value
        elif code == 0x06:
            return value & 0xFFFF if value >> 16 == 5 else OK
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}
            at += yes if holds[code] else no


def number(machine: str, name: str) -> int:
    return seccomp._NUMBERS[machine][name]


machines = pytest.mark.parametrize("machine", list(ARCH))


@machines
@pytest.mark.parametrize("name", ["ptrace", "bpf", "keyctl", "userfaultfd", "perf_event_open", "kexec_load"])
@pytest.mark.parametrize("allowed", [INSIDE, AGENT, NO_NETWORK])
def test_some_calls_are_for_nobody(machine: str, name: str, allowed: Allowed) -> None:
    assert judge(allowed, machine, number(machine, name)) == errno.EPERM


@machines
def test_what_cannot_be_judged_is_not_there(machine: str) -> None:
    names = ("io_uring_setup", "openat2", "clone3")
    assert [judge(INSIDE, machine, number(machine, name)) for name in names] == [errno.ENOSYS] * 3
    assert judge(AGENT, machine, number(machine, "clone3")) == OK


@machines
def test_namespaces_are_for_the_programs_of_vendors(machine: str) -> None:
    clone, unshare = number(machine, "clone"), number(machine, "unshare")
    assert judge(INSIDE, machine, clone, NEW_USER | 17) == errno.EPERM
    assert judge(INSIDE, machine, clone, 17) == OK
    assert (judge(INSIDE, machine, unshare), judge(AGENT, machine, unshare)) == (errno.EPERM, OK)
    assert judge(AGENT, machine, clone, NEW_USER) == OK


@machines
def test_kinds_of_sockets(machine: str) -> None:
    def kinds(allowed: Allowed) -> list[int]:
        families = (UNIX, INET, INET6, VSOCK)
        return [judge(allowed, machine, number(machine, "socket"), one, STREAM) for one in families]

    no = errno.EAFNOSUPPORT
    assert kinds(INSIDE) == kinds(AGENT) == [OK, OK, OK, no]
    assert kinds(AGENT_WITHOUT_UNIX) == [no, OK, OK, no]
    assert kinds(NO_NETWORK) == [OK, no, no, no]


@machines
def test_without_a_network_nothing_is_connected_or_sent_to_a_name(machine: str) -> None:
    socket, pair = number(machine, "socket"), number(machine, "socketpair")
    flagged = DATAGRAM | 0o2000000  # with SOCK_CLOEXEC
    assert judge(NO_NETWORK, machine, number(machine, "connect")) == errno.EPERM
    assert [judge(NO_NETWORK, machine, one, UNIX, flagged) for one in (socket, pair)] == [errno.EPERM] * 2
    assert judge(NO_NETWORK, machine, pair, UNIX, STREAM) == OK


@machines
@pytest.mark.parametrize("mode", [0o4755, 0o2755])
def test_no_file_gets_the_bits_by_which_it_runs_as_its_owner(machine: str, mode: int) -> None:
    chmod, opened = number(machine, "fchmodat"), number(machine, "openat")
    assert judge(INSIDE, machine, chmod, 0, 0, mode) == errno.EPERM
    assert judge(INSIDE, machine, chmod, 0, 0, 0o755) == OK
    assert judge(INSIDE, machine, opened, 0, 0, 0o101, mode) == errno.EPERM
    assert judge(INSIDE, machine, opened, 0, 0, 0o1, mode) == OK  # nothing is created: the mode means nothing


@machines
def test_no_words_are_put_into_a_terminal(machine: str) -> None:
    asked = [judge(INSIDE, machine, number(machine, "ioctl"), 0, one) for one in (0x5412, 0x541C, 0x5413)]
    assert asked == [errno.EPERM, errno.EPERM, OK]


@machines
def test_calls_of_another_kind_of_program_are_not_there(machine: str) -> None:
    assert judge(INSIDE, machine, 1, arch=0x40000003) == errno.ENOSYS
    assert judge(INSIDE, machine, 0x40000001) == errno.ENOSYS


def test_a_machine_whose_calls_are_not_known_has_no_filter() -> None:
    assert seccomp.for_machine(INSIDE, "riscv64") is None


@machines
def test_a_filter_is_no_longer_than_the_kernel_takes(machine: str) -> None:
    assert len(seccomp.for_machine(NO_NETWORK, machine) or b"") // 8 < 4096

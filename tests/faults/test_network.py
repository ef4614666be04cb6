"""A state directory on a network file system: a real mount of such a type, with nobody behind it but this."""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.conftest import Desk

_INIT, _GETATTR, _FORGET = 26, 3, 2
_NOT_IMPLEMENTED = 38


def attributes() -> bytes:
    """Return what FUSE says of a private folder that is ours: for a second valid, then the numbers."""
    numbers = struct.pack(
        "<QQQQQQIIIIIIIIII", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40700, 2, os.geteuid(), 0, 0, 4096, 0
    )
    return struct.pack("<QII", 1, 0, 0) + numbers


def serve(device: int) -> None:
    """Answer the kernel until the file system is unmounted: there is one empty folder, and nothing else."""
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:
            return
        _, operation, unique = struct.unpack_from("<IIQ", request)
        if operation == _FORGET:
            continue
        body = {_INIT: struct.pack("<IIIIHHI", 7, 12, 0, 0, 0, 0, 4096), _GETATTR: attributes()}.get(
            operation
        )
        error = 0 if body is not None else -_NOT_IMPLEMENTED
        body = body or b""
        os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Path]:
    """Mount an empty folder as `fuse.sshfs`."""
    place = tmp_path / "remote"
    place.mkdir(mode=0o700)
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"FUSE is not to be had here: {error.strerror}")
    options = f"fd={device},rootmode=40000,user_id={os.geteuid()},group_id=0".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"somewhere:", os.fsencode(place), b"fuse.sshfs", 0, options):
        os.close(device)
        pytest.skip(f"a file system cannot be mounted here: {os.strerror(ctypes.get_errno())}")
    server = threading.Thread(target=serve, args=(device,))
    server.start()
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
    server.join()
    os.close(device)


@pytest.mark.parametrize("words", [("run", "flow.yaml"), ("ps",), ("resume", "@last")])
def test_a_network_file_system_is_refused_before_anything_is_written(
    desk: Desk, remote: Path, words: tuple[str, ...]
) -> None:
    desk.state = remote
    desk.write("  a: {run: echo >>log}\n")
    done = desk.maestri(*words)
    message = done.diagnosed("E507")
    assert (done.code, str(remote) in message) == (1, True)
    assert "network file system (fuse.sshfs)" in message
    assert "MAESTRI_STATE" in message
    assert not (desk.folder / "log").exists()

"""What the tests of real processes share: a way to run a command, and a way to find what is left of it."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from maestri.agents.command import Exit
from maestri.agents.process import GROUP, Processes

T = TypeVar("T")


class Bench:
    """Runs commands that carry a marker, by which whatever is left of them is found again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marker = f"MARKER={uuid.uuid4()}"
        self.stdout = bytearray()
        self.stderr = bytearray()

    @property
    def env(self) -> dict[str, str]:
        name, _, value = self.marker.partition("=")
        return {"PATH": os.environ["PATH"], name: value}

    async def run(
        self, processes: Processes, *argv: str, stdin: bytes | None = None, grace_s: float = 2.0
    ) -> Exit:
        return await processes.run(
            argv,
            env=self.env,
            cwd=str(self.folder),
            stdin=stdin,
            on_stdout=self.stdout.extend,
            on_stderr=self.stderr.extend,
            grace_s=grace_s,
        )

    def sh(self, command: str, stdin: bytes | None = None, contained_by: str | None = None) -> Exit:
        async def work(processes: Processes) -> Exit:
            return await self.run(processes, "/bin/sh", "-c", command, stdin=stdin)

        return self.with_processes(work, contained_by)

    def with_processes(self, work: Callable[[Processes], Awaitable[T]], contained_by: str | None = None) -> T:
        async def whole() -> T:
            processes = Processes(contained_by=contained_by)
            try:
                return await work(processes)
            finally:
                await processes.close()

        return asyncio.run(whole())

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds; the limit is for a test that fails."""
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
                await asyncio.sleep(0.01)

    def left(self) -> list[int]:
        """Return the processes that carry the marker."""
        return [int(folder.name) for folder in _processes() if self._is_ours(folder)]

    def programs(self) -> list[bytes]:
        """Return the names of the programs that carry the marker."""
        ours = [folder for folder in _processes() if self._is_ours(folder)]
        return [_read(folder / "cmdline").split(b"\0")[0] for folder in ours]

    def _is_ours(self, folder: Path) -> bool:
        return self.marker.encode() in _read(folder / "environ").split(b"\0")


def _processes() -> list[Path]:
    return list(Path("/proc").glob("[0-9]*"))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process ended meanwhile
        return b""


class Own(NamedTuple):
    """What this test process itself has open and below it."""

    descriptors: int
    children: str

    @classmethod
    def now(cls) -> Own:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
        return cls(len(list(Path("/proc/self/fd").iterdir())), children)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for pid in made.left():  # a test that failed must not leave its processes to the next
        with suppress(ProcessLookupError):
            os.kill(pid, 9)


@pytest.fixture(scope="session")
def new_bench() -> type[Bench]:
    return Bench


@pytest.fixture
def own() -> type[Own]:
    return Own


@pytest.fixture
def group() -> str:
    return GROUP


def _status_kb(field: str) -> int:
    text = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(field + ":"))


@pytest.fixture
def grown_kb() -> Callable[[], int]:
    """Tell by how much the memory of this process has grown at its highest since the test began."""
    Path("/proc/self/clear_refs").write_text("5")  # the kernel's word for: forget the highest
    before = _status_kb("VmRSS")
    return lambda: _status_kb("VmHWM") - before

"""A desk to provoke faults at: a folder, a state directory, and `maestri` as a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.verify import verify
from maestri.engines.statedir import StateDir

LIMIT_S = 60
_MESSAGE = r"^(?P<where>\S.*): error\[{code}\]: (?P<what>.+)$"


class Done(NamedTuple):
    """How a command ended, and all that it said."""

    code: int
    said: str

    def diagnosed(self, code: str) -> str:
        """Return the message of a code; it must have a place and a remedy, and there must be no traceback."""
        assert "Traceback" not in self.said, self.said
        found = re.search(_MESSAGE.format(code=code), self.said, re.MULTILINE)
        assert found is not None, self.said
        message = self.said[found.start() :].split("\n\n")[0]
        assert re.search(r"^  fix: \S", message, re.MULTILINE), message
        return message


class Desk:
    """A folder with definitions, and the processes that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self._started: list[subprocess.Popen[str]] = []

    def write(self, steps: str, name: str = "flow.yaml") -> None:
        """Write a definition with these steps."""
        (self.folder / name).write_text(f"workflow: flow\nsteps:\n{steps}", encoding="utf-8")

    def begin(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start `maestri` with these words, in a process group of its own."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        marks = {"MAESTRI_STATE": str(self.state), "LC_ALL": "C.UTF-8", "MARK": str(self.folder)}
        begun = subprocess.Popen(
            [sys.executable, "-m", "maestri", *words],
            cwd=self.folder,
            env={**kept, **marks, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(begun)
        return begun

    def maestri(self, *words: str, **variables: str) -> Done:
        """Run `maestri` to its end."""
        return ended(self.begin(*words, **variables))

    def events(self, run: str = "@last") -> list[dict[str, Any]]:
        """Return the journal of a run as `maestri events` tells it; nothing in it may be missing."""
        told = self.maestri("events", run, "--jsonl")
        assert told.code == 0, told.said
        found: list[dict[str, Any]] = [json.loads(line) for line in told.said.splitlines()]
        assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
        return found

    def sound(self) -> bool:
        """Tell whether every event of every run agrees with its checksum."""
        catalog = Catalog(StateDir(self.state))
        try:
            return [finding for run in catalog.runs() for finding in verify(catalog, run.id)] == []
        finally:
            catalog.close()

    def kinds(self, run: str = "@last") -> list[str]:
        """Return the kinds of all events of a run with their paths."""
        return [f"{event['kind']} {event.get('path', '')}".strip() for event in self.events(run)]

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds; the limit is for a test that fails."""
        end = time.monotonic() + LIMIT_S
        while not holds():
            assert time.monotonic() < end, "it did not come about in time"
            time.sleep(0.01)

    def until_there(self, name: str) -> None:
        """Wait until a step has made a file."""
        self.until((self.folder / name).exists)

    def left(self) -> list[str]:
        """Return the command lines of what was started here and still runs, Maestri and its steps alike."""
        mark = f"MARK={self.folder}".encode()
        return [line for place, line in _processes() if mark in _read(place / "environ").split(b"\0")]

    def close(self) -> None:
        """Leave no process behind, also when a test has failed."""
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def ended(process: subprocess.Popen[str]) -> Done:
    """Wait for a process."""
    watchdog = threading.Timer(LIMIT_S, process.kill)
    watchdog.start()
    try:
        said = "" if process.stdout is None else process.stdout.read()  # also after some lines were read
        return Done(process.wait(), said)
    finally:
        watchdog.cancel()


def _processes() -> list[tuple[Path, str]]:
    places = list(Path("/proc").glob("[0-9]*"))
    return [
        (place, _read(place / "cmdline").replace(b"\0", b" ").decode(errors="replace")) for place in places
    ]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process ended meanwhile, or is not ours
        return b""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def finish() -> Callable[[subprocess.Popen[str]], Done]:
    return ended


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system in memory of a given size, as often as it is asked for."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)

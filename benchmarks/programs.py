"""Starts what is measured, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from peers import Peer
from prepared import BenchmarkFailed
from stopwatch import BEGUN, Sample

FOLDER: Final = Path(__file__).resolve().parent
MAESTRI: Final = (sys.executable, "-m", "maestri")
BARE_PYTHON: Final = (sys.executable, "-c", "import asyncio")

Take: TypeAlias = Callable[[str, int, Path], Sample]
_PROGRAMS: Final = {"maestri": "ours.py", "floor": "floor.py"}


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of a measured process."""
    return {**os.environ, "MAESTRI_STATE": str(folder / "state"), "NO_COLOR": "1", BEGUN: repr(time.time())}


def ended(command: Sequence[str], folder: Path, code: int = 0) -> tuple[str, float]:
    """Run a command in a folder and return what it printed and how long it took, in seconds.

    Raises:
        BenchmarkFailed: It ended with another exit code.
    """
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=surroundings(folder),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    passed_s = time.perf_counter() - begun
    if done.returncode != code:
        message = f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        raise BenchmarkFailed(message)
    return done.stdout, passed_s


def program(side: str, work: str, n: int, folder: Path) -> list[str]:
    """Return the command that does the work of one side; the side of a peer is `NAME@PYTHON`."""
    name, _, python = side.partition("@")
    if python:
        return Peer(name, python).program(work, n, folder)
    return [sys.executable, str(FOLDER / _PROGRAMS[side]), work, str(n), str(folder)]


def reported(command: Sequence[str], folder: Path) -> Sample:
    """Run a program and return what it reports in its last line."""
    sample: Sample = json.loads(ended(command, folder)[0].splitlines()[-1])
    return sample


def inside(work: str) -> Take:
    """Return how to take what the programs report themselves."""
    return lambda side, n, folder: reported(program(side, work, n, folder), folder)

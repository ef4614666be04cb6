"""Looking at large journals through the command line, each time in a fresh process."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path
from typing import IO, cast

import prepared
from programs import BARE_PYTHON, MAESTRI, ended, surroundings
from stopwatch import Sample

_A_SHORT_ONE = "one-run-5"


def tall(side: str, n: int, folder: Path) -> Sample:
    """Look at a journal of n events in one run."""
    if side == "floor":
        return _bare(folder, "ps_s", "show_s", "step_s")
    folder = prepared.tall(n).folder
    step = ended([*MAESTRI, "show", prepared.TALL, "/fan/b7"], folder)[1]
    return {**_looked(folder, prepared.TALL), "step_s": step}


def spread(side: str, n: int, folder: Path) -> Sample:
    """Look at a journal of n events in a thousand runs."""
    if side == "floor":
        return _bare(folder, "ps_s", "show_s")
    return _looked(prepared.spread(n), _A_SHORT_ONE)


def _bare(folder: Path, *keys: str) -> Sample:
    """Start an interpreter that imports asyncio: a busy machine is slow on both sides."""
    return {key: ended(BARE_PYTHON, folder)[1] for key in keys}


def _looked(folder: Path, run: str) -> Sample:
    return {"ps_s": ended([*MAESTRI, "ps"], folder)[1], "show_s": ended([*MAESTRI, "show", run], folder)[1]}


def follow(side: str, n: int, folder: Path) -> Sample:
    """Follow a run of n events: how long until the first line, and from an event's storing to its line."""
    if side == "floor":
        return _bare(folder, "first_s")
    held = prepared.tall(n)
    first, _ = _followed(held, 0)
    _, line = _followed(held, held.events - 1)
    return {"first_s": first, "line_s": line}


def _followed(held: prepared.Held, after: int) -> tuple[float, float]:
    """Return the time to the first line and, where the end is near, from an append to its line."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [*MAESTRI, "events", prepared.TALL, "--follow", "--after", str(after)],
        cwd=held.folder,
        env=surroundings(held.folder),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = cast("IO[str]", process.stdout)
        lines.readline()
        first = time.perf_counter() - begun
        waited = 0.0
        if after:
            time.sleep(0.1 + random.random() / 10)  # at any moment between two looks
            stored, path = held.append()
            while path not in lines.readline().split():
                pass
            waited = time.time() - stored
        process.kill()
    return first, waited

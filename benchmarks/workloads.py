"""What is measured, in the order of the table: each workload with its size and how to take one sample.

Rule 1: a sample is taken in a fresh process and a fresh folder, of one side at a time.
Rule 2: both sides of a workload do the same visible work; where they do not, the words of the table say so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from stopwatch import BEGUN, Sample

Side: TypeAlias = Literal["maestri", "floor"]
SIDES: tuple[Side, Side] = ("maestri", "floor")
Take: TypeAlias = Callable[[Side, int, Path], Sample]

FOLDER = Path(__file__).resolve().parent
_PROGRAMS = {"maestri": FOLDER / "ours.py", "floor": FOLDER / "floor.py"}
_ONE_STEP = 'workflow: one\nsteps:\n  only: {call: "os:getpid"}\n'
_MAESTRI = (sys.executable, "-m", "maestri")
_PYTHON = (sys.executable, "-c", "import asyncio")


class Shown(NamedTuple):
    """One figure of a workload: the key in its samples, the unit, and the words for it."""

    key: str
    unit: Literal["s", "bytes"]
    words: str


class Workload(NamedTuple):
    """Something that both sides do: `n` units of it, or `quick` units in a smoke run."""

    name: str
    n: int
    quick: int
    take: Take
    shown: tuple[Shown, ...]


class BenchmarkFailed(Exception):
    """A measured process did not do what it had to."""


def ended(command: Sequence[str], folder: Path, code: int = 0) -> tuple[str, float]:
    """Run a command in a folder and return what it printed and how long it took, in seconds.

    Raises:
        BenchmarkFailed: It ended with another exit code.
    """
    environment = {**os.environ, "MAESTRI_STATE": str(folder / "state"), "NO_COLOR": "1"}
    begun, environment[BEGUN] = time.perf_counter(), repr(time.time())
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
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


def _program(side: Side, work: str, n: int, folder: Path) -> list[str]:
    return [sys.executable, str(_PROGRAMS[side]), work, str(n), str(folder)]


def inside(work: str) -> Take:
    """Return how to take what the programs report themselves."""

    def take(side: Side, n: int, folder: Path) -> Sample:
        text, _ = ended(_program(side, work, n, folder), folder)
        sample: Sample = json.loads(text.splitlines()[-1])
        return sample

    return take


def _cold(side: Side, _n: int, folder: Path) -> Sample:
    if side == "floor":
        return {"s": ended(_program(side, "chain", 1, folder), folder)[1]}
    (folder / "one.yaml").write_text(_ONE_STEP, encoding="utf-8")
    return {"s": ended([*_MAESTRI, "run", "one.yaml"], folder)[1]}


def _help(side: Side, _n: int, folder: Path) -> Sample:
    return {"s": ended([*_MAESTRI, "--help"] if side == "maestri" else _PYTHON, folder)[1]}


def _ps(side: Side, n: int, folder: Path) -> Sample:
    """List the runs of a folder in which there is one."""
    if side == "floor":
        return {"s": ended(_PYTHON, folder)[1]}
    _cold(side, n, folder)
    return {"s": ended([*_MAESTRI, "ps"], folder)[1]}


def _recovery(side: Side, n: int, folder: Path) -> Sample:
    """Kill a chain with SIGKILL half way, and go on in a fresh process.

    Raises:
        BenchmarkFailed: A finished step began again, or the wrong one was first.
    """
    ended(_program(side, "crash", n, folder), folder, code=-9)
    sample = inside("resume")(side, n, folder)
    if sample["repeated"] or sample["first_step"] != n // 2:
        message = f"{side}: {sample['repeated']:.0f} finished steps were run again after the crash"
        raise BenchmarkFailed(message)
    return sample


def _timed(name: str, n: int, quick: int, words: str, take: Take | None = None) -> Workload:
    return Workload(name, n, quick, take or inside(name), (Shown("s", "s", words),))


_LOOP = (
    Shown("s", "s", "loop whose 10 kB state does not change, n rounds"),
    Shown("journal_bytes", "bytes", "the same: bytes of the journal"),
)
_AGAIN = (
    Shown("s", "s", "SIGKILL half way of n steps: process start to next step"),
    Shown("call_s", "s", "the same: resume call to next step"),
)

WORKLOADS = (
    _timed("chain", 1_000, 20, "chain of n steps"),
    _timed("chain", 10_000, 40, "chain of n steps"),
    _timed("fan", 1_000, 20, "n branches of one step at once, and an aggregate"),
    _timed("fan", 10_000, 40, "n branches of one step at once, and an aggregate"),
    _timed("scopes", 1_000, 20, "n branches with a sealed scope each, and an aggregate"),
    _timed("scopes", 10_000, 40, "n branches with a sealed scope each, and an aggregate"),
    _timed("runs", 200, 5, "n runs of 5 steps at once"),
    Workload("loop", 1_000, 20, inside("loop"), _LOOP),
    _timed("command", 100, 3, "n commands that do nothing (floor: n bare processes)"),
    _timed("fold", 10_000, 100, "decode and fold n steps (floor: decode only)"),
    Workload("recovery", 1_000, 20, _recovery, _AGAIN),
    _timed("cold", 1, 1, "fresh process: `maestri run` of one step in YAML", _cold),
    _timed("ps", 1, 1, "fresh process: `maestri ps` (floor: `import asyncio`)", _ps),
    _timed("help", 1, 1, "fresh process: `maestri --help` (floor: the same)", _help),
)

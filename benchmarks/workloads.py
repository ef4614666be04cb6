"""What is measured, how one sample of it is taken, and what it is to reach."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import landings
import prepared
import reading
from constructs import USES
from figures import Target, Unit
from prepared import BenchmarkFailed
from programs import BARE_PYTHON, MAESTRI, Take, ended, inside, program
from stopwatch import PAD, Sample

BOTH: Final = ("maestri", "floor")
ALONE: Final = ("maestri",)
_ONE_STEP: Final = 'workflow: one\nsteps:\n  only: {call: "os:getpid"}\n'
_AT_A_GLANCE_S: Final = 0.1


class Shown(NamedTuple):
    """One figure of a workload: the key in its samples, the unit, the words for it, and its target."""

    key: str
    unit: Unit
    words: str
    target: Target | None = None


class Workload(NamedTuple):
    """Something that the sides do: `n` units of it, or `quick` units in a smoke run.

    `profile` is what `where_time_goes.py` is called with to see where its time goes.
    """

    name: str
    n: int
    quick: int
    take: Take
    shown: tuple[Shown, ...]
    sides: tuple[str, ...] = BOTH
    profile: str = ""


def _cold(side: str, _n: int, folder: Path) -> Sample:
    if side == "floor":
        return {"s": ended(program(side, "chain", 1, folder), folder)[1]}
    (folder / "one.yaml").write_text(_ONE_STEP, encoding="utf-8")
    return {"s": ended([*MAESTRI, "run", "one.yaml"], folder)[1]}


def _help(side: str, _n: int, folder: Path) -> Sample:
    return {"s": ended([*MAESTRI, "--help"] if side == "maestri" else BARE_PYTHON, folder)[1]}


def _ps(side: str, n: int, folder: Path) -> Sample:
    """List the runs of a folder in which there is one."""
    if side == "floor":
        return {"s": ended(BARE_PYTHON, folder)[1]}
    _cold(side, n, folder)
    return {"s": ended([*MAESTRI, "ps"], folder)[1]}


def _recovery(side: str, n: int, folder: Path) -> Sample:
    """Kill a chain with SIGKILL half way, and go on in a fresh process."""
    ended(program(side, "crash", n, folder), folder, code=-9)
    return _gone_on(inside("resume")(side, n, folder), n // 2)


def _gone_on(sample: Sample, first: int) -> Sample:
    """Return a sample of a recovery.

    Raises:
        BenchmarkFailed: A finished step began again, or the wrong one was first.
    """
    if sample["repeated"] or sample["first_step"] != first:
        message = f"after the crash {sample['repeated']:.0f} finished steps were run again"
        raise BenchmarkFailed(f"{message}, and the first was {sample['first_step']:.0f} instead of {first}")
    return sample


@lru_cache
def _killed_rounds(n: int) -> Path:
    """Return the folder of a loop that was killed after n rounds."""
    folder = prepared.place("rounds")
    ended(program("maestri", "crash-rounds", n, folder), folder, code=-9)
    return folder


def _rounds(side: str, n: int, folder: Path) -> Sample:
    """Go on with a copy of a loop that was killed after n rounds."""
    shutil.copytree(_killed_rounds(n), folder, dirs_exist_ok=True)
    return _gone_on(inside("resume-rounds")(side, n, folder), n + 1)


def _payload(work: str) -> Take:
    """Return how to take the bytes on disk for each byte that had to be stored."""

    def take(side: str, n: int, folder: Path) -> Sample:
        sample = inside(work)(side, n, folder)
        return {**sample, "per_payload": sample["journal_bytes"] / (n * len(PAD))}

    return take


def _timed(
    name: str, n: int, quick: int, words: str, most: float | None = None, take: Take | None = None
) -> Workload:
    target = None if most is None else Target(most)
    profile = f"{name} {n}" if name in {"chain", "fan", "scopes", "runs"} else ""
    return Workload(name, n, quick, take or inside(name), (Shown("s", "s", words, target),), BOTH, profile)


def _own(most: float) -> Target:
    return Target(most, "own")


_LOOP = (
    Shown("s", "s", "loop whose 10 kB state does not change, n rounds"),
    Shown("journal_bytes", "bytes", "the same: bytes of the journal", _own(350e3)),
)
_CHANGING = "bytes on disk for each of a 10 kB state that changes: "
_AGAIN = (
    Shown("s", "s", "SIGKILL half way of n steps: process start to next step", Target(1.7)),
    Shown("call_s", "s", "the same: resume call to next step", _own(0.006)),
)
_AGAIN_ROUNDS = (
    Shown("s", "s", "SIGKILL after n rounds of a loop: process start to next round"),
    Shown("call_s", "s", "the same: resume call to next round", _own(0.05)),
)
_WAITING = (
    Shown("each_bytes", "bytes", "n runs of a Python function that wait: memory of each", _own(10 * 1024)),
    Shown("wake_s", "s", "the same: signal stored to next step", _own(0.003)),
    Shown("posted_s", "s", "the same: signal sent to next step"),
)
_PARKED = (
    Shown("each_bytes", "bytes", "n parked runs of a YAML definition: memory of each", _own(10 * 1024)),
    Shown("wake_s", "s", "the same: signal stored, resume called, to next step"),
)
_NEIGHBOUR = (
    Shown("s", "s", "chain of n beside one that computes in slices of 4 ms", Target(3)),
    Shown("stretch", "times", "the same: times its time alone and a slice for each step"),
)
_TALL = (
    Shown("ps_s", "s", "n events, most in one run under way: `maestri ps`", _own(_AT_A_GLANCE_S)),
    Shown("show_s", "s", "the same: `maestri show RUN` of 433,000 steps", _own(_AT_A_GLANCE_S)),
    Shown("step_s", "s", "the same: `maestri show RUN PATH` of the seventh step"),
)
_SPREAD = (
    Shown("ps_s", "s", "n events in 1,000 runs: `maestri ps`", _own(_AT_A_GLANCE_S)),
    Shown("show_s", "s", "the same: `maestri show RUN`", _own(_AT_A_GLANCE_S)),
)
_FOLLOW = (
    Shown("first_s", "s", "n events: `maestri events RUN --follow` to first line", _own(_AT_A_GLANCE_S)),
    Shown("line_s", "s", "the same: an event stored to its line", _own(_AT_A_GLANCE_S)),
)
_COMMAND = (Shown("s", "s", "n commands that do nothing (floor: n bare processes)", Target(0.015, "over")),)
_CROWD = (
    Shown("own_bytes", "bytes", "n commands at once: memory without their own", _own(150e6)),
    Shown("keeper_bytes", "bytes", "the same: what a command costs outside of Maestri"),
    Shown("s", "s", "the same: run started to all of them begun"),
    Shown("end_s", "s", "the same: run cancelled to all of them gone"),
)

# A pattern adds at most a fifth to the same steps in `steps` or `parallel`.
_PATTERNS = tuple(
    Shown(name, "times", f"`{name}` against the same steps without it", _own(1.2)) for name in USES
)

WORKLOADS = (
    _timed("chain", 1_000, 20, "chain of n steps", 1.25),
    _timed("chain", 10_000, 40, "chain of n steps", 1.33),
    _timed("fan", 1_000, 20, "n branches of one step at once, and an aggregate", 2.2),
    _timed("fan", 10_000, 40, "n branches of one step at once, and an aggregate", 2.2),
    _timed("scopes", 1_000, 20, "n branches with a sealed scope each, and an aggregate", 3),
    _timed("scopes", 10_000, 40, "n branches with a sealed scope each, and an aggregate", 3),
    _timed("runs", 200, 5, "n runs of 5 steps at once", 5),
    Workload("loop", 1_000, 20, inside("loop"), _LOOP, BOTH, "loop 1000"),
    Workload(
        "random-text",
        1_000,
        20,
        _payload("random-text"),
        (Shown("per_payload", "times", _CHANGING + "random text", _own(1.05)),),
        ALONE,
        "bytes random-text 1000",
    ),
    Workload(
        "words",
        1_000,
        20,
        _payload("words"),
        (Shown("per_payload", "times", _CHANGING + "words", _own(1.05)),),
        ALONE,
        "bytes words 1000",
    ),
    Workload("command", 100, 3, inside("command"), _COMMAND, BOTH, "command 100"),
    Workload("crowd", 300, 5, inside("crowd"), _CROWD, ALONE),
    _timed("worktree", 1_000, 20, "a worktree of n files, ready (floor: `git worktree add`)", 1.3),
    _timed("landing", 20, 3, "n branches landed (floor: their verifications alone)", 1.1, landings.take),
    _timed("fold", 10_000, 100, "decode and fold n steps (floor: decode only)"),
    Workload("patterns", 30, 2, inside("patterns"), _PATTERNS, ALONE),
    Workload("recovery", 1_000, 20, _recovery, _AGAIN, BOTH, "resume 500"),
    Workload("rounds", 100_000, 20, _rounds, _AGAIN_ROUNDS, ALONE, "resume-rounds 10000"),
    Workload("waiting", 10_000, 20, inside("waiting"), _WAITING, ALONE, "waiting 10000"),
    Workload("parked", 10_000, 20, inside("parked"), _PARKED, ALONE, "parked 10000"),
    Workload("neighbour", 100, 3, inside("neighbour"), _NEIGHBOUR, BOTH, "neighbour 100"),
    Workload("tall", 1_000_000, 10_000, reading.tall, _TALL, BOTH, "cli tall show tall-run-1"),
    Workload("follow", 1_000_000, 10_000, reading.follow, _FOLLOW, BOTH, "cli tall events tall-run-1"),
    Workload("spread", 1_000_000, 10_000, reading.spread, _SPREAD, BOTH, "cli spread ps"),
    _timed("cold", 1, 1, "fresh process: `maestri run` of one step in YAML", 1.8, _cold),
    _timed("ps", 1, 1, "fresh process: `maestri ps` (floor: `import asyncio`)", 1.3, _ps),
    _timed("help", 1, 1, "fresh process: `maestri --help` (floor: the same)", 1.3, _help),
)

"""Run the programs that try to break Maestri, as long as one likes, and write one page with every count.

    campaign.py [--scale ci|nightly|N] [--minutes M] [--seed S] [--only NAME ...] [--page FILE]

Each program is a test that CI runs too, told by variables how much to do and with which seed. Large figures
are reached in rounds of the size that CI has, each with a seed of its own, so that any round can be repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from machine import described, lacks
from page import Outcome, Page, written
from tally import VARIABLE, commit
from wanted import compared

ROOT = Path(__file__).resolve().parent.parent
_PASSED = re.compile(r"(\d+) passed")
_SKIPPED = re.compile(r"^SKIPPED \[\d+\] [^:]+(?::\d+)?: (.+)$", re.MULTILINE)


class Program(NamedTuple):
    """A test that can be told how much to do.

    `variable` and `seed` name the environment variables; without a `variable` the test is repeated. `round`
    is the most at a time, `ci` and `nightly` are the figures to reach; `needs` is what the machine must have.
    """

    name: str
    tests: tuple[str, ...]
    unit: str
    variable: str = ""
    seed: str = ""
    round: int = 1
    ci: int = 1
    nightly: int = 1
    needs: tuple[str, ...] = ()


# The figures are those that a release has to show; the order is that of the page.
PROGRAMS = (
    Program(
        "simulation",
        ("tests/simulation/test_simulation.py",),
        "runs crashed and recovered",
        "MAESTRI_SIM_RUNS",
        "MAESTRI_SIM_SEED",
        10_000,
        10_000,
        5_000_000,
    ),
    Program(
        "planted bugs",
        ("tests/simulation/test_mutants.py",),
        "passes over every planted bug",
    ),
    Program(
        "crash at every append",
        ("tests/crash/test_every_append.py", "tests/crash/test_cut_directions.py"),
        "passes over every event",
        "",
        "",
        1,
        1,
        20,
    ),
    Program(
        "I/O faults",
        ("tests/crash/test_io_faults.py",),
        "faults in calls to files",
        "MAESTRI_IO_FAULTS",
        "MAESTRI_IO_SEED",
        200,
        30,
        60_000,
        ("strace",),
    ),
    Program(
        "busy",
        ("tests/crash/test_busy.py",),
        "locks of somebody else",
        "MAESTRI_BUSY_LOCKS",
        "MAESTRI_BUSY_SEED",
        20,
        20,
        2_000,
    ),
    Program(
        "kill -9",
        ("tests/crash/test_kill_loop.py",),
        "kills",
        "MAESTRI_CRASH_ROUNDS",
        "MAESTRI_CRASH_SEED",
        50,
        50,
        5_000,
    ),
    Program(
        "power cut",
        ("tests/crash/test_power_cut.py",),
        "states of a disk",
        "MAESTRI_POWER_STATES",
        "MAESTRI_POWER_SEED",
        1_500,
        1_500,
        50_000,
        ("strace",),
    ),
    Program(
        "lease takeovers",
        ("tests/crash/test_takeovers.py",),
        "takeovers",
        "MAESTRI_TAKEOVERS",
        "MAESTRI_TAKEOVER_SEED",
        90,
        90,
        10_000,
    ),
    Program(
        "broken files",
        ("tests/fuzz/test_fuzz_loader.py",),
        "inputs",
        "MAESTRI_FUZZ_FILES",
        "MAESTRI_FUZZ_SEED",
        100_000,
        100_000,
        10_000_000,
    ),
    Program(
        "broken definitions",
        ("tests/hostile/test_hostile_definitions.py",),
        "inputs",
        "MAESTRI_FUZZ_DEFINITIONS",
        "MAESTRI_FUZZ_SEED",
        1_500,
        1_500,
        150_000,
    ),
    Program(
        "broken expressions",
        ("tests/fuzz/test_fuzz_expressions.py",),
        "inputs",
        "MAESTRI_FUZZ_EXPRESSIONS",
        "MAESTRI_FUZZ_SEED",
        500_000,
        500_000,
        20_000_000,
    ),
    Program(
        "trees that try to get away",
        ("tests/process/test_containment.py", "-k", "nothing_outlives"),
        "times eight trees in six ways",
        "",
        "",
        1,
        20,
        500,
        ("a guardian",),
    ),
    Program(
        "landings",
        ("tests/landing/test_generated.py",),
        "branches landed",
        "MAESTRI_LANDING_BRANCHES",
        "MAESTRI_LANDING_SEED",
        100,
        24,
        2_000,
    ),
    Program(
        "sandbox probes",
        ("tests/sandboxes/test_probes.py", "-k", "every_probe_is_blocked"),
        "passes over every sandbox, profile and user",
        "",
        "",
        1,
        1,
        20,
    ),
    Program(
        "faults",
        ("tests/faults",),
        "passes over every fault",
        "",
        "",
        1,
        1,
        20,
        ("mounts", "FUSE"),
    ),
    Program("old journals", ("tests/replay",), "passes over every version"),
)

# A round may take so much more than its share of the time before it is taken for one that hangs.
_LATE_S = 600.0
# The same in every round of a program; everything else is added up.
_CONSTANT = frozenset({"calls", "sites"})


def figure(program: Program, scale: str) -> int:
    """Return how much of a program a scale asks for.

    Raises:
        ValueError: The scale is neither a word nor a number above 0.
    """
    named = {"ci": program.ci, "nightly": program.nightly}
    if scale in named:
        return named[scale]
    times = float(scale)
    if times <= 0:
        message = f"{scale} is not above 0"
        raise ValueError(message)
    return max(1, round(program.ci * times))


class Round(NamedTuple):
    """How one round ended: what was counted, what was skipped and why, and all that was said."""

    passed: bool
    counts: list[dict[str, float | str]]
    tests: int
    skipped: list[str]
    said: str


def environment(program: Program, size: int, seed: int) -> dict[str, str]:
    """Return the variables that make a test do so much with this seed."""
    found = {program.variable: str(size), program.seed: str(seed)}
    return {name: value for name, value in found.items() if name}


def carried_out(program: Program, variables: dict[str, str], limit_s: float) -> Round:
    """Run a test once; a test that takes longer than its limit has failed."""
    command = [sys.executable, "-m", "pytest", "-s", "-rs", "-p", "no:cacheprovider", *program.tests]
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts"
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **variables, VARIABLE: str(counts)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            said += f"\nstopped after {limit_s:.0f} s\n"
        lines = counts.read_text(encoding="utf-8").splitlines() if counts.exists() else []
    passed = _PASSED.search(said)
    skipped = sorted(set(_SKIPPED.findall(said)))
    return Round(
        process.returncode == 0,
        [json.loads(line) for line in lines],
        int(passed[1]) if passed else 0,
        skipped,
        said,
    )


Perform = Callable[[Program, dict[str, str], float], Round]


def conducted(
    program: Program, target: int, seed: int, until: float, perform: Perform = carried_out
) -> Outcome:
    """Run a program in rounds until its figure is reached, it has failed, or the time is up.

    A round that is under way when the time is up is brought to its end.

    Args:
        program: The program.
        target: The figure to reach.
        seed: The seed of the first round; that of another is larger by what was done before it.
        until: When the time is up, on the clock that only grows.
        perform: Runs one round.
    """
    begun = time.monotonic()
    counts: dict[str, Counter[str]] = {}
    tests = done = rounds = 0
    skipped: set[str] = set()
    while done < target and (left_s := until - time.monotonic()) > 0:
        size = min(_size(program, done, time.monotonic() - begun, left_s), target - done)
        variables = environment(program, size, seed + done)
        one = perform(program, variables, left_s + _LATE_S)
        rounds += 1
        tests += one.tests
        skipped |= set(one.skipped)
        _add(counts, one.counts)
        if not one.passed:
            command = " ".join([*(f"{k}={v}" for k, v in variables.items()), "pytest", *program.tests])
            return Outcome(
                program.name, program.unit, target, done, rounds, tests, counts, sorted(skipped),
                time.monotonic() - begun, failure=f"{command}\n\n{one.said[-4000:]}",
            )  # fmt: skip
        done += size
    spent_s = time.monotonic() - begun
    return Outcome(program.name, program.unit, target, done, rounds, tests, counts, sorted(skipped), spent_s)


def _size(program: Program, done: int, spent_s: float, left_s: float) -> int:
    """Return the size of the next round: a tenth to see how fast this machine is, then what fits the time."""
    least = max(1, program.round // 10)
    fits = done / max(spent_s, 1e-6) * left_s if done else 0
    return max(least, int(min(program.round, fits)))


def _add(counts: dict[str, Counter[str]], found: Sequence[dict[str, float | str]]) -> None:
    for one in found:
        name = str(one["program"])
        known: dict[str, float] = counts.setdefault(name, Counter())  # type: ignore[assignment]
        for word, value in one.items():
            if isinstance(value, int | float) and word not in {"seed", "processes"}:
                before = known.get(word, 0)
                known[word] = max(before, value) if word in _CONSTANT else before + value


def campaign(programs: Sequence[Program], scale: str, seed: int, until: float) -> list[Outcome]:
    """Run programs one after the other; what this machine or this checkout lacks is said instead."""
    outcomes = []
    for number, program in enumerate(programs):
        target = figure(program, scale)
        missing = [need for need in program.needs if lacks(need)]
        if not (ROOT / program.tests[0]).exists():
            missing.append(program.tests[0])
        if missing:
            outcome = Outcome(program.name, program.unit, target, missing=missing)
        else:
            # Each program has its share of the time that is left; what one leaves goes to the others.
            now = time.monotonic()
            share_s = (until - now) / (len(programs) - number)
            outcome = conducted(program, target, seed, now + share_s)
        print(f"{outcome.word:<8} {outcome.name}: {outcome.done:,} of {target:,} {program.unit}", flush=True)
        outcomes.append(outcome)
    return outcomes


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="campaign.py", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--scale", default="nightly", help="ci, nightly, or a multiple of ci (0.1)")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="the longest time (default: a day)")
    parser.add_argument("--seed", type=int, default=1, help="the seed of the first round")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="some of the programs")
    parser.add_argument("--page", type=Path, help="the page to write (default: docs/proof/DATE-COMMIT.md)")
    parser.add_argument("--list", action="store_true", help="name the programs, and what they lack here")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run a campaign; returns 1 when something broke, 2 when it cannot be run as asked."""
    options = _arguments(words)
    unknown = set(options.only) - {program.name for program in PROGRAMS}
    if unknown:
        print(f"no such program: {', '.join(sorted(unknown))}; `--list` names them", file=sys.stderr)
        return 2
    chosen = [program for program in PROGRAMS if not options.only or program.name in options.only]
    try:
        sizes = [figure(program, options.scale) for program in chosen]
    except ValueError:
        print(f"`{options.scale}` is no scale: give ci, nightly or a number above 0", file=sys.stderr)
        return 2
    if options.list:
        for program, size in zip(chosen, sizes, strict=True):
            missing = ", ".join(need for need in program.needs if lacks(need))
            print(
                f"{program.name:<28} {size:>12,} {program.unit}" + (f" (lacks {missing})" if missing else "")
            )
        return 0
    begun = time.time()
    outcomes = campaign(chosen, options.scale, options.seed, time.monotonic() + options.minutes * 60)
    date = time.strftime("%Y-%m-%d", time.gmtime(begun))
    target = options.page or ROOT / "docs" / "proof" / f"{date}-{commit().rstrip('+')}.md"
    page = Page(date, commit(), options.seed, options.scale, described(), outcomes, compared(outcomes))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(written(page), encoding="utf-8")
    print(f"written: {target}")
    return 1 if any(outcome.failure for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs random workflows in a world that a seed decides, kills and recovers them, and checks every promise.

Rule 1: the same seed is the same simulation, in every process and on every machine.
Rule 2: a run that is killed, robbed of its lease or out of disk must still come to the end that it would
have had, or to one that the journal explains.

Example:
    >>> simulate(7).violations
    []
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from functools import lru_cache
from random import Random

from maestri.records import NamedTuple
from maestri.testing.simulated_checks import differences
from maestri.testing.simulated_flows import Shape, draw
from maestri.testing.simulated_run import SimulatedRun, Whole

SCHEDULES = 4  # simulations of one workflow, each with crashes at other moments


class Report(NamedTuple):
    """What a simulation has shown: `lives` are the executions of the run, `crashes` the killed ones."""

    seed: int
    violations: list[str]
    lives: int
    crashes: int
    events: int
    trace: str

    def text(self) -> str:
        """Return the violations, the command that replays them, and what happened."""
        broken = "\n".join(f"  {violation}" for violation in self.violations)
        return f"seed {self.seed} breaks a promise:\n{broken}\nreplay: {command(self.seed)}\n\n{self.trace}"


def command(seed: int) -> str:
    """Return the one command that replays a seed."""
    return f"python -m maestri.testing.simulation --seed {seed}"


@lru_cache(maxsize=4)
def _whole(number: int, *, is_steady: bool) -> Whole:
    shape = _shape(number, is_steady=is_steady)
    simulation = SimulatedRun(shape, number, is_steady=is_steady, whole=None, traced=False)
    simulation.play()
    return Whole(simulation.turns, simulation.output, simulation.disk, tuple(simulation.world.violations))


@lru_cache(maxsize=4)
def _shape(number: int, *, is_steady: bool) -> Shape:
    return draw(Random(number), is_steady=is_steady)  # noqa: S311


def simulate(seed: int, *, traced: bool = False) -> Report:
    """Run one random workflow, kill it and recover it as the seed says, and check the promises.

    Args:
        seed: Decides everything. Seeds 4n to 4n + 3 are one workflow with crashes at other moments.
        traced: Whether to keep what happened, for reading.

    Returns:
        What broke, if anything did.
    """
    number = seed // SCHEDULES
    is_steady = number % 2 == 0
    whole = _whole(number, is_steady=is_steady)
    shape = _shape(number, is_steady=is_steady)
    simulation = SimulatedRun(shape, seed, is_steady=is_steady, whole=whole, traced=traced)
    simulation.play()
    violations = [*whole.violations, *simulation.world.violations]
    if is_steady and not violations:
        violations += differences(simulation.disk, whole.disk)
    trace = "\n".join([_drawn(shape), *simulation.world.lines()]) if traced else ""
    return Report(seed, violations, simulation.lives, simulation.crashes, simulation.disk.size, trace)


def _drawn(shape: Shape, level: int = 0) -> str:
    options = ", ".join(f"{key}={value}" for key, value in shape.options.items())
    line = "  " * level + f"{shape.name} ({options})"
    return "\n".join([line, *(_drawn(part, level + 1) for part in shape.parts)])


def search(seeds: Iterable[int]) -> Report | None:
    """Simulate seed after seed; return the report of the first that breaks a promise, with its trace."""
    _whole.cache_clear()
    for seed in seeds:
        if simulate(seed).violations:
            return simulate(seed, traced=True)
    return None


def check_simulation(seeds: Iterable[int]) -> int:
    """Simulate a number of seeds and return how many crashes there were.

    Raises:
        AssertionError: A promise was broken; names the seed, the command that replays it, and what happened.
    """
    crashes = 0
    for seed in seeds:
        report = simulate(seed)
        if report.violations:
            raise AssertionError(simulate(seed, traced=True).text())
        crashes += report.crashes
    return crashes


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay a seed and show what happens, or try a range of seeds."""
    parser = ArgumentParser(prog="python -m maestri.testing.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the seed to replay")
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FROM", "TO"), help="seeds to try")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        report = simulate(given.seed, traced=True)
        sys.stdout.write(
            report.text() if report.violations else f"{report.trace}\nseed {given.seed}: no violation"
        )
        sys.stdout.write("\n")
        return 1 if report.violations else 0
    begin, end = given.seeds or (0, 1000)
    bad = 0
    for seed in range(begin, end):
        report = simulate(seed)
        if report.violations:
            bad += 1
            sys.stdout.write(f"{seed}: {report.violations[0]}\n")
    sys.stdout.write(f"{end - begin} simulations, {bad} broke a promise\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure Maestri against the floor: `make bench`, or `python benchmarks/measure.py --help`.

Both sides of a workload are measured in one call and in alternation, each time in a fresh process; only the
ratios of one call mean anything. See docs/explanation/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import results
from figures import HEAD, Figure
from stopwatch import Sample
from workloads import SIDES, WORKLOADS, BenchmarkFailed, Side, Workload


def take(workload: Workload, side: Side, n: int) -> Sample:
    """Take one sample in a folder that is there for it alone."""
    with tempfile.TemporaryDirectory(prefix="maestri-bench-") as folder:
        return workload.take(side, n, Path(folder))


def measure(workload: Workload, rounds: int, *, is_quick: bool) -> Iterator[Figure]:
    """Yield the figures of a workload; the side that begins changes with each round."""
    n = workload.quick if is_quick else workload.n
    samples: dict[Side, list[Sample]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side in SIDES if number % 2 else SIDES[::-1]:
            samples[side].append(take(workload, side, n))
    for key, unit, words in workload.shown:
        ours, floor = ([sample[key] for sample in samples[side]] for side in SIDES)
        yield Figure(workload.name, words, n, unit, ours, floor)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="workloads to measure; all by default")
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="samples of each side (default: 5)"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: does everything work?")
    parser.add_argument("--keep", action="store_true", help="write the figures to benchmarks/results/")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def main() -> int:
    """Measure what is asked for, print it, and keep it if that is wanted."""
    options = _options()
    chosen = [one for one in WORKLOADS if not options.names or one.name in options.names]
    unknown = set(options.names) - {one.name for one in WORKLOADS}
    if unknown or options.rounds < 1:
        known = ", ".join(dict.fromkeys(one.name for one in WORKLOADS))
        print(
            f"no such workload: {', '.join(sorted(unknown)) or 'no rounds'}; there are: {known}",
            file=sys.stderr,
        )
        return 2
    rounds = 1 if options.quick else options.rounds
    figures: list[Figure] = []
    if not options.json:
        print(f"median of {rounds} (smallest-largest); ratio: Maestri / floor, smaller is better\n\n{HEAD}")
    try:
        for workload in chosen:
            for figure in measure(workload, rounds, is_quick=options.quick):
                figures.append(figure)
                if not options.json:
                    print(figure.line(), flush=True)
    except BenchmarkFailed as error:
        print(error, file=sys.stderr)
        return 1
    found = results.document(figures, rounds)
    if options.json:
        print(json.dumps(found, indent=1))
    if options.keep:
        print(f"\nkept in {results.keep(found).relative_to(results.FOLDER.parent.parent)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

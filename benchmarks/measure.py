"""Measure Maestri against the floor: `make bench`, or `python benchmarks/measure.py --help`.

Both sides of a workload are measured in one call and in alternation, each time in a fresh process; only the
ratios of one call mean anything. See docs/explanation/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import results
from figures import HEAD, Figure
from peers import NAMES, Peer, versions
from prepared import BenchmarkFailed
from stopwatch import Sample
from workloads import WORKLOADS, Workload


def take(workload: Workload, side: str, n: int) -> Sample:
    """Take one sample in a folder that is there for it alone."""
    with tempfile.TemporaryDirectory(prefix="maestri-bench-") as folder:
        return workload.take(side, n, Path(folder))


def measure(
    workload: Workload, rounds: int, *, is_quick: bool, peers: Sequence[Peer] = ()
) -> Iterator[Figure]:
    """Yield the figures of a workload; the side that begins changes with each round."""
    n = workload.quick if is_quick else workload.n
    others = {peer.side: peer.name for peer in peers if peer.does(workload.name, n)}
    sides = (*workload.sides, *others)
    samples: dict[str, list[Sample]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 else sides[::-1]:
            samples[side].append(take(workload, side, n))
    for key, unit, words, target in workload.shown:
        columns = {
            side: [sample[key] for sample in taken if key in sample] for side, taken in samples.items()
        }
        beside = {name: columns[side] for side, name in others.items()}
        floor = columns.get("floor", ())  # empty where a figure has no other side
        yield Figure(
            workload.name, words, n, unit, columns["maestri"], floor, None if is_quick else target, beside
        )


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
    parser.add_argument(
        "--peers", default="", metavar="NAMES", help=f"other programs beside it: {','.join(NAMES)}"
    )
    parser.add_argument(
        "--peers-python", default=sys.executable, metavar="FILE", help="the interpreter that has them"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def _peers(options: argparse.Namespace) -> list[Peer]:
    """Return the peers that are there; of the others it is said why not."""
    found = []
    for name in filter(None, options.peers.split(",")):
        peer = Peer(name, options.peers_python)
        known = f"no such peer: {name}; there are: {', '.join(NAMES)}"
        why = known if name not in NAMES else peer.missing()
        if why:
            print(why, file=sys.stderr)
        else:
            found.append(peer)
    return found


def _tell_missed(figures: Sequence[Figure]) -> None:
    """Say where to look where a figure does not reach its target."""
    missed = [figure for figure in figures if figure.is_missed]
    print(f"\n{len(missed)} of {sum(figure.target is not None for figure in figures)} targets missed")
    profiles = {(one.name, one.n): one.profile for one in WORKLOADS}
    for name, n in dict.fromkeys((figure.workload, figure.n) for figure in missed):
        profile = profiles.get((name, n))
        print(
            f"  {name}: " + (f"python benchmarks/where_time_goes.py {profile}" if profile else "no profile")
        )


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
    peers = _peers(options)
    figures: list[Figure] = []
    if not options.json:
        print(f"median of {rounds} (smallest-largest); ratio: Maestri / floor, smaller is better\n\n{HEAD}")
    try:
        for workload in chosen:
            for figure in measure(workload, rounds, is_quick=options.quick, peers=peers):
                figures.append(figure)
                if not options.json:
                    print(figure.line(), flush=True)
    except BenchmarkFailed as error:
        print(error, file=sys.stderr)
        return 1
    found = results.document(figures, rounds, versions(peers))
    if options.json:
        print(json.dumps(found, indent=1))
    elif not options.quick:
        _tell_missed(figures)
    if options.keep:
        print(f"\nkept in {results.keep(found).relative_to(results.FOLDER.parent.parent)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

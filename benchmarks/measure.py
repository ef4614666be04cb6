"""Run the benchmarks and print their figures: `make bench`, or `python benchmarks/measure.py --json`.

A benchmark is a file `bench_<what>.py` beside this one with a function `measure()` that yields figures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from figures import Figure

FOLDER = Path(__file__).resolve().parent


def benchmarks(wanted: list[str]) -> Iterator[tuple[str, Callable[[], Iterator[Figure]]]]:
    """Yield name and function of each benchmark, or of those that are wanted."""
    for file in sorted(FOLDER.glob("bench_*.py")):
        name = file.stem.removeprefix("bench_")
        if not wanted or name in wanted:
            yield name, importlib.import_module(file.stem).measure


def main() -> int:
    """Measure, and print as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="benchmarks to run; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = [(name, figure) for name, measure in benchmarks(options.names) for figure in measure()]
    if not found:
        known = ", ".join(name for name, _ in benchmarks([]))
        print(f"no such benchmark; there are: {known}", file=sys.stderr)
        return 2
    if options.json:
        figures = [{"benchmark": name, **figure._asdict()} for name, figure in found]
        machine = {"python": platform.python_version(), "machine": platform.machine(), "at": time.time()}
        print(json.dumps({**machine, "figures": figures}, indent=2))
        return 0
    for name, figure in found:
        print(f"{name:<10} {figure.what:<52} {figure.value:>12,.1f} {figure.unit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

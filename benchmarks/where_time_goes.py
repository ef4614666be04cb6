"""Say where the time of a fan-out step goes: `python benchmarks/where_time_goes.py [chain|fan|scopes] [N]`.

First without a profiler: the time, the CPU of the event loop's thread and of the writing thread. Then with
one: its shares say what to look at, not how long it takes (a profiler makes small functions look large).
"""

from __future__ import annotations

import asyncio
import cProfile
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import ours

from maestri.project import Project
from maestri.project.doing import own_process

_FLOWS = {"chain": ours.chain, "fan": ours.fan, "scopes": ours.scopes}
_SHOWN = 25


async def _measured(
    flow: str, n: int, profiler: cProfile.Profile | None = None
) -> tuple[float, float, float]:
    """Return the time and the CPU of the loop's and of all other threads, in microseconds a step."""
    own_process()
    with tempfile.TemporaryDirectory(prefix="maestri-bench-") as folder:
        project = Project(state=folder, cwd=folder)
        await ours.ended(project, ours.one_step)
        loaded = project.of_function(_FLOWS[flow])
        begun, cpu, mine = time.perf_counter(), time.process_time(), time.thread_time()
        if profiler is not None:
            profiler.enable()
        (await (await project.start(loaded, {"n": n})).wait()).result()
        if profiler is not None:
            profiler.disable()
        passed, cpu, mine = time.perf_counter() - begun, time.process_time() - cpu, time.thread_time() - mine
        await project.close()
    return passed / n * 1e6, mine / n * 1e6, (cpu - mine) / n * 1e6


def _area(file: str) -> str:
    """Return the part of the program that a file belongs to."""
    path = Path(file)
    if "maestri" in path.parts:
        return "/".join(path.parts[len(path.parts) - path.parts[::-1].index("maestri") :])
    if path.parent.name in {"asyncio", "json"}:
        return path.parent.name
    return path.stem if path.suffix else "built in"


class _Row(NamedTuple):
    """A function's share of the time, and how often it was called for a step."""

    share: float
    calls: float
    area: str
    name: str


def _profiled(flow: str, n: int) -> list[_Row]:
    """Return the functions by their share of the event loop's time, the largest first."""
    profiler = cProfile.Profile()
    asyncio.run(_measured(flow, n, profiler))
    profiler.create_stats()
    found = [(own, calls, where) for where, (_, calls, own, *_) in profiler.stats.items()]
    total = sum(own for own, *_ in found)
    rows = [
        _Row(own / total, calls / n, _area(file), f"{line} {name}")
        for own, calls, (file, line, name) in found
    ]
    return sorted(rows, reverse=True)


def main() -> int:
    """Measure, profile and print."""
    flow = sys.argv[1] if len(sys.argv) > 1 else "fan"
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    if flow not in _FLOWS:
        print(f"no such workload: {flow}; there are: {', '.join(_FLOWS)}", file=sys.stderr)
        return 2
    passed, loop, writer = asyncio.run(_measured(flow, n))
    print(
        f"{flow} of {n:,}: {passed:.1f} us a step; CPU of the loop {loop:.1f}, of other threads {writer:.1f}"
    )
    rows = _profiled(flow, n)
    areas: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        areas[row.area] += row.share
    print("\nshare of the loop's time, by part:")
    for area, share in sorted(areas.items(), key=lambda found: -found[1])[:_SHOWN]:
        print(f"  {share:6.1%}  {area}")
    print("\nthe same, by function (calls a step):")
    for row in rows[:_SHOWN]:
        print(f"  {row.share:6.1%}  {row.calls:5.1f}  {row.area}:{row.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

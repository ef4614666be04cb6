"""Say where the time of a fan-out step goes: `python benchmarks/where_time_goes.py [chain|fan|scopes] [N]`.

First without a profiler: the time, the CPU of the event loop's thread and of the writing thread. Then the same
with one: its shares say what to look at, not how long it takes (a profiler makes small functions look large).
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import ours
from maestri.project import Project
from maestri.project.doing import own_process

_FLOWS = {"chain": ours.chain, "fan": ours.fan, "scopes": ours.scopes}
_SHOWN = 25


async def _measured(flow: str, n: int, profiler: cProfile.Profile | None = None) -> tuple[float, float, float]:
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


def main() -> int:
    """Measure, profile and print."""
    flow = sys.argv[1] if len(sys.argv) > 1 else "fan"
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    if flow not in _FLOWS:
        print(f"no such workload: {flow}; there are: {', '.join(_FLOWS)}", file=sys.stderr)
        return 2
    passed, loop, writer = asyncio.run(_measured(flow, n))
    print(f"{flow} of {n:,}: {passed:.1f} us a step; CPU of the loop {loop:.1f}, of the writer {writer:.1f}\n")
    profiler = cProfile.Profile()
    asyncio.run(_measured(flow, n, profiler))
    found = pstats.Stats(profiler)
    rows = [(own, calls, where) for where, (_, calls, own, *_) in found.stats.items()]  # type: ignore[attr-defined]
    total = sum(own for own, *_ in rows)
    areas: Counter[str] = Counter()
    for own, _, (file, *_) in rows:
        areas[_area(file)] += own / total  # type: ignore[assignment]
    print("share of the loop's time, by part:")
    for area, share in areas.most_common(_SHOWN):
        print(f"  {share:6.1%}  {area}")
    print("\nthe same, by function (calls a step):")
    for own, calls, (file, line, name) in sorted(rows, reverse=True)[:_SHOWN]:
        print(f"  {own / total:6.1%}  {calls / n:5.1f}  {_area(file)}:{line} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

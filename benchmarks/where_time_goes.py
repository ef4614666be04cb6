"""Say where time and bytes go: `python benchmarks/where_time_goes.py WHAT [N]`.

    chain|fan|scopes N           us a step, the CPU of the event loop's thread and of others, and a profile
    WORKLOAD N                   a profile of any other workload of `ours.py`: waiting, resume-rounds, ...
    cli tall|spread COMMAND ...  a profile of a whole command on a large journal, its imports included
    bytes WORKLOAD N             what each table and index of the journal takes

A profile's shares say what to look at, not how long it takes: a profiler makes small functions look large.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pstats
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import ours
import prepared
from programs import ended, program, surroundings
from stopwatch import BEGUN, journal_bytes

from maestri.project import Project
from maestri.project.doing import own_process

_FLOWS: Final = {"chain": ours.chain, "fan": ours.fan, "scopes": ours.scopes}
_KILLED_FIRST: Final = {"resume": "crash", "resume-rounds": "crash-rounds"}
_SHOWN: Final = 25
_LARGE: Final = 1_000_000  # events of a large journal


async def _measured(flow: str, n: int) -> tuple[float, float, float]:
    """Return the time and the CPU of the loop's and of all other threads, in microseconds a step."""
    own_process()
    with tempfile.TemporaryDirectory(prefix="maestri-bench-") as folder:
        project = Project(state=folder, cwd=folder)
        await ours.ended(project, ours.one_step)
        loaded = project.of_function(_FLOWS[flow])
        begun, cpu, mine = time.perf_counter(), time.process_time(), time.thread_time()
        (await (await project.start(loaded, {"n": n})).wait()).result()
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
    """A function's share of the time, and how often it was called for each of the n."""

    share: float
    calls: float
    area: str
    name: str


def _rows(stats: dict[Any, Any], n: int) -> list[_Row]:
    """Return the functions by their share of the time, the largest first."""
    found = [(own, calls, where) for where, (_, calls, own, *_) in stats.items()]
    total = sum(own for own, *_ in found)
    rows = [
        _Row(own / total, calls / n, _area(file), f"{line} {name}")
        for own, calls, (file, line, name) in found
    ]
    return sorted(rows, reverse=True)


def _tell(rows: list[_Row]) -> None:
    areas: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        areas[row.area] += row.share
    print("\nshare of the time, by part:")
    for area, share in sorted(areas.items(), key=lambda found: -found[1])[:_SHOWN]:
        print(f"  {share:6.1%}  {area}")
    print("\nthe same, by function (calls for each):")
    for row in rows[:_SHOWN]:
        print(f"  {row.share:6.1%}  {row.calls:7.1f}  {row.area}:{row.name}")


@contextlib.contextmanager
def _folder(work: str, n: int) -> Iterator[Path]:
    """Give a folder in which a workload of ours can begin, or go on where one was killed."""
    with tempfile.TemporaryDirectory(prefix="maestri-bench-") as name:
        folder = Path(name)
        if work in _KILLED_FIRST:
            ended(program("maestri", _KILLED_FIRST[work], n, folder), folder, code=-9)
        os.environ[BEGUN] = repr(time.time())
        yield folder


def _profiled(work: str, n: int) -> list[_Row]:
    """Return the functions that a workload calls on the event loop."""
    with _folder(work, n) as folder:
        return _of_process(program("maestri", work, n, folder)[1:], folder, n)


def _profiled_command(journal: str, words: list[str]) -> list[_Row]:
    """Return the functions that a whole command calls, imports and all."""
    folder = prepared.tall(_LARGE).folder if journal == "tall" else prepared.spread(_LARGE)
    return _of_process(["-m", "maestri", *words], folder, 1)


def _of_process(words: list[str], folder: Path, n: int) -> list[_Row]:
    """Return the functions that a fresh process calls."""
    with tempfile.NamedTemporaryFile() as kept:
        command = [sys.executable, "-m", "cProfile", "-o", kept.name, *words]
        subprocess.run(command, cwd=folder, env=surroundings(folder), stdout=subprocess.DEVNULL, check=True)
        return _rows(pstats.Stats(kept.name).stats, n)  # type: ignore[attr-defined]


def _tell_bytes(work: str, n: int) -> None:
    """Print what each table and index of a workload's journal takes."""
    with _folder(work, n) as folder:
        sample = ours.MEASURES[work](n, folder)
        total = journal_bytes(folder)
        print(f"{work} of {n:,}: {total:,} bytes, {total / n:,.0f} for each; {sample['s']:.2f} s")
        with contextlib.closing(sqlite3.connect(next(folder.rglob("*.db")))) as db:
            query = (
                "select name, sum(pgsize), sum(payload), sum(unused) from dbstat group by 1 order by 2 desc"
            )
            for name, size, payload, unused in db.execute(query):
                print(
                    f"  {size / n:9,.1f}  {name} ({payload / n:,.1f} are content, {unused / n:,.1f} unused)"
                )


def main() -> int:
    """Measure, profile and print."""
    words = sys.argv[1:] or ["fan"]
    if words[0] == "cli":
        _tell(_profiled_command(words[1], words[2:]))
        return 0
    counts_bytes = words[0] == "bytes"
    work, *rest = words[1:] if counts_bytes else words
    n = int(rest[0]) if rest else 10_000
    if work not in ours.MEASURES:
        print(f"no such workload: {work}; there are: {', '.join(ours.MEASURES)}", file=sys.stderr)
        return 2
    if counts_bytes:
        _tell_bytes(work, n)
        return 0
    if work in _FLOWS:
        passed, loop, others = asyncio.run(_measured(work, n))
        print(f"{work} of {n:,}: {passed:.1f} us a step; CPU of the loop {loop:.1f}, of others {others:.1f}")
    _tell(_profiled(work, n))
    return 0


if __name__ == "__main__":
    sys.exit(main())

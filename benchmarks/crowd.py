"""Commands that run at once: the memory that Maestri itself takes, and the time to begin and to end them."""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from stopwatch import Sample

import maestri
from maestri.patterns import parallel
from maestri.project import Project
from maestri.project.doing import own_process

_LOOK_S: Final = 0.02


@maestri.workflow
async def crowd(ctx: maestri.Context, n: int) -> None:
    """Run commands at once that do not end."""

    async def branch(scope: maestri.Context) -> Any:
        return await scope.run("step", ["sleep", "1000"])

    await parallel(ctx, "crowd", {f"b{number}": partial(branch) for number in range(n)})


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text("ascii").split()]


def _is_begun(keeper: int) -> bool:
    """Tell whether the child of a keeper has become its command."""
    named = (Path(f"/proc/{child}/comm").read_text("ascii") for child in _children(keeper))
    return any(name == "sleep\n" for name in named)


def _memory_bytes(pid: int) -> int:
    """Return the memory of a process, its share of what it has together with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


async def _keepers(n: int) -> tuple[int, list[int]]:
    """Return the guardian and the keepers of this process as soon as n commands have begun."""
    while True:
        for guardian in _children(os.getpid()):
            keepers = _children(guardian)
            if len(keepers) == n and all(_is_begun(keeper) for keeper in keepers):
                return guardian, keepers
        await asyncio.sleep(_LOOK_S)


async def _measured(n: int, folder: Path) -> Sample:
    own_process()
    project = Project(state=str(folder / "state"), cwd=str(folder))
    begun = time.perf_counter()
    execution = await project.start(project.of_function(crowd), {"n": n})
    guardian, keepers = await _keepers(n)
    passed_s = time.perf_counter() - begun
    kept = sum(_memory_bytes(keeper) for keeper in keepers)
    own = _memory_bytes(os.getpid()) + _memory_bytes(guardian) + kept
    cancelled = time.perf_counter()
    await execution.cancel()
    await execution.wait()
    sample = {
        "s": passed_s,
        "own_bytes": own,
        "keeper_bytes": kept / n,
        "end_s": time.perf_counter() - cancelled,
    }
    await project.close()
    return sample


def held(n: int, folder: Path) -> Sample:
    """Measure n commands at once."""
    return asyncio.run(_measured(n, folder))

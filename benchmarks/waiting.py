"""Runs that wait for a signal: what one of them holds, and how long it takes to wake it.

Those of a function in Python keep their frames, and so wait in the memory of their process. Those of a
definition in YAML are parked: nothing of them is left but a row, and who wakes one resumes it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from stopwatch import Sample, resident_bytes

import maestri
from maestri.kernel.events import STARTED, SUCCEEDED, Event
from maestri.kernel.ports import Message, RunInfo
from maestri.kernel.runner import Execution
from maestri.project import Loaded, Project
from maestri.project.doing import own_process

_WOKEN: Final = 20
_AT_ONCE: Final = 100  # started together
_DEFINITION: Final = """workflow: waits
steps:
  go: {wait: {signal: go}}
  next: {call: "os:getpid"}
"""


async def _answer() -> int:
    return 1


@maestri.workflow
async def waits(ctx: maestri.Context) -> Any:
    """Wait for a signal, then run one step."""
    await ctx.signal("go")
    return await ctx.step("next", _answer)


def kept(n: int, folder: Path) -> Sample:
    """Measure runs whose frames are kept."""
    return asyncio.run(_measured(n, folder, lambda project: project.of_function(waits), resumes=False))


def parked(n: int, folder: Path) -> Sample:
    """Measure runs of which nothing is kept."""
    file = folder / "waits.yaml"
    file.write_text(_DEFINITION, encoding="utf-8")
    return asyncio.run(_measured(n, folder, lambda project: project.load(str(file)), resumes=True))


async def _measured(n: int, folder: Path, load: Callable[[Project], Loaded], *, resumes: bool) -> Sample:
    own_process()
    project = Project(state=str(folder / "state"), cwd=str(folder))
    loaded = load(project)
    await (await project.start(loaded, {})).wait()  # what is made once is made
    before = resident_bytes()
    held: list[Execution] = []  # what is not held any more is not to be counted
    infos: list[RunInfo] = []
    for first in range(0, n, _AT_ONCE):
        some = [await project.start(loaded, {}) for _ in range(min(_AT_ONCE, n - first))]
        for execution in some:
            await execution.wait()
        infos += [execution.info for execution in some]
        held += [] if resumes else some
    del some, execution
    each = (resident_bytes() - before) / n
    begun = _Begun(project)
    taken = []
    for info in infos[:: max(1, n // _WOKEN)]:
        posted = time.perf_counter()
        project.doing.engine.post(info.id, Message(os.urandom(16).hex(), "signal", {"name": "go", "data": 1}))
        stored, begins = time.perf_counter(), begun.of(info.id)
        if resumes:
            await project.resume(info, as_=loaded)
        at = await begins
        taken.append((at - stored, at - posted))
    wake_s, posted_s = (median(column) for column in zip(*taken, strict=True))
    sample = {"each_bytes": each, "wake_s": wake_s, "posted_s": posted_s, "held": float(len(held))}
    await project.close()
    return sample


class _Begun:
    """Notes when the step behind the wait begins: an event of it is stored, or it is done already."""

    def __init__(self, project: Project) -> None:
        """Listen to what is stored."""
        project.doing.engine.watch(self._stored)
        self._waiter: asyncio.Future[float] | None = None
        self._run_id = ""

    def of(self, run_id: str) -> Awaitable[float]:
        """Return what completes with the time at which the step of a run has begun."""
        self._run_id = run_id
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def _stored(self, run_id: str, events: Sequence[Event]) -> None:
        if run_id == self._run_id and self._waiter is not None and any(_is_next(event) for event in events):
            self._waiter.set_result(time.perf_counter())
            self._waiter = None


def _is_next(event: Event) -> bool:
    return event.name == "next" and event.kind in {STARTED, SUCCEEDED}

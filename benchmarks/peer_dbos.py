"""DBOS on its SQLite system database, in WAL mode: `PYTHON benchmarks/peer_dbos.py WORKLOAD N FOLDER`.

Run by `measure.py --peers dbos` with the interpreter of an environment in which DBOS is installed.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from peers import imported
from stopwatch import PAD, RUN_STEPS, Measure, Sample, StepLog, Stopwatch, report

dbos: Any = imported("dbos")
_log: list[StepLog] = []


@dbos.DBOS.step()  # type: ignore[untyped-decorator]
async def step(number: int, pad: str = "") -> dict[str, Any]:
    """Answer at once."""
    if _log:
        _log[0].begin(number)
    return {"i": number, "pad": pad} if pad else {"i": number, "ok": True}


@dbos.DBOS.workflow()  # type: ignore[untyped-decorator]
async def chain(n: int) -> int:
    """Run steps one after the other."""
    value = 0
    for _ in range(n):
        value = (await step(value))["i"] + 1
    return value


@dbos.DBOS.workflow()  # type: ignore[untyped-decorator]
async def fan(n: int) -> Any:
    """Run steps at once, then add up their outputs."""
    outputs = await asyncio.gather(*(step(number) for number in range(n)))
    return await step(sum(output["i"] for output in outputs))


@dbos.DBOS.workflow()  # type: ignore[untyped-decorator]
async def loop(n: int) -> Any:
    """Go round with a state that each step returns."""
    state = {"i": 0, "pad": PAD}
    for number in range(n):
        state = await step(number + 1, state["pad"])
    return state["i"]


def _launch(folder: Path) -> None:
    file = folder / "dbos.db"
    sqlite3.connect(file).execute("pragma journal_mode = wal").connection.close()
    url = f"sqlite:///{file}"
    dbos.DBOS(
        config={"name": "bench", "system_database_url": url, "log_level": "ERROR", "application_version": "1"}
    )
    dbos.DBOS.launch()


def _timed(work: Callable[[int], Awaitable[object]]) -> Measure:
    async def inside(n: int, folder: Path) -> Sample:
        _launch(folder)
        with Stopwatch() as watch:
            await work(n)
        dbos.DBOS.destroy()
        return watch.sample()

    return lambda n, folder: asyncio.run(inside(n, folder))


async def _runs(n: int) -> None:
    await asyncio.gather(*(chain(RUN_STEPS) for _ in range(n)))


async def _crash(n: int, folder: Path) -> Sample:
    _log.append(StepLog(folder, kill_at=n // 2))
    _launch(folder)
    with dbos.SetWorkflowID("chain"):
        await chain(n)
    message = "the process should be dead by now"
    raise RuntimeError(message)


async def _resume(_n: int, folder: Path) -> Sample:
    _log.append(StepLog(folder))
    called = time.time()
    _launch(folder)  # what was under way goes on at the launch
    handle = await dbos.DBOS.retrieve_workflow_async("chain")
    await handle.get_result()
    dbos.DBOS.destroy()
    return _log[0].resumed(called)


if __name__ == "__main__":
    report(
        {
            "chain": _timed(chain),
            "fan": _timed(fan),
            "runs": _timed(_runs),
            "loop": _timed(loop),
            "crash": lambda n, folder: asyncio.run(_crash(n, folder)),
            "resume": lambda n, folder: asyncio.run(_resume(n, folder)),
        }
    )

"""Large journals, built by the engine's own appends: `python benchmarks/journals.py tall|spread N FOLDER`.

They hold what the kernel would have written, without the time that a million steps would take. A `tall` one
has nearly all events in one run that is under way: its owner stays alive until its input ends, and appends
one more event for each line that it reads, answering with the time at which the event was stored.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from prepared import TALL

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.path import ROOT, RUN
from maestri.kernel.ports import Journal, RunInfo
from maestri.project.doing import own_process

SMALL_RUNS: Final = 100  # beside the large one
SPREAD_RUNS: Final = 1_000
FAILS: Final = 50_000  # each so many-th branch of the fan-out
_AT_ONCE: Final = 10_000  # events between two waits for the disk
_DIGEST: Final = "0123456789abcdef"
_FAILURE: Final = {"class": "StepFailed", "code": "S100", "message": "it did not work"}


class Making:
    """Makes events, each a millisecond after the one before."""

    def __init__(self, at: float) -> None:
        """Begin at a time."""
        self.at = at

    def __call__(self, kind: int, scope: str, name: str, body: object, digest: str = "") -> Event:
        """Return the next event."""
        self.at += 0.001
        return Event(kind, scope, name, self.at, digest, codec.encode(body))


def branches(made: Making, count: int) -> Iterator[Event]:
    """Yield a fan-out of steps of which some fail, and which goes on."""
    yield made(ev.OPENED, ROOT, "fan", {"pattern": "parallel", "total": count + 1})
    for n in range(1, count + 1):
        yield made(ev.STARTED, "/fan", f"b{n}", {"attempt": 1}, _DIGEST)
        if n % FAILS:
            yield made(ev.SUCCEEDED, "/fan", f"b{n}", {"output": {"i": n, "ok": True}}, _DIGEST)
        else:
            failure = {**_FAILURE, "path": f"/fan/b{n}"}
            yield made(ev.FAILED, "/fan", f"b{n}", {"failure": failure, "attempt": 1}, _DIGEST)
    yield made(ev.STARTED, "/fan", f"b{count + 1}", {"attempt": 1}, _DIGEST)


def rounds(made: Making, count: int) -> Iterator[Event]:
    """Yield a loop that goes on, of rounds of one step each."""
    yield made(ev.OPENED, ROOT, "loop", {"pattern": "loop", "total": count + 1})
    for n in range(1, count + 1):
        scope = f"/loop/round#{n}" if n > 1 else "/loop/round"
        yield made(ev.STARTED, scope, "step", {"attempt": 1}, _DIGEST)
        yield made(ev.SUCCEEDED, scope, "step", {"output": {"i": n, "ok": True}}, _DIGEST)
        yield made(ev.SEALED, "/loop", scope.rpartition("/")[2], {"output": {"i": n}}, _DIGEST)
    yield made(ev.STARTED, f"/loop/round#{count + 1}", "step", {"attempt": 1}, _DIGEST)


def steps(made: Making, count: int) -> Iterator[Event]:
    """Yield steps one after the other."""
    for n in range(1, count + 1):
        name = f"step#{n}" if n > 1 else "step"
        yield made(ev.STARTED, ROOT, name, {"attempt": 1}, _DIGEST)
        yield made(ev.SUCCEEDED, ROOT, name, {"output": {"i": n, "ok": True}}, _DIGEST)


async def _begun(engine: SqliteEngine, folder: Path, name: str, made: Making) -> Journal:
    cwd = str(folder)
    record = {"kind": "python", "function": "flows:flow", "file": "flows.py", "digest": _DIGEST}
    fields = {"workflow": "flow", "inputs": {}, "cwd": cwd, "definition": record}
    return await engine.create(
        RunInfo(name, name, "flow", cwd, made.at, 1), made(ev.RUN_STARTED, RUN, "", fields)
    )


async def _stored(journal: Journal, events: Iterator[Event], last: Event) -> int:
    """Store events behind the first one, and return how many the run has then."""
    number = 1
    for number, event in enumerate(events, 2):
        journal.append(event)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)  # the engine hands over at the end of a turn
    await journal.commit(last)
    return number + 1


async def _short(engine: SqliteEngine, folder: Path, name: str, count: int) -> None:
    made = Making(time.time())
    journal = await _begun(engine, folder, name, made)
    await _stored(journal, steps(made, count), made(ev.RUN_SUCCEEDED, RUN, "", {"output": count}))
    await journal.close()


async def tall(engine: SqliteEngine, folder: Path, n: int) -> None:
    """Store a hundred short runs, and one of about n events: a fan-out of 0.3 n steps, and a loop.

    Then say how many events it has, and append one more for each line that comes in.
    """
    for number in range(SMALL_RUNS):
        await _short(engine, folder, f"small-run-{number}", 5)
    made = Making(time.time())
    journal = await _begun(engine, folder, TALL, made)
    events = chain(branches(made, 3 * n // 10), rounds(made, (n - 6 * n // 10) // 3))
    count = await _stored(journal, events, made(ev.STARTED, ROOT, "more", {"attempt": 1}, _DIGEST))
    print(count, flush=True)
    number = 1
    while await asyncio.to_thread(sys.stdin.readline):
        number += 1
        event = made(ev.STARTED, ROOT, f"more#{number}", {"attempt": 1}, _DIGEST)
        await journal.commit(event._replace(at=time.time()))
        print(time.time(), event.path, flush=True)
    await journal.close()


async def spread(engine: SqliteEngine, folder: Path, n: int) -> None:
    """Store about n events in a thousand runs that have ended."""
    runs = min(SPREAD_RUNS, n)
    for number in range(runs):
        await _short(engine, folder, f"one-run-{number}", n // runs // 2)


async def main() -> None:
    """Build what is asked for."""
    kind, n, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    own_process()
    engine = SqliteEngine(StateDir(folder / "state"), durability="kill-safe")
    await (spread if kind == "spread" else tall)(engine, folder, n)
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main())

"""Maestri as it is used: through a project, with its SQLite engine, power-safe unless told otherwise.

As on the floor, the journal is open when the watch starts; creating and ending the run is part of the time.
"""

from __future__ import annotations

import asyncio
import json
import string
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import constructs
import crowd
import waiting
import worktrees
from stopwatch import PAD, RUN_STEPS, Measure, Sample, StepLog, Stopwatch, beside_neighbour, report

import maestri
from maestri.kernel import events
from maestri.kernel.body import OneStep
from maestri.kernel.events import Stored
from maestri.kernel.state import fold as folded
from maestri.patterns import loop, parallel
from maestri.project import Project
from maestri.project.doing import own_process


async def _answer(number: int) -> dict[str, Any]:
    return {"i": number, "ok": True}


def _total(numbers: list[int]) -> int:
    return sum(numbers)


@maestri.workflow
async def chain(ctx: maestri.Context, n: int) -> int:
    """Run steps one after the other, each with the output of the one before."""
    value = 0
    for _ in range(n):
        value = (await ctx.step("step", _answer, value))["i"] + 1
    return value


@maestri.workflow
async def fan(ctx: maestri.Context, n: int) -> int:
    """Run branches of one step each at once, then add up their outputs."""

    def branch(number: int) -> OneStep[Any]:
        return OneStep(lambda scope: scope.step("step", _answer, number))

    return await _fanned(ctx, {f"b{number}": branch(number) for number in range(n)})


@maestri.workflow
async def scopes(ctx: maestri.Context, n: int) -> int:
    """Run branches at once, each one step in a scope of its own, then add up their outputs."""

    async def branch(number: int, scope: maestri.Context) -> Any:
        return await scope.step("step", _answer, number)

    return await _fanned(ctx, {f"b{number}": partial(branch, number) for number in range(n)})


async def _fanned(ctx: maestri.Context, branches: dict[str, Any]) -> int:
    outputs = await parallel(ctx, "fan", branches)
    total: int = await ctx.step("sum", _total, [output["i"] for output in outputs.values()])
    return total


@maestri.workflow
async def rounds(ctx: maestri.Context, n: int) -> Any:
    """Go round with a state of which most never changes."""

    async def one(scope: maestri.Context, number: int, last: dict[str, Any]) -> dict[str, Any]:
        await scope.step("step", _answer, number)
        return {**last, "i": number}

    return await loop(ctx, "loop", one, start={"pad": PAD}, max_rounds=n)


def _text(number: int, letters: str) -> str:
    """Return 10 kB of text that no other number has."""
    return "".join(Random(number).choices(letters, k=len(PAD)))


def changing(letters: str) -> Callable[..., Awaitable[Any]]:
    """Return a workflow that goes round with a state that is another 10 kB text after each round."""

    async def drafted(number: int) -> dict[str, Any]:
        return {"i": number, "pad": _text(number, letters)}

    async def one(scope: maestri.Context, number: int, _last: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = await scope.step("step", drafted, number)
        return found

    async def flow(ctx: maestri.Context, n: int) -> Any:
        return await loop(ctx, "loop", one, start={}, max_rounds=n)

    return maestri.workflow(flow)


@maestri.workflow
async def commands(ctx: maestri.Context, n: int) -> None:
    """Run commands that do nothing."""
    for _ in range(n):
        await ctx.run("step", ["true"])


@maestri.workflow
async def one_step(ctx: maestri.Context) -> Any:
    """Run one step, so that the journal is open before the watch starts."""
    return await ctx.step("only", _answer, 0)


async def ended(project: Project, flow: Callable[..., Awaitable[Any]], **inputs: Any) -> Any:
    """Run a workflow to its end and return its output."""
    return (await (await project.start(project.of_function(flow), inputs)).wait()).result()


async def on_project(folder: Path, work: Callable[[Project], Awaitable[Any]]) -> Sample:
    """Measure some work on a project whose journal is open."""
    own_process()
    project = Project(state=str(folder / "state"), cwd=str(folder))
    await ended(project, one_step)
    with Stopwatch() as watch:
        await work(project)
    await project.close()
    return watch.sample()


def timed(flow: Callable[..., Awaitable[Any]]) -> Measure:
    """Return a measurement of one run of a workflow that takes `n`."""
    return lambda n, folder: asyncio.run(on_project(folder, lambda project: ended(project, flow, n=n)))


def runs(n: int, folder: Path) -> Sample:
    """Measure many short runs at once."""

    async def work(project: Project) -> None:
        await asyncio.gather(*(ended(project, chain, n=RUN_STEPS) for _ in range(n)))

    return asyncio.run(on_project(folder, work))


def beside(n: int, folder: Path) -> Sample:
    """Measure a chain beside a busy neighbour on the event loop."""
    found: list[Sample] = []

    async def work(project: Project) -> None:
        found.append(await beside_neighbour(n, lambda: ended(project, chain, n=n)))

    asyncio.run(on_project(folder, work))
    return found[0]


def _logged(n: int, log: StepLog) -> Callable[..., Awaitable[Any]]:
    async def step(number: int) -> dict[str, Any]:
        log.begin(number)
        return await _answer(number)

    async def flow(ctx: maestri.Context) -> None:
        for number in range(n):
            await ctx.step("step", step, number)

    return maestri.workflow(flow)


def _logged_rounds(n: int, log: StepLog) -> Callable[..., Awaitable[Any]]:
    """Return a workflow of one round more than n."""

    async def step(number: int) -> dict[str, Any]:
        log.begin(number)
        return await _answer(number)

    async def one(scope: maestri.Context, number: int, _last: Any) -> Any:
        return await scope.step("step", step, number)

    async def flow(ctx: maestri.Context) -> Any:
        return await loop(ctx, "loop", one, start=None, max_rounds=n + 1)

    return maestri.workflow(flow)


async def _crash(folder: Path, flow: Callable[..., Awaitable[Any]], durability: str = "power-safe") -> Sample:
    own_process()
    project = Project(state=str(folder / "state"), cwd=str(folder), durability=durability)
    await ended(project, flow)
    message = "the process should be dead by now"
    raise RuntimeError(message)


async def _resume(folder: Path, flow: Callable[..., Awaitable[Any]], log: StepLog) -> Sample:
    own_process()
    project = Project(state=str(folder / "state"), cwd=str(folder))
    called = time.time()
    execution = await project.resume(project.runs(everywhere=True)[-1], as_=project.of_function(flow))
    (await execution.wait()).result()
    await project.close()
    return log.resumed(called)


def crash(n: int, folder: Path) -> Sample:
    """Die half way through a chain."""
    return asyncio.run(_crash(folder, _logged(n, StepLog(folder, kill_at=n // 2))))


def resume(n: int, folder: Path) -> Sample:
    """Go on with it."""
    log = StepLog(folder)
    return asyncio.run(_resume(folder, _logged(n, log), log))


def crash_rounds(n: int, folder: Path) -> Sample:
    """Die after n rounds; not power-safe, because nobody waits to measure this part."""
    return asyncio.run(_crash(folder, _logged_rounds(n, StepLog(folder, kill_at=n + 1)), "kill-safe"))


def resume_rounds(n: int, folder: Path) -> Sample:
    """Go on with them."""
    log = StepLog(folder)
    return asyncio.run(_resume(folder, _logged_rounds(n, log), log))


def patterns(n: int, folder: Path) -> Sample:
    """Measure how many times as long each pattern takes as the same steps without it."""
    took_s: dict[str, list[float]] = {}
    flow = constructs.flow(took_s)
    asyncio.run(on_project(folder, lambda project: ended(project, flow, n=n)))
    return {name: median(took_s[f"{name}-0"]) / median(took_s[f"{name}-1"]) for name in constructs.USES}


def fold(n: int, _folder: Path) -> Sample:
    """Decode the events of a run of n steps and make its state of them."""
    started = json.dumps({"workflow": "chain", "inputs": {}, "cwd": "."})
    text = json.dumps({"output": {"i": 1, "ok": True}})
    with Stopwatch() as watch:
        past = [Stored(events.RUN_STARTED, "", "", 0.0, "", json.loads(started), 1)]
        for number in range(1, n + 1):
            for kind in (events.STARTED, events.SUCCEEDED):
                past.append(Stored(kind, "/", f"step#{number}", 0.0, "", json.loads(text), len(past) + 1))
        folded(past)
    return watch.sample()


MEASURES: Final[dict[str, Measure]] = {
    "chain": timed(chain),
    "fan": timed(fan),
    "scopes": timed(scopes),
    "runs": runs,
    "loop": timed(rounds),
    "random-text": timed(changing(string.ascii_letters + string.digits)),
    "words": timed(changing("aeinst ")),
    "neighbour": beside,
    "crowd": crowd.held,
    "waiting": waiting.kept,
    "parked": waiting.parked,
    "crash": crash,
    "resume": resume,
    "crash-rounds": crash_rounds,
    "resume-rounds": resume_rounds,
    "command": timed(commands),
    "fold": fold,
    "patterns": patterns,
    "worktree": worktrees.ready,
}

if __name__ == "__main__":
    report(MEASURES)

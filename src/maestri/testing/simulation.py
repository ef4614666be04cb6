"""Runs random workflows in a world that a seed decides, kills and recovers them, and checks every promise.

Rule 1: the same seed is the same simulation, in every process and on every machine.
Rule 2: a run that is killed, robbed of its lease or out of disk must still come to the end that it would
have had, or to one that the journal explains.

Example:
    >>> simulate(7).violations
    []
"""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from maestri.errors import EngineError, ReplayError, RunEnded, RunInUse
from maestri.kernel import events as ev
from maestri.kernel import runner, state
from maestri.kernel.ports import Message, RunInfo
from maestri.kernel.run import Services
from maestri.kernel.runner import Definition, Ended, Execution
from maestri.testing.simulated_checks import check_journal, facts
from maestri.testing.simulated_disk import SimulatedDisk
from maestri.testing.simulated_engine import CALM, Place, SimulatedEngine, Weather
from maestri.testing.simulated_flows import Flow, Shape, draw
from maestri.testing.simulated_loop import SimulatedClock, SimulatedLoop, Stuck, Worker
from maestri.testing.simulated_world import World

SCHEDULES = 4  # simulations of one workflow, each with crashes at other moments
_MOST_LIVES = 60
_MOST_TURNS = 200_000
_QUIET = 1 << 59
_PATIENCE_S = 1_000_000.0


class Report(NamedTuple):
    """What a simulation has shown. `lives` are the executions of the run, `crashes` those that were killed."""

    seed: int
    violations: list[str]
    lives: int
    crashes: int
    events: int
    trace: str

    def text(self) -> str:
        """Return the violations, the command that replays them, and what happened."""
        broken = "\n".join(f"  {violation}" for violation in self.violations)
        return f"seed {self.seed} breaks a promise:\n{broken}\nreplay: {command(self.seed)}\n\n{self.trace}"


def command(seed: int) -> str:
    """Return the one command that replays a seed."""
    return f"python -m maestri.testing.simulation --seed {seed}"


class _Life:
    """One execution of the run, in a worker of its own."""

    def __init__(self, worker: Worker, engine: SimulatedEngine, gone: asyncio.Future[None]) -> None:
        self.worker = worker
        self.engine = engine
        self.gone = gone  # completes when it has ended, was killed, or does not react any more
        self.execution: Execution | None = None
        self.work: asyncio.Task[Ended] | None = None


class _Simulation:
    """One workflow in one world, from its first life to its end."""

    def __init__(self, shape: Shape, seed: int, *, is_steady: bool, whole: _Whole | None, traced: bool) -> None:
        """Begin. Without `whole`, the run that was never disturbed, nothing disturbs this one either."""
        self._whole = whole
        self._chance = Random(seed * 8 + 1)  # noqa: S311
        self.loop = SimulatedLoop(None if whole is None else Random(seed * 8 + 2), most_turns=_MOST_TURNS)  # noqa: S311
        self.disk = SimulatedDisk()
        self.world = World(self.loop, self.disk, Random(seed * 8 + 3), is_steady=is_steady)  # noqa: S311
        self._place = Place(self.disk, self.loop, Random(seed * 8 + 4), [], {}, [])  # noqa: S311
        self._definition = Definition(
            "simulated", Flow(shape, self.world), {}, keeps_frames=self._chance.random() < 0.2
        )
        self._is_steady = is_steady
        self._crashes_left = 0 if whole is None else self._chance.randint(1, 4)
        self._budget = self._draw_budget()
        self._stale: list[_Life] = []
        self._workers: list[Worker] = []
        self._now: _Life | None = None
        self._posts = 0
        self._posted: asyncio.Future[None] | None = None
        self.lives = 0
        self.crashes = 0
        self.turns = 0
        self.output: Any = None
        if traced:
            self.disk.on_write = lambda row: self.world.note(row.worker, _told(row))
        self.world.on_post = self._hear
        self.world.on_quiet = self._check_parked

    def play(self) -> None:
        """Play it to its end; what is found is in `world.violations`."""
        try:
            self.loop.run_until_complete(self._drive())
        except Stuck as stuck:
            self.world.violated(f"the run is stuck: {stuck}")
        for worker in self._workers:
            self.loop.kill(worker)
        self.world.violations += [f"a callback has raised {error!r}" for error in self.loop.errors]
        self.world.violations += check_journal(self.disk, self._place.acknowledged, self.world.suspected)
        self.loop.close()

    # --- lives --------------------------------------------------------------------------------------

    async def _drive(self) -> None:
        if self._whole is not None and not self._is_steady:
            self._plan_cancels()
        while not await self._is_over():
            if self.disk.success is not None:
                self.output = self.disk.success.event.body["output"]  # stored, but nobody was told
                break
            if self.lives > _MOST_LIVES:
                self.world.violated(f"the run has not come to its end in {_MOST_LIVES} lives")
                break
        for life in self._stale:
            self._wake(life)
            if life.work is not None and not life.work.done():
                await asyncio.wait([life.work], timeout=_PATIENCE_S)
            if life.work is not None and life.work.done():  # else it waits for a word that it cannot take
                self._check_end(life)

    async def _is_over(self) -> bool:
        """Live once; tell whether the run has come to its end."""
        posts = self._posts
        life = await self._live()
        if life.worker.is_dead or life.worker.is_paused:
            return False
        self._budget -= life.worker.turns
        self.turns += life.worker.turns
        ended = self._check_end(life)
        self.world.edited = {}
        if ended is None or ended.status != state.WAITING:
            return ended is not None and ended.status == state.SUCCEEDED
        if posts == self._posts:
            if not self.world.expected:
                self.world.violated(f"the run waits for {ended.waiting}, but all words have been said")
                return True
            self._posted = self.loop.create_future()
            await self._posted
        return False

    async def _live(self) -> _Life:
        self.lives += 1
        worker = Worker(f"worker-{self.lives}")
        self._workers.append(worker)
        engine = SimulatedEngine(self._place, worker, self._weather())
        life = _Life(worker, engine, self.loop.create_future())
        self._now = life
        self.world.engine = engine
        if self._crashes_left:
            worker.stops_at = max(1, self._budget)
            worker.on_stop = lambda _worker: self._stop(life)
        elif self._whole is not None and self._chance.random() < 0.05:
            self._edit()
        life.work = self.loop.begin(worker, self._work(life))
        life.work.add_done_callback(lambda _done: life.gone.done() or life.gone.set_result(None))
        await life.gone
        return life

    async def _work(self, life: _Life) -> Ended:
        clock = SimulatedClock(self.loop)
        services = Services(dispatcher=self.world, clock=clock, random=Random(self._chance.random()))  # noqa: S311
        if self.disk.info is None:
            info = RunInfo("run", "bold-otter-1", "simulated", ".", clock.now(), 1)
            life.execution = await runner.start(life.engine, services, self._definition, {}, info)
        else:
            life.execution = await runner.resume(life.engine, services, self._definition, "run")
        self.world.core = life.execution.core
        ended = await life.execution.wait()
        while ended.status == state.WAITING and self._definition.keeps_frames:
            await asyncio.sleep(50.0)
            ended = await life.execution.wait()
        return ended

    def _weather(self) -> Weather:
        if self._whole is None or self._chance.random() < 0.5:
            return CALM
        return Weather(slow=0.3, full=0.02, broken=0.02 if self._crashes_left else 0.0)

    def _draw_budget(self) -> int:
        return _QUIET if self._whole is None else self._chance.randint(1, self._whole.turns)

    # --- what happens to it -------------------------------------------------------------------------

    def _stop(self, life: _Life) -> None:
        """Kill a life, or let it sleep while another one takes the run over."""
        self._crashes_left -= 1
        self._budget = self._draw_budget()
        self.turns += life.worker.turns
        journal = life.engine.journal
        if journal is not None and self._chance.random() < 0.2:
            self.world.note(life.worker.name, "is paused")
            self.loop.pause(life.worker)
            self._stale.append(life)
            self.loop.call_later(self._chance.choice((0.2, 3.0, 30.0)), self._wake, life)
        else:
            self.crashes += 1
            self.world.note(life.worker.name, "is killed")
            if journal is not None:
                journal.crash()
            self.loop.kill(life.worker)
        if not life.gone.done():
            life.gone.set_result(None)

    def _wake(self, life: _Life) -> None:
        if life.worker.is_paused:
            self.world.note(life.worker.name, "wakes")
            self.loop.wake(life.worker)

    def _edit(self) -> None:
        """Have the workflow ask for something else at a place that is on record."""
        asked = [work.path for work in self.world.works if work.key]
        known = [p for p in asked if p in self.disk.final and self.disk.final[p].event.kind == ev.SUCCEEDED]
        if known:
            self.world.edited = {self._chance.choice(known): True}

    def _plan_cancels(self) -> None:
        for number in range(self._chance.choice((0, 0, 1, 2))):
            self.loop.call_later(self._chance.choice((0.1, 0.7, 2.5, 9.0)), self._cancel, f"cancel-{number}")

    def _cancel(self, name: str) -> None:
        paths = [work.path for work in self.world.works if work.is_open and not work.worker.is_dead]
        path = self._chance.choice(paths) if paths and self._chance.random() < 0.8 else "/"
        if path != "/" and self._chance.random() < 0.5:
            path = path.rpartition("/")[0] or "/"
        if self.disk.info is not None:
            self.world.post(Message(name, "cancel", {"path": path, "by": "somebody"}))

    def _hear(self) -> None:
        """Somebody posts a word: what is parked goes on."""
        self._posts += 1
        if self._posted is not None and not self._posted.done():
            self._posted.set_result(None)

    def _check_parked(self) -> None:
        """Check, at a moment at which nothing is ready, that a run that only waits is parked."""
        life = self._now
        if life is None or life.gone.done() or life.engine.journal is None or self.disk.info is None:
            return
        is_busy = life.engine.journal.unstored or self.world.open_works(life.worker)
        if not is_busy and not self.loop.is_busy(life.worker) and not self.disk.info.waiting:
            self.world.violated(f"{life.worker.name} waits for people only, but is not parked")

    # --- what a life has left -----------------------------------------------------------------------

    def _check_end(self, life: _Life) -> Ended | None:
        """Check what a life has left behind that has ended by itself; return how it ended, if it did."""
        violated, name = self.world.violated, life.worker.name
        if life.execution is not None and life.execution.core.live:
            violated(f"{name} has ended and left live: {', '.join(life.execution.core.live)}")
        if left := life.worker.left:
            violated(f"{name} has ended and left {len(left)} asyncio tasks")
        if timers := self.loop.timers_of(life.worker):
            violated(f"{name} has ended and left timers: {timers}")
        if works := self.world.open_works(life.worker):
            violated(f"{name} has ended, but its agents have not: {', '.join(works)}")
        ended = self._ending(life)
        self.loop.kill(life.worker)
        if ended is not None and ended.status == state.SUCCEEDED:
            last = self.disk.success
            if last is None or (last.worker, last.event.body["output"]) != (name, ended.output):
                violated(f"{name} says that the run has succeeded, which is not the last word on record")
            self.output = ended.output
        return ended

    def _ending(self, life: _Life) -> Ended | None:
        work = life.work
        if work is None or work.cancelled():
            self.world.violated(f"{life.worker.name} was cancelled by nobody")
            return None
        error = work.exception()
        self.world.note(life.worker.name, f"ends        {error!r}" if error else "ends")
        if error is None:
            return work.result()
        if isinstance(error, ReplayError) and self.world.edited:
            return None
        if not isinstance(error, EngineError) or isinstance(error, RunEnded | RunInUse):
            self.world.violated(f"{life.worker.name} has raised {error!r}")
        return None


def _told(row: Any) -> str:
    event = row.event
    return f"stored {event.seq:4} {ev.NAMES[event.kind]} {event.path} {event.body}"


class _Whole(NamedTuple):
    """A run that nothing has disturbed: what the others are compared with."""

    turns: int
    output: Any
    disk: SimulatedDisk
    violations: tuple[str, ...]


@lru_cache(maxsize=4)
def _whole(number: int, *, is_steady: bool) -> _Whole:
    shape = _shape(number, is_steady=is_steady)
    simulation = _Simulation(shape, number, is_steady=is_steady, whole=None, traced=False)
    simulation.play()
    return _Whole(simulation.turns, simulation.output, simulation.disk, tuple(simulation.world.violations))


@lru_cache(maxsize=4)
def _shape(number: int, *, is_steady: bool) -> Shape:
    return draw(Random(number), is_steady=is_steady)  # noqa: S311


def simulate(seed: int, *, traced: bool = False) -> Report:
    """Run one random workflow, kill it and recover it as the seed says, and check the promises.

    Args:
        seed: Decides everything. Seeds 4n to 4n + 3 are one workflow with crashes at other moments.
        traced: Whether to keep what happened, for reading.

    Returns:
        What broke, if anything did.
    """
    number = seed // SCHEDULES
    is_steady = number % 2 == 0
    whole = _whole(number, is_steady=is_steady)
    shape = _shape(number, is_steady=is_steady)
    simulation = _Simulation(shape, seed, is_steady=is_steady, whole=whole, traced=traced)
    simulation.play()
    violations = [*whole.violations, *simulation.world.violations]
    if is_steady and not violations and simulation.output != whole.output:
        violations.append(f"the output is {simulation.output!r} and would be {whole.output!r} without crashes")
    history = [f"{at:12.3f}  {who:<10} {what}" for at, who, what in simulation.world.history] if traced else []
    trace = "\n".join([_drawn(shape), *history]) if traced else ""
    return Report(seed, violations, simulation.lives, simulation.crashes, simulation.disk.size, trace)


def _drawn(shape: Shape, level: int = 0) -> str:
    options = ", ".join(f"{key}={value}" for key, value in shape.options.items())
    line = "  " * level + f"{shape.name} ({options})"
    return "\n".join([line, *(_drawn(part, level + 1) for part in shape.parts)])


def search(seeds: Iterable[int]) -> Report | None:
    """Simulate seed after seed; return the first report of a broken promise, with its trace, if there is one."""
    _whole.cache_clear()
    for seed in seeds:
        if simulate(seed).violations:
            return simulate(seed, traced=True)
    return None


def check_simulation(seeds: Iterable[int]) -> int:
    """Simulate a number of seeds and return how many crashes there were.

    Raises:
        AssertionError: A promise was broken; names the seed, the command that replays it, and what happened.
    """
    crashes = 0
    for seed in seeds:
        report = simulate(seed)
        if report.violations:
            raise AssertionError(simulate(seed, traced=True).text())
        crashes += report.crashes
    return crashes


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay a seed and show what happens, or try a range of seeds."""
    parser = ArgumentParser(prog="python -m maestri.testing.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the seed to replay")
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FROM", "TO"), help="seeds to try")
    given = parser.parse_args(arguments)
    if given.seed is not None:
        report = simulate(given.seed, traced=True)
        sys.stdout.write(report.text() if report.violations else f"{report.trace}\nseed {given.seed}: no violation")
        sys.stdout.write("\n")
        return 1 if report.violations else 0
    begin, end = given.seeds or (0, 1000)
    bad = 0
    for seed in range(begin, end):
        report = simulate(seed)
        if report.violations:
            bad += 1
            sys.stdout.write(f"{seed}: {report.violations[0]}\n")
    sys.stdout.write(f"{end - begin} simulations, {bad} broke a promise\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

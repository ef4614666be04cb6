"""One simulated run from its first life to its end: who lives, who is killed, paused, robbed or disturbed.

Rule 1: all that happens is drawn from one seed; a run without a `Whole` to compare with is left in peace.
Rule 2: what a life leaves behind is checked when it has ended by itself; a killed one leaves a journal.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from maestri.errors import EngineError, ReplayError, RunEnded, RunInUse
from maestri.kernel import events as ev
from maestri.kernel import runner, state
from maestri.kernel.ports import Message, RunInfo
from maestri.kernel.run import Services
from maestri.kernel.runner import Definition, Ended, Execution
from maestri.records import NamedTuple
from maestri.testing.simulated_checks import check_journal
from maestri.testing.simulated_disk import Row, SimulatedDisk
from maestri.testing.simulated_engine import CALM, Place, SimulatedEngine, Weather
from maestri.testing.simulated_flows import Flow, Shape
from maestri.testing.simulated_loop import SimulatedClock, SimulatedLoop, Stuck, Worker
from maestri.testing.simulated_world import World

_MOST_LIVES = 60
_MOST_TURNS = 200_000
_QUIET = 1 << 59
_JUMPS_S = (0.0, 0.0, 0.0, 0.0, 0.0, 3.0)  # how far the wall clock is put forward between two lives
_PATIENCE_S = 1_000_000.0


class Whole(NamedTuple):
    """A run that nothing has disturbed: what the others are compared with."""

    turns: int
    output: Any
    disk: SimulatedDisk
    violations: tuple[str, ...]


class _Life:
    """One execution of the run, in a worker of its own."""

    def __init__(self, worker: Worker, engine: SimulatedEngine, gone: asyncio.Future[None]) -> None:
        self.worker = worker
        self.engine = engine
        self.gone = gone  # completes when it has ended, was killed, or does not react any more
        self.execution: Execution | None = None
        self.work: asyncio.Task[Ended] | None = None

    def leave(self) -> None:
        """Say that nothing more is to be expected of it."""
        if not self.gone.done():
            self.gone.set_result(None)


class SimulatedRun:
    """One workflow in one world, from its first life to its end."""

    def __init__(
        self, shape: Shape, seed: int, *, is_steady: bool, whole: Whole | None, traced: bool
    ) -> None:
        """Begin. Without `whole`, the run that was never disturbed, nothing disturbs this one either."""
        self._whole = whole
        self._chance = Random(seed * 8 + 1)  # noqa: S311
        self.loop = SimulatedLoop(None if whole is None else Random(seed * 8 + 2), most_turns=_MOST_TURNS)  # noqa: S311
        self.disk = SimulatedDisk()
        self.world = World(self.loop, self.disk, Random(seed * 8 + 3), is_steady=is_steady)  # noqa: S311
        self._place = Place(self.disk, self.loop, Random(seed * 8 + 4), [], {}, [])  # noqa: S311
        self._definition = Definition(
            "simulated",
            Flow(shape, self.world),
            {},
            timeout_s=None if is_steady or self._chance.random() < 0.9 else 20.0,
            keeps_frames=self._chance.random() < 0.2,
        )
        self._is_steady = is_steady
        self._crashes_left = 0 if whole is None else self._chance.randint(1, 4)
        self._budget = self._draw_budget()
        self._stale: list[_Life] = []
        self._workers: list[Worker] = []
        self._now: _Life | None = None
        self._posts = 0
        self._ahead_s = 0.0
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
        if ended is not None and ended.status == state.FAILED and not self._is_steady:
            await self._decide_by_hand()
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
        life.work.add_done_callback(lambda _done: life.leave())
        await life.gone
        return life

    async def _work(self, life: _Life) -> Ended:
        self._ahead_s += 0.0 if self._whole is None else self._chance.choice(_JUMPS_S)
        clock = SimulatedClock(self.loop, self._ahead_s)
        services = Services(dispatcher=self.world, clock=clock, random=Random(self._chance.random()))  # noqa: S311
        if self.disk.info is None:
            info = RunInfo("run", "bold-otter-1", "simulated", ".", clock.now(), 1)
            life.execution = await runner.start(life.engine, services, self._definition, {}, info)
        else:
            life.execution = await runner.resume(life.engine, services, self._definition, "run")
        try:
            ended = await life.execution.wait()
            while ended.status == state.WAITING and self._definition.keeps_frames:
                await asyncio.sleep(50.0)
                ended = await life.execution.wait()
            return ended
        finally:
            if not life.worker.is_dead:
                await life.execution.over()

    def _weather(self) -> Weather:
        if self._whole is None or self._chance.random() < 0.5:
            return CALM
        return Weather(slow=0.3, full=0.02, broken=0.02 if self._crashes_left else 0.0)

    def _draw_budget(self) -> int:
        return _QUIET if self._whole is None else self._chance.randint(1, max(1, self._whole.turns))

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
        life.leave()

    def _wake(self, life: _Life) -> None:
        if life.worker.is_paused:
            self.world.note(life.worker.name, "wakes")
            self.loop.wake(life.worker)

    def _edit(self) -> None:
        """Have the workflow ask for something else at a place that is on record."""
        asked = [work.path for work in self.world.works if work.key and work.path not in self.world.by_hand]
        known = [p for p in asked if p in self.disk.final and self.disk.final[p].event.kind == ev.SUCCEEDED]
        if known:
            self.world.edited = {self._chance.choice(known): True}

    async def _decide_by_hand(self) -> None:
        """Have somebody decide about a step that has failed: skip it, accept an output, or try it again."""
        asked = {work.path for work in self.world.works if work.key}
        failed = sorted(asked.intersection(self.disk.rows[-1].event.body.get("because", ())))
        verb = self._chance.choice(("", "", "", "", "retry", "skip", "accept"))
        if not failed or not verb:
            return
        path = self._chance.choice(failed)
        output = {"by": "hand"} if verb == "accept" else None
        self.world.note("somebody", f"decides     {verb} {path}")
        worker = Worker("somebody")
        self._workers.append(worker)
        clock = SimulatedClock(self.loop, self._ahead_s)
        services = Services(dispatcher=self.world, clock=clock, random=self._chance)
        engine = SimulatedEngine(self._place, worker)
        await self.loop.begin(worker, runner.direct(engine, services, "run", verb, path, output))
        if verb != "retry":
            self.world.by_hand[path] = output

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
        journal = life.engine.journal
        is_busy = journal.error or journal.unstored or self.world.open_works(life.worker)
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


def _told(row: Row) -> str:
    event = row.event
    body = {key: value for key, value in event.body.items() if key != "process"}  # of the real machine
    return f"stored {event.seq:4} {ev.NAMES[event.kind]} {event.path} {body}"

"""An engine on a simulated disk: it groups its commits, is slow at times, fills up, fails, and is killed.

Rule 1: a transaction is under way for a drawn time; the next one holds all that came meanwhile.
Rule 2: at a crash any prefix of what was not acknowledged may turn out to be stored, and nothing else.
Rule 3: on a full disk a transaction is tried again; any other failure ends the lease. As on a real one.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import copy_context
from random import Random

from maestri.errors import EngineError, MaestriError, RunInUse, RunNotFound, StaleOwner
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.ports import Message, Reader, RunInfo
from maestri.records import NamedTuple
from maestri.testing.simulated_disk import Entry, SimulatedDisk
from maestri.testing.simulated_loop import SimulatedLoop, Worker

_RETRY_S = 0.5


class Weather(NamedTuple):
    """How a disk behaves for one worker: the chances of what may happen to a transaction.

    `full_s` is for how many virtual seconds a full disk stays full.
    """

    slow: float = 0.0
    full: float = 0.0
    full_s: float = 2.0
    broken: float = 0.0


CALM = Weather()


class _Waiting(NamedTuple):
    entry: Entry
    waiter: asyncio.Future[None] | None


class Place(NamedTuple):
    """Where the workers of one simulation meet."""

    disk: SimulatedDisk
    loop: SimulatedLoop
    random: Random
    owners: list[Worker]  # the last one holds the run
    listeners: dict[int, Callable[[], None]]
    acknowledged: list[tuple[int, Event]]  # epoch and event, in the order in which they were told


class SimulatedJournal:
    """The journal of the run, under the lease of one worker."""

    def __init__(self, place: Place, worker: Worker, weather: Weather) -> None:
        """Begin after the last stored event."""
        self._place = place
        self.worker = worker
        self._weather = weather
        self.epoch = place.disk.held.epoch
        self._seq = place.disk.size
        self._taken = set(place.disk.taken)
        self._queue: list[_Waiting] = []
        self._under_way: list[_Waiting] = []
        self._is_writing = False
        self._full_until = 0.0
        self._closing: asyncio.Future[None] | None = None
        self.error: MaestriError | None = None
        self.retried: dict[str, int] = {}  # attempts that failed under this lease, also where not stored yet

    @property
    def info(self) -> RunInfo:
        """The run, with the epoch under which this journal may write."""
        return self._place.disk.held._replace(epoch=self.epoch)

    # --- the port -----------------------------------------------------------------------------------

    def append(self, event: Event) -> None:
        """Add an event that rides with the next commit."""
        self._add(event, None, None)

    def commit(self, event: Event) -> Future[None]:
        """Add an event and return what completes when it is stored."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(event, stored, None)
        return stored

    def take(self, message: Message, event: Event) -> Awaitable[None]:
        """Record a message as an event, once only, in one transaction."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if message.id in self._taken:
            stored.set_result(None)
            return stored
        self._taken.add(message.id)
        self._add(event, stored, message.id)
        return stored

    async def settled(self, scope: str) -> Sequence[Stored]:
        """Return the events of one scope that a resume needs, in order."""
        return list(self._place.disk.by_scope.get(scope, ()))

    async def last(self, scope: str, count: int) -> Sequence[Stored]:
        """Return the last `count` of the events that `settled` would return."""
        found = self._place.disk.by_scope.get(scope, [])
        return found[len(found) - min(count, len(found)) :]

    async def messages(self, skip: Collection[str] = ()) -> Sequence[Message]:
        """Return what is in the mailbox and was not taken yet."""
        out = self._taken.union(skip)
        return [message for message in self._place.disk.mail.values() if message.id not in out]

    async def close(self) -> None:
        """Wait until everything is stored and give the lease back.

        Raises:
            EngineError: Not everything could be stored.
        """
        while self._queue or self._under_way:
            self._closing = asyncio.get_running_loop().create_future()
            await self._closing
        disk = self._place.disk
        if self.error is not None:
            self._let_go()
            raise self.error
        if not disk.may_write(self.epoch):
            raise self._stale()
        self._let_go()

    def _let_go(self) -> None:
        disk = self._place.disk
        if disk.may_write(self.epoch):
            disk.info = disk.held._replace(alive=False)

    # --- transactions -------------------------------------------------------------------------------

    @property
    def unstored(self) -> list[Event]:
        """What was handed over and is not stored yet."""
        return [waiting.entry.event for waiting in (*self._under_way, *self._queue)]

    def _add(self, event: Event, waiter: asyncio.Future[None] | None, message: str | None) -> None:
        if self.worker.is_dead:
            return
        self._seq += 1
        if event.kind == ev.RETRIED:
            self.retried[event.path] = self.retried.get(event.path, self._attempts(event.path)) + 1
        self._queue.append(_Waiting(Entry(Event(*event[:6], self._seq), message), waiter))
        if not self._is_writing:
            self._is_writing = True
            self._later(self._begin)

    def _attempts(self, path: str) -> int:
        return self._place.disk.attempts.get(path, 0)

    def _later(self, callback: Callable[[], None]) -> None:
        """Go on in the next turn, or after a drawn time."""
        random = self._place.random
        # What is added after an error is refused, and refusing takes no time.
        if self.error is None and self._weather.slow and random.random() < self._weather.slow:
            self._place.loop.call_later(random.choice((0.001, 0.1, 3.0)), callback)
        else:
            self._place.loop.call_soon(callback)

    def _begin(self) -> None:
        self._under_way, self._queue = self._queue, []
        self._later(self._write)

    def _write(self) -> None:
        """Store the transaction that is under way, unless the disk is full or fails."""
        place, weather = self._place, self._weather
        now = place.loop.time()
        if weather.full and now >= self._full_until and place.random.random() < weather.full:
            self._full_until = now + weather.full_s
        if now < self._full_until:
            place.loop.call_later(_RETRY_S, self._write)
            return
        if self.error is None and weather.broken and place.random.random() < weather.broken:
            self._break()
        if self.error is None and not self.store(self._under_way):
            self.error = self._stale()
        if self.error is not None:
            self.refuse(self.error)
        else:
            self._later(self._tell)

    def store(self, waiting: list[_Waiting]) -> bool:
        """Store a transaction; tell whether this journal still holds the run."""
        entries = [one.entry for one in waiting]
        return self._place.disk.store(entries, self.epoch, self.worker.name)

    def _break(self) -> None:
        """Let the disk fail. What was being written may be found there later, or not."""
        if self._place.random.random() < 0.5:
            self.store(self._under_way)
        self.error = EngineError("the disk has failed", fix="mend it and resume the run")

    def _tell(self) -> None:
        """Tell those who wait, and begin the next transaction."""
        for entry, waiter in self._under_way:
            self.acknowledge(entry.event, waiter)
        self._next()

    def acknowledge(self, event: Event, waiter: asyncio.Future[None] | None) -> None:
        """Tell one who waits that its event is stored."""
        if waiter is not None and not waiter.done():
            self._place.acknowledged.append((self.epoch, event))
            waiter.set_result(None)

    def refuse(self, error: MaestriError) -> None:
        """Tell those who wait that nothing more is stored under this lease."""
        self._queue, waiting = [], self._under_way + self._queue
        for _, waiter in waiting:
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)
        self._next()

    def _next(self) -> None:
        self._under_way = []
        self._is_writing = bool(self._queue)
        if self._queue:
            self._later(self._begin)
        elif self._closing is not None and not self._closing.done():
            self._closing.set_result(None)

    def _stale(self) -> StaleOwner:
        message = "another worker has taken the run over"
        return StaleOwner(message, fix="look at the run; resume it if it is not going on")

    def crash(self) -> None:
        """Decide what the disk holds of what was not acknowledged: any prefix, no part of a transaction."""
        first = len(self._under_way)
        waiting = self._under_way + self._queue
        self._under_way, self._queue = [], []
        if self.error is None and waiting:
            random = self._place.random
            count = random.choice((0, 0, len(waiting), random.randint(0, len(waiting))))
            self.keep(waiting, count if count >= first else 0)

    def keep(self, waiting: list[_Waiting], count: int) -> None:
        """Have the first entries of a queue on the disk after a crash."""
        if count:
            already = self._place.disk.size
            fresh = [one for one in waiting[:count] if one.entry.event.seq > already]
            self.store(fresh)


class SimulatedEngine:
    """What one worker sees of the engine."""

    def __init__(self, place: Place, worker: Worker, weather: Weather = CALM) -> None:
        """Begin without a lease."""
        self._place = place
        self.worker = worker
        self._weather = weather
        self.journal: SimulatedJournal | None = None

    async def create(self, info: RunInfo, first: Event) -> SimulatedJournal:
        """Store the run with its first event and take its lease.

        Raises:
            EngineError: There is one.
        """
        if self._place.disk.info is not None:
            raise EngineError("there is a run already", fix="draw another id")
        self._place.disk.create(info)
        self._place.owners.append(self.worker)
        self._place.disk.write([Entry(first._replace(seq=1))], 1, self.worker.name)
        self.journal = SimulatedJournal(self._place, self.worker, self._weather)
        return self.journal

    async def lease(self, run_id: str) -> SimulatedJournal:
        """Take the lease of the run, also from a worker that does not react any more.

        Raises:
            RunNotFound: There is no run.
            RunInUse: A worker holds it.
        """
        disk, owners = self._place.disk, self._place.owners
        if disk.info is None:
            raise RunNotFound("there is no run", fix="start one", run=run_id)
        if disk.info.alive and not (owners[-1].is_dead or owners[-1].is_paused):
            raise RunInUse("another worker executes the run", fix="watch it", run=run_id)
        disk.info = disk.info._replace(epoch=disk.info.epoch + 1, alive=True)
        owners.append(self.worker)
        self.journal = SimulatedJournal(self._place, self.worker, self._weather)
        return self.journal

    def runs(self) -> Sequence[RunInfo]:
        """Return the run, if there is one."""
        return [] if self._place.disk.info is None else [self._place.disk.info]

    def read(self, run_id: str) -> Reader:
        """Return a reader: nobody reads in a simulation.

        Raises:
            RunNotFound: Always.
        """
        raise RunNotFound("a simulation is read from its disk", fix="see `SimulatedDisk`", run=run_id)

    def post(self, run_id: str, message: Message) -> None:
        """Put a message into the mailbox; who listens hears of it in the next turn."""
        self._place.disk.mail.setdefault(message.id, message)
        for listener in list(self._place.listeners.values()):
            listener()

    def watch(self, listener: Callable[[str, Sequence[Event]], None]) -> Callable[[], None]:
        """Tell nobody: nobody watches a simulation."""
        return _nothing

    def on_mail(self, run_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` in its worker when there is mail; returns how to stop it."""
        loop, listeners = self._place.loop, self._place.listeners
        context = copy_context()
        number = max(listeners, default=0) + 1

        def hear() -> None:
            if number in listeners:
                listener()

        def tell() -> None:
            loop.call_soon(hear, context=context)

        listeners[number] = tell
        if set(self._place.disk.mail) - self._place.disk.taken:
            tell()

        def stop() -> None:
            listeners.pop(number, None)

        return stop

    async def close(self) -> None:
        """There is nothing to let go of."""


def _nothing() -> None:
    pass

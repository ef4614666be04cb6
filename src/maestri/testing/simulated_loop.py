"""An event loop without a clock, without I/O and without chance: everything that happens comes from a seed.

Rule 1: time stands still while anything is ready, then jumps to the next timer.
Rule 2: tasks that are ready together are woken in a drawn order. Plain callbacks keep their place, and no
task is moved past one: asyncio documents that callbacks are called in the order in which they came.
Rule 3: whatever a worker schedules carries its name. A dead worker runs no more, a paused one later.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from random import Random
from typing import Any, TypeVar

from maestri.kernel.ports import Timer

T = TypeVar("T")
EPOCH_S = 1_000_000_000.0
_NEVER = 1 << 60
_CLOSINGS = 50  # how often a coroutine may await in its `finally` blocks while it is thrown away


class Stuck(Exception):
    """Nothing is ready, no timer runs, and what is waited for has not come."""


class Worker:
    """A simulated process. After `stops_at` of its callbacks `on_stop` says what becomes of it."""

    __slots__ = ("context", "held", "is_dead", "is_paused", "name", "on_stop", "stops_at", "tasks", "turns")

    def __init__(self, name: str) -> None:
        """Begin alive."""
        self.name = name
        self.is_dead = False
        self.is_paused = False
        self.held: list[_Callback] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.turns = 0
        self.stops_at = _NEVER
        self.on_stop: Callable[[Worker], None] = _nothing
        self.context = copy_context()
        self.context.run(WORKER.set, self)

    @property
    def left(self) -> list[asyncio.Task[Any]]:
        """Its asyncio tasks that have not ended."""
        return [task for task in self.tasks if not task.done()]


WORKER: ContextVar[Worker | None] = ContextVar("worker", default=None)


def _nothing(_worker: Worker) -> None:
    pass


class _Callback(asyncio.TimerHandle):
    """A callback that is to be called, with the worker it belongs to."""

    __slots__ = ("args", "callback", "context", "due", "gone", "worker")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> None:
        """Belong to whoever schedules it."""
        self.context = copy_context() if context is None else context
        self.worker = self.context.get(WORKER)
        self.callback = callback
        self.args = args
        self.gone = False
        self.due = 0.0

    def cancel(self) -> None:
        """Do not call it."""
        self.gone = True

    def cancelled(self) -> bool:
        """Tell whether it was cancelled."""
        return self.gone

    def when(self) -> float:
        """Return when it is due."""
        return self.due

    def __hash__(self) -> int:
        """Return its identity."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the same callback."""
        return self is other

    def __repr__(self) -> str:
        """Return what it calls."""
        return f"<callback {self.callback!r}>"

    @property
    def is_step(self) -> bool:
        """Whether it wakes an asyncio task."""
        return isinstance(getattr(self.callback, "__self__", None), asyncio.Task)


class SimulatedLoop(asyncio.BaseEventLoop):
    """An event loop for one simulation; what it does not offer (sockets, processes, threads) is refused."""

    def __init__(self, random: Random | None = None, *, most_turns: int = 1_000_000) -> None:
        """Shuffle by `random`; without it, wake tasks in the order of asyncio.

        Args:
            random: Where the order is drawn from.
            most_turns: After so many callbacks a simulation does not end, and is stopped.
        """
        self._is_running = False
        self._was_closed = False
        super().__init__()
        self._random = random
        self._now = 0.0
        self._next: list[_Callback] = []
        self._timers: list[tuple[float, float, int, _Callback]] = []
        self._order = count()
        self._turns_left = most_turns
        self.errors: list[BaseException] = []  # what callbacks have raised

    # --- the interface that asyncio asks for --------------------------------------------------------

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Call back in the next turn."""
        handle = _Callback(callback, args, context)
        if handle.worker is None or not handle.worker.is_dead:
            self._next.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back after a delay in seconds."""
        return self.call_at(self._now + max(0.0, delay), callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back at a time of the loop."""
        handle = _Callback(callback, args, context)
        handle.due = when
        tie = 0.0 if self._random is None else self._random.random()
        heapq.heappush(self._timers, (when, tie, next(self._order), handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Return a task of this loop; it belongs to the worker that makes it."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        worker = WORKER.get()
        if worker is not None:
            worker.tasks.append(task)
        return task

    def get_debug(self) -> bool:
        """Return False: debugging would read the real clock."""
        return False

    def run_in_executor(self, *_args: Any) -> Any:  # type: ignore[override]
        """Refuse: what a thread does, no seed decides.

        Raises:
            NotImplementedError: Always.
        """
        message = "a simulation has no threads: give its agents async functions"
        raise NotImplementedError(message)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Pass over what asyncio says at a moment that the garbage collector chooses."""

    def is_running(self) -> bool:
        """Tell whether it runs."""
        return self._is_running

    def is_closed(self) -> bool:
        """Tell whether it was closed."""
        return self._was_closed

    def close(self) -> None:
        """Forget what was to be called."""
        self._was_closed = True
        self._next.clear()
        self._timers.clear()

    # --- running ------------------------------------------------------------------------------------

    def run_until_complete(self, future: Any) -> Any:
        """Run until a coroutine or future is done, and return its result.

        Raises:
            Stuck: It cannot be done any more, or does not end.
        """
        asyncio._set_running_loop(self)  # noqa: SLF001  - made for loops
        self._is_running = True
        try:
            awaited = asyncio.ensure_future(future, loop=self)
            while not awaited.done():
                self._turn()
            return awaited.result()
        finally:
            self._is_running = False
            asyncio._set_running_loop(None)  # noqa: SLF001

    def _turn(self) -> None:
        if not self._next:
            self._jump()
        batch, self._next = self._next, []
        if self._random is not None and len(batch) > 1:
            self._shuffle(batch, self._random)
        for handle in batch:
            if not handle.gone and self._may_run(handle):
                try:
                    handle.context.run(handle.callback, *handle.args)
                except Exception as error:  # noqa: BLE001  - asyncio goes on after it, too
                    self.errors.append(error)
        self._turns_left -= len(batch)
        if self._turns_left < 0:
            message = "it does not come to an end"
            raise Stuck(message)

    @staticmethod
    def _may_run(handle: _Callback) -> bool:
        """Tell whether its worker runs; one whose time has come is stopped here, between two callbacks."""
        worker = handle.worker
        if worker is None:
            return True
        if not worker.is_dead and not worker.is_paused:
            worker.turns += 1
            if worker.turns < worker.stops_at:
                return True
            worker.stops_at = _NEVER
            worker.on_stop(worker)
        if worker.is_paused:
            worker.held.append(handle)
        return not worker.is_dead and not worker.is_paused

    def _jump(self) -> None:
        timers = self._timers
        while timers and _is_over(timers[0][3]):
            heapq.heappop(timers)
        if not timers:
            message = "nothing is ready and no timer runs"
            raise Stuck(message)
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            self._next.append(heapq.heappop(timers)[3])

    @staticmethod
    def _shuffle(batch: list[_Callback], random: Random) -> None:
        begin = 0
        for end in range(len(batch) + 1):
            if end == len(batch) or not batch[end].is_step:
                if end - begin > 1:
                    part = batch[begin:end]
                    random.shuffle(part)
                    batch[begin:end] = part
                begin = end + 1

    # --- workers ------------------------------------------------------------------------------------

    def begin(self, worker: Worker, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin an asyncio task in a worker."""
        return worker.context.run(self.create_task, work)

    def kill(self, worker: Worker) -> None:
        """Let a worker vanish between two of its callbacks, as a killed process does."""
        worker.is_dead = True
        worker.is_paused = False
        worker.held.clear()
        for task in worker.left:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001  - it is no mistake
            worker.context.run(_throw_away, task.get_coro())
        worker.tasks.clear()

    @staticmethod
    def pause(worker: Worker) -> None:
        """Stop a worker without telling it, as a stopped process or a machine that swaps."""
        worker.is_paused = True

    def wake(self, worker: Worker) -> None:
        """Let a paused worker go on where it was."""
        worker.is_paused = False
        self._next += worker.held
        worker.held = []

    def is_busy(self, worker: Worker) -> bool:
        """Tell whether anything of a worker is about to run, now or later."""
        return any(handle.worker is worker for handle in self._next) or bool(self.timers_of(worker))

    def timers_of(self, worker: Worker) -> list[_Callback]:
        """Return what a worker has asked to be called for later."""
        return [entry[3] for entry in self._timers if entry[3].worker is worker and not entry[3].gone]


def _is_over(handle: _Callback) -> bool:
    return handle.gone or (handle.worker is not None and handle.worker.is_dead)


def _throw_away(coroutine: Any) -> None:
    """Close a coroutine that nobody will wake again.

    Its `finally` blocks run although a killed process would run none; nothing of what they do is heard. One
    that awaits is closed again, where it now is.
    """
    for _ in range(_CLOSINGS):
        try:
            coroutine.close()
        except RuntimeError:  # it has awaited in a `finally`
            continue
        except BaseException:  # noqa: BLE001, S112  - its last words
            continue
        return


class SimulatedClock:
    """The clock of a worker: the loop's time, seconds since 1970, as far as the worker's machine knows it."""

    def __init__(self, loop: SimulatedLoop, ahead_s: float = 0.0) -> None:
        """Read the time of a loop, and be ahead of it by `ahead_s` seconds."""
        self._loop = loop
        self._ahead_s = ahead_s

    def now(self) -> float:
        """Return the virtual seconds since 1970."""
        return EPOCH_S + self._loop.time() + self._ahead_s

    def monotonic(self) -> float:
        """Return the seconds of a clock that nobody sets."""
        return self._loop.time()

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call back after a delay."""
        return self._loop.call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        await asyncio.sleep(delay_s)

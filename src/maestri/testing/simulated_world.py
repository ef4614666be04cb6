"""The world outside of a run: agents that work, fail and hang, people who answer, and a memory of it all.

Rule 1: what was done here stays done, whatever becomes of the worker that had it done.
Rule 2: whether an attempt fails depends on its path and number alone, so that a steady workflow is steady.
Rule 3: every promise that shows at the moment of an action is checked at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any
from zlib import crc32

from maestri.errors import ExitFailed, StepFailed
from maestri.kernel import events as ev
from maestri.kernel.ports import Answer, Attempt, Message, Task
from maestri.testing.simulated_disk import SimulatedDisk
from maestri.testing.simulated_engine import SimulatedEngine
from maestri.testing.simulated_loop import WORKER, SimulatedLoop, Worker

_ANSWERS_S = (0.0, 0.0, 0.3, 5.0, 3600.0, 86400.0)  # a limit of time never sees the last two
_HANGS_AGAIN = 3  # how often a step may hang or be slow where a limit of time could make that last for ever


class Work:
    """One performance of a step: by whom, which attempt, and whether it is still going on."""

    __slots__ = ("is_open", "key", "number", "path", "worker")

    def __init__(self, path: str, number: int, key: str, worker: Worker) -> None:
        """Begin it."""
        self.path = path
        self.number = number
        self.key = key
        self.worker = worker
        self.is_open = True


class World:
    """What all lives of one run have in common, outside of its journal."""

    def __init__(self, loop: SimulatedLoop, disk: SimulatedDisk, random: Random, *, is_steady: bool) -> None:
        """Begin with nothing done.

        Args:
            loop: The loop of the simulation.
            disk: What is stored, to compare what is done with it.
            random: Where times are drawn from.
            is_steady: Whether how an attempt ends may depend on its path and number only.
        """
        self._loop = loop
        self._disk = disk
        self._random = random
        self._is_steady = is_steady
        self._posted: set[str] = set()
        self._cancelled_by_hand: set[str] = set()
        self.works: list[Work] = []
        self.violations: list[str] = []
        self.history: list[tuple[float, str, str]] = []
        self.engine: SimulatedEngine | None = None  # of the last life
        self.edited: dict[str, Any] = {}  # steps on record that the workflow asks for in another way now
        self.suspected: list[tuple[str, str]] = []  # who cancelled what while a join was unstored
        self.by_hand: dict[str, Any] = {}  # the outputs of steps that somebody has decided
        self.expected: set[str] = set()  # ids of messages that are under way
        self.on_post: Callable[[], None] = _nothing
        self.on_quiet: Callable[[], None] = _nothing  # before a word comes to those who wait for it

    def note(self, who: str, what: str) -> None:
        """Remember what happens, for the trace of a failing seed."""
        self.history.append((self._loop.time(), who, what))

    def lines(self) -> list[str]:
        """Return what happened, a line each: when, who, what."""
        return [f"{at:12.3f}  {who:<10} {what}" for at, who, what in self.history]

    def violated(self, promise: str) -> None:
        """Remember that a promise was broken."""
        self.violations.append(promise)
        self.note("!", promise)

    # --- agents -------------------------------------------------------------------------------------

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Work for a while, then answer, fail, or hang.

        Raises:
            RunError: The script says that this attempt fails.
        """
        if task.agent == "directory":
            await self.called(attempt.path)
            return Answer({"dir": "/copy"})
        options = task.request
        work = self._begin(attempt.path, attempt.number, attempt.key, costs=options["costs"])
        again = 0 if self._is_steady else sum(one.path == attempt.path for one in self.works)
        try:
            if attempt.number <= options["hangs"] and again < _HANGS_AGAIN:
                await asyncio.get_running_loop().create_future()
            await self._take_time(10.0 if options["slow"] and again < _HANGS_AGAIN else 0.0)
        except asyncio.CancelledError:
            await self._cancelled(work)
            raise
        finally:
            self._end(work)
        if attempt.number <= options["fails"]:
            raise (StepFailed, ExitFailed, ValueError)[attempt.number % 3](f"attempt {attempt.number} fails")
        return Answer({"path": attempt.path, "value": crc32(attempt.path.encode()) % 100})

    async def called(self, path: str) -> Any:
        """Do the work of a function; it has no attempts that could fail."""
        work = self._begin(path, 1, "", costs=False)
        try:
            await self._take_time(0.0)
        except asyncio.CancelledError:
            await self._cancelled(work)
            raise
        finally:
            self._end(work)
        return {"path": path}

    async def _take_time(self, more_s: float) -> None:
        time_s = self._random.choice((0.0, 0.0, 0.0, 0.5, 1.0, 4.0)) + more_s
        if time_s:
            await asyncio.sleep(time_s)

    async def _cancelled(self, work: Work) -> None:
        """Stop, which may take a moment as well."""
        if work.worker.is_dead:
            return
        self.note(work.worker.name, f"cancelled   {work.path}")
        if self._is_owner(work.worker) and self._is_parked():
            self.violated(f"the run was parked while {work.path} was performed")
        self._check_cause(work)
        if self._random.random() < 0.4:
            await asyncio.sleep(0.2)

    def _begin(self, path: str, number: int, key: str, *, costs: bool) -> Work:
        worker = WORKER.get()
        if worker is None:
            message = "work is done by a worker"
            raise RuntimeError(message)
        work = Work(path, number, key, worker)
        self.note(worker.name, f"performs    {path} attempt {number}")
        if self._is_owner(worker):  # a free step is not announced: a stale owner may begin one more
            self._check_begin(work)
        if costs and (path, number, worker.name) not in self._disk.started:
            self.violated(f"a step that costs money is sent before its start is stored: {path}")
        self.works.append(work)
        return work

    def _end(self, work: Work) -> None:
        if not work.worker.is_dead:
            work.is_open = False
            self.note(work.worker.name, f"has done    {work.path}")

    def open_works(self, worker: Worker) -> list[str]:
        """Return the paths of what a worker has not ended."""
        return [work.path for work in self.works if work.is_open and work.worker is worker]

    # --- what is checked at the moment of an action -------------------------------------------------

    def _is_owner(self, worker: Worker) -> bool:
        journal = self.engine.journal if self.engine is not None else None
        return journal is not None and journal.worker is worker and self._disk.may_write(journal.epoch)

    def _check_begin(self, work: Work) -> None:
        disk, path = self._disk, work.path
        if path in disk.final:
            self.violated(f"a finished step is performed again: {path}")
        above = disk.closed_above(path)
        if above is not None:
            self.violated(f"a step is performed in the closed scope {above}: {path}")
        if not work.key:
            return
        journal = self.engine.journal if self.engine is not None else None
        retried = journal.retried.get(path, 0) if journal is not None else 0
        wanted = 1 + max(disk.attempts.get(path, 0), retried)
        if work.number != wanted or not work.key.endswith(f"{path}/{wanted}"):
            self.violated(f"the key of {path} is {work.key}, though it is attempt {wanted}")

    def _is_parked(self) -> bool:
        """Tell whether the last word about the run as a whole is that it waits for people."""
        journal = self.engine.journal if self.engine is not None else None
        unstored = [] if journal is None else [event.kind for event in journal.unstored if not event.scope]
        return unstored[-1] == ev.RUN_PARKED if unstored else bool(self._disk.held.waiting)

    def _check_cause(self, work: Work) -> None:
        """Suspect a cancellation for a decision that is not stored; the journal tells later if it was."""
        journal = self.engine.journal if self.engine is not None else None
        if journal is None or not self._is_owner(work.worker):
            return
        if any(f"{work.path}/".startswith(f"{path.rstrip('/')}/") for path in self._cancelled_by_hand):
            return  # by hand: nothing had to be decided
        scope = work.path.rpartition("/")[0]
        if any(event.kind == ev.DECIDED and event.path == f"{scope}/join" for event in journal.unstored):
            self.suspected.append((work.worker.name, work.path))

    # --- what a workflow says -----------------------------------------------------------------------

    def request(self, path: str) -> dict[str, Any]:
        """Return what a step adds to its request; it is another thing once the workflow was edited."""
        return {"edited": True} if path in self.edited else {}

    def saw(self, path: str, value: Any) -> None:
        """Compare what a workflow was given with what was on record when it was asked for."""
        worker = WORKER.get()
        if worker is None or not self._is_owner(worker):
            return
        if path in self.edited:
            self.violated(f"a step got the record of another request: {path}")
        if self._disk.decided.get(path, value) != value:
            self.violated(f"{path} was decided anew: {value!r}, on record is {self._disk.decided[path]!r}")
        row = self._disk.final.get(path)
        if row is not None and row.event.kind == ev.SUCCEEDED and row.event.body.get("output") != value:
            self.violated(f"{path} gave {value!r}, on record is {row.event.body.get('output')!r}")

    def got(self, path: str, answer: Any) -> None:
        """Compare an answer with the only one that this step can have."""
        if path in self.by_hand:
            is_right = answer == self.by_hand[path]
        else:
            is_right = isinstance(answer, dict) and answer.get("path") == path
        if not is_right:
            self.violated(f"{path} gave {answer!r}, which is not its answer")
        self.saw(path, answer)

    def wants(self, path: str, verb: str) -> None:
        """Have somebody send the word that a workflow is about to wait for, now or much later."""
        if path in self._posted:
            return
        self._posted.add(path)
        names = {"name": path} if verb == "signal" else {"path": path}
        message = Message(f"m{len(self._posted):04}", verb, {**names, "value": f"word for {path}"})
        delay_s = self._random.choice(_ANSWERS_S if self._is_steady else _ANSWERS_S[:4])
        if not self._is_steady and self._random.random() < 0.2:
            self.post(message)
            return
        self.expected.add(message.id)
        context = Worker("outside").context
        context.run(WORKER.set, None)
        self._loop.call_later(delay_s, self._post_late, message, context=context)

    def _post_late(self, message: Message) -> None:
        self.on_quiet()
        self.post(message)

    def post(self, message: Message) -> None:
        """Put a message into the mailbox, where it stays until it is taken."""
        self.note("outside", f"posts       {message.verb} {message.data}")
        self.on_post()
        if message.verb == "cancel":
            self._cancelled_by_hand.add(message.data["path"])
        self.expected.discard(message.id)
        if self.engine is not None:
            self.engine.post("run", message)
            if self._random.random() < 0.2:
                self.engine.post("run", message)


def _nothing() -> None:
    pass

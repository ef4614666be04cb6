"""Starts, resumes and ends runs: the one place where a body meets a journal.

Rule 1: a run is executed under a lease; without one nothing is written.
Rule 2: every end of a run is one event, stored before anybody hears of it.
Rule 3: a resume of a failed run reopens, on the record, the failures that nobody handled.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from maestri.errors import Failure, PathNotFound, RunEnded, RunError, from_failure, to_failure
from maestri.kernel import codec, directions, mail, reports, state
from maestri.kernel import events as ev
from maestri.kernel.closing import Outcome, failure_body, settle
from maestri.kernel.context import Context
from maestri.kernel.events import Event, Stored
from maestri.kernel.past import NOTHING, cancelled_fields, read_past
from maestri.kernel.path import ROOT, RUN, ancestors
from maestri.kernel.ports import Engine, Journal, Message, RunInfo
from maestri.kernel.run import PARKED, REQUEST, UNDER_WAY, UNWINDING, RunCore, Services
from maestri.records import NamedTuple
from maestri.values import Json


class Definition(NamedTuple):
    """What a run executes.

    `body` is called with the root context and the inputs. `record` is what the journal keeps of it, so that a
    resume finds it again and notices a change. A run that `keeps_frames` holds code of a user whose
    `finally` blocks must not run when the run is only parked.
    """

    name: str
    body: Callable[[Context, Mapping[str, Json]], Awaitable[Any]]
    record: Mapping[str, Json]
    version: str = ""
    timeout_s: float | None = None
    keeps_frames: bool = False


class Ended(NamedTuple):
    """How a run ended, or why it stopped for now: `status` is a word of `kernel/state.py`."""

    run: RunInfo
    status: str
    output: Any = None
    failure: Failure | None = None
    handled: int = 0
    waiting: tuple[str, ...] = ()

    def result(self) -> Any:
        """Return the output.

        Raises:
            RunError: The run failed, was cancelled, or waits.
        """
        if self.status == state.SUCCEEDED:
            return self.output
        if self.failure is not None:
            raise from_failure(self.failure)
        message = f"the run {self.run.name} is {self.status}"
        raise RunError(message, run=self.run.name, fix=f"see `maestri show {self.run.name}`")


class Execution:
    """A run under way in this process."""

    def __init__(
        self, core: RunCore, definition: Definition, inputs: Mapping[str, Json], engine: Engine
    ) -> None:
        """Made by `start` and `resume`; it begins at once."""
        self.core = core
        self.info = core.info
        self._definition = definition
        self._inputs = inputs
        self._engine = engine
        self._ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        core.waits.on_idle = self._idle
        core.on_wake = self._wake
        self._mail = mail.Mail(core, engine, self._give_up)
        self._parked: Ended | None = None
        self._broken: BaseException | None = None
        self._is_ending = False  # all but its end is done: what breaks now is of no interest to it
        self._task = asyncio.get_running_loop().create_task(self._execute())
        self._task.add_done_callback(self._finished)

    async def wait(self) -> Ended:
        """Return when the run has ended, or waits for nothing but people.

        Raises:
            MaestriError: The engine or the replay has a problem; the run is left as it was.
        """
        return await asyncio.shield(self._ended)

    async def over(self) -> None:
        """Return when nothing of the run is under way in this process any more, however it came to that."""
        await asyncio.wait({self._task})

    async def cancel(self, path: str = ROOT, reason: str = "request") -> None:
        """Cancel the run, or a scope or step of it, on the record.

        A run that is just being parked is cancelled when it goes on: the request waits in its mailbox.

        Raises:
            PathNotFound: Nothing is under way there.
        """
        core = self.core
        if core.phase == UNWINDING and not self._task.done():
            name = f"{core.random.getrandbits(64):016x}-{self.info.epoch}"
            self._engine.post(self.info.id, Message(name, mail.CANCEL, {"path": path, "by": reason}))
            return
        core.cancel(path, reason)  # it is heard in a later turn, after what is appended now
        self._wake()
        core.journal.append(mail.request(core.clock, path, reason))

    async def _execute(self) -> Ended:
        core, definition = self.core, self._definition
        stored: Awaitable[None] | None = None
        await self._mail.open()
        try:
            if core.is_resumed and core.services.has_mailboxes(core.info.id):
                await reports.take_left(core, self._engine)
            past = await read_past(core, ROOT) if core.is_resumed else NOTHING
            scope = Context(core, ROOT, past=past)
            inputs = dict(self._inputs)
            outcome = await settle(core, scope, lambda c: definition.body(c, inputs), definition.timeout_s)
            await _sweep(core)
            ended, event = self._end(scope, outcome)
            self._is_ending = True
            stored = core.journal.commit(event)  # in one transaction with the end of the lease
        finally:
            await self._mail.close()
            await _sweep(core)
            try:
                await core.journal.close()
            finally:
                if stored is not None:
                    await stored
        return ended

    def _end(self, scope: Context, outcome: Outcome) -> tuple[Ended, Event]:
        """Return how the run ends, and the record of it."""
        core, error = self.core, outcome.error
        if error is None:
            body = f'{{"output":{outcome.text}' + (f',"handled":{scope.failed}}}' if scope.failed else "}")
            succeeded = self._event(ev.RUN_SUCCEEDED, body)
            return Ended(self.info, state.SUCCEEDED, outcome.value, handled=scope.failed), succeeded
        unheard = core.take_unheard(ROOT)
        stop = outcome.stop
        if isinstance(error, asyncio.CancelledError) or (stop is not None and stop.kind == REQUEST):
            fields = {"reason": "the process was stopped"} if stop is None else cancelled_fields(stop.words)
            because = {"because": list(unheard)} if unheard else {}
            cancelled = self._event(ev.RUN_CANCELLED, codec.encode({**fields, **because}))
            return Ended(self.info, state.CANCELLED), cancelled
        error.run = self.info.name
        error.origins = tuple(dict.fromkeys([*error.origins, *unheard]))
        failed = self._event(ev.RUN_FAILED, failure_body(error, scope))
        return Ended(self.info, state.FAILED, failure=to_failure(error)), failed

    def _event(self, kind: int, body: str) -> Event:
        return Event(kind, RUN, "", self.core.clock.now(), "", body)

    def _idle(self) -> None:
        """Everything waits for people: look once more at the end of the loop turn, then park."""
        asyncio.get_running_loop().call_soon(self._park)

    def _park(self) -> None:
        core = self.core
        if not core.services.parks or core.is_parking or not core.waits.is_idle():
            return
        if self._mail.is_busy or core.is_stopping:
            return
        waiting = tuple(sorted(core.waits.people))
        core.journal.append(self._event(ev.RUN_PARKED, codec.encode({"waiting": list(waiting)})))
        self._parked = Ended(self.info, state.WAITING, waiting=waiting)
        if self._definition.keeps_frames:
            self._leave(PARKED)
            self._ended.set_result(self._parked)
        else:
            self._leave(UNWINDING)
            self._task.cancel()

    def _leave(self, phase: str) -> None:
        self.core.phase = phase
        self.core.has_stops = True  # from now on every step asks whether it may begin

    def _give_up(self, error: BaseException) -> None:
        """The engine takes no more: leave the run as it is, and let whoever waits hear of it."""
        if self._broken is None and not self._is_ending:
            self._broken = error
            self._leave(UNWINDING)
            self._task.cancel()

    def _wake(self) -> None:
        """A word has come for a parked run whose frames were kept: it is under way again."""
        if self.core.phase == PARKED:
            self.core.phase = UNDER_WAY
            self.core.journal.append(self._event(ev.RUN_RESUMED, _who(self.info)))
            self._ended = asyncio.get_running_loop().create_future()

    def _finished(self, task: asyncio.Task[Ended]) -> None:
        error = None if task.cancelled() else task.exception()  # asyncio would report it as never looked at
        if self._broken is not None:
            if self._ended.done():
                self._ended = asyncio.get_running_loop().create_future()
            self._ended.set_exception(self._broken)
        elif self._ended.done():
            return
        elif self.core.is_parking and error is None:
            self._ended.set_result(self._parked or Ended(self.info, state.WAITING))
        elif task.cancelled():
            self._ended.cancel()
        elif error is not None:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(task.result())


async def _sweep(core: RunCore) -> None:
    """Stop what a body has left running in asyncio tasks of its own; nothing may outlive its run."""
    left = {live.asyncio_task for live in core.live.values() if not live.asyncio_task.done()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)


async def start(
    engine: Engine, services: Services, definition: Definition, inputs: Mapping[str, Json], info: RunInfo
) -> Execution:
    """Create a run, stored with its inputs and definition, and begin it.

    Raises:
        EngineError: The run cannot be stored.
        ValueRefused: An input does not survive JSON.
    """
    fields: dict[str, Any] = {
        "workflow": definition.name,
        "inputs": dict(inputs),
        "cwd": info.cwd,
        "definition": dict(definition.record),
    }
    if definition.version:
        fields["version"] = definition.version
    if definition.timeout_s is not None:
        fields["timeout_s"] = definition.timeout_s
    first = Event(ev.RUN_STARTED, RUN, "", services.clock.now(), "", codec.encode(fields))
    journal = await engine.create(info, first)
    core = RunCore(journal, services, is_resumed=False)
    return Execution(core, definition, codec.decode(codec.encode(dict(inputs))), engine)


async def resume(engine: Engine, services: Services, definition: Definition, run_id: str) -> Execution:
    """Take a run over and go on from where its journal ends.

    Raises:
        RunEnded: It has succeeded.
        RunInUse: Another process executes it.
        RunNotFound: No such run.
    """
    journal = await engine.lease(run_id)
    try:
        history = await reopen(engine, journal, services)
        now = services.clock.now()
        journal.append(Event(ev.RUN_RESUMED, RUN, "", now, "", _who(journal.info)))
    except BaseException:
        await journal.close()
        raise
    reopened = {p: e.seq for e in history if e.kind == ev.RUN_REOPENED for p in e.body["paths"]}
    core = RunCore(journal, services, is_resumed=True, reopened=reopened)
    return Execution(core, definition, history[0].body["inputs"], engine)


def _who(info: RunInfo) -> str:
    return codec.encode({"epoch": info.epoch, "process": os.getpid()})


async def reopen(engine: Engine, journal: Journal, services: Services) -> Sequence[Stored]:
    """Take the end of a run back, if it has one, and return the events of the run as a whole.

    Raises:
        RunEnded: It has succeeded.
    """
    history = await journal.settled(RUN)
    end = last_end(history)
    if end is None:
        return await directions.apply(engine, journal, services.clock, history)
    if end.kind == ev.RUN_SUCCEEDED:
        raise already_succeeded(journal.info)
    await mail.drop_stale(journal, services.clock)
    paths = unhandled(end)
    body = codec.encode({"paths": paths})
    await journal.commit(Event(ev.RUN_REOPENED, RUN, "", services.clock.now(), "", body))
    return await directions.apply(engine, journal, services.clock, await journal.settled(RUN))


def already_succeeded(run: RunInfo) -> RunEnded:
    """Return the error for a run that has nothing left to resume."""
    message = "the run has succeeded; there is nothing to resume"
    fix = f"see its result with `maestri show {run.name}`, or start a new run"
    return RunEnded(message, fix=fix, run=run.name)


def last_end(history: Sequence[Stored]) -> Stored | None:
    """Return the event that the run ended with, unless it was reopened since."""
    end = None
    for event in history:
        if event.kind in ev.RUN_ENDS:
            end = event
        elif event.kind == ev.RUN_REOPENED:
            end = None
    return end


def unhandled(end: Stored) -> list[str]:
    """Return the paths that a failed run failed of, and the scopes above them."""
    found: dict[str, None] = {}
    for path in end.body.get("because", ()):
        for above in ancestors(path):
            found[above] = None
        found[path] = None
    return [path for path in found if path != ROOT]


async def direct(
    engine: Engine, services: Services, run_id: str, verb: str, path: str, output: Any = None
) -> RunInfo:
    """Decide one step by hand, on the record: `retry` it, `skip` it, or `accept` an output for it.

    It takes effect at the next resume. What failed because of this step is reopened with it.

    Raises:
        RunEnded: The run has succeeded.
        PathNotFound: The step has no record of a failure.
        RunInUse: A process executes the run.
    """
    journal = await engine.lease(run_id)
    try:
        history = await journal.settled(RUN)
        end = await directions.failed_end(engine, journal, path, history)
        await reopen(engine, journal, services)
        direction = directions.Direction(verb, path, output)
        await directions.decide(journal, services.clock, direction, end)
    finally:
        await journal.close()
    return journal.info


async def cancel_idle(engine: Engine, services: Services, run: RunInfo, path: str = ROOT) -> None:
    """Cancel a run that no process executes, as its owner.

    Raises:
        RunEnded: It has ended.
        RunInUse: A process executes it.
        PathNotFound: Only the whole of such a run can be cancelled.
    """
    if path != ROOT:
        message = f"no process executes the run, so nothing is under way at `{path}`"
        fix = f"cancel the whole of it: `maestri cancel {run.name}`"
        raise PathNotFound(message, fix=fix, run=run.name, path=path)
    journal = await engine.lease(run.id)
    try:
        end = last_end(await journal.settled(RUN))
        if end is not None:
            message = f"the run has already ended: {end.kind_name.removeprefix('run.')}"
            raise RunEnded(message, fix=f"see `maestri show {run.name}`", run=run.name)
        journal.append(mail.request(services.clock, path))
        body = codec.encode(cancelled_fields(""))
        await journal.commit(Event(ev.RUN_CANCELLED, RUN, "", services.clock.now(), "", body))
    finally:
        await journal.close()

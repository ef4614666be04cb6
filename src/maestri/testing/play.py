"""Plays a Python workflow in memory, on a clock that jumps: for tests of workflows and of patterns.

Example:
    >>> async def flow(ctx: Context, number: int) -> int:
    ...     return await ctx.step("double", lambda: number * 2)
    >>> play(flow, {"number": 21}).output
    42
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from itertools import count
from random import Random
from typing import Any, Self

from maestri.engines.memory import MemoryEngine
from maestri.errors import MaestriError, UsageError
from maestri.kernel import runner
from maestri.kernel.clock import VirtualClock
from maestri.kernel.events import CANCELLED, KINDS, STARTED, STEP_ENDS, Stored
from maestri.kernel.ports import Answer, Attempt, Clock, Dispatcher, Engine, Message, RunInfo, Task
from maestri.kernel.run import Services
from maestri.kernel.runner import Definition, Ended, Execution
from maestri.kernel.state import RunState, fold
from maestri.testing.crashing import copy_run

Flow = Callable[..., Awaitable[Any]]
RUN_ID = "run-1"


class Direct:
    """A dispatcher that calls functions where they are, without a thread, and asks `agent` for the rest."""

    def __init__(self, agent: Dispatcher | None = None) -> None:
        """Hand what is no function of this process to `agent`."""
        self._agent = agent

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Call the task's function, or ask the agent.

        Raises:
            UsageError: There is no agent to ask.
        """
        if task.function is not None:
            value = task.function()
            return Answer(await value if inspect.isawaitable(value) else value)
        if self._agent is None:
            message = f"`{attempt.path}` asks `{task.agent}`, and this stage has no agent"
            raise UsageError(message, fix="give one: `agent=ScriptedAgent({...})`")
        return await self._agent.perform(task, attempt)


class Stage:
    """One run of a workflow on an engine in memory: played, looked at, resumed, cut off.

    A workflow is an async function of a context and of its inputs, which are passed by name. `play`,
    `resume` and `direct` each make an event loop; `start` and `restart` are for tests that have one.
    """

    def __init__(
        self,
        flow: Flow,
        inputs: Mapping[str, Any] | None = None,
        *,
        agent: Dispatcher | None = None,
        engine: Engine | None = None,
        clock: Clock | None = None,
        timeout_s: float | None = None,
        keeps_frames: bool = False,
    ) -> None:
        """Begin without a run; the run is made by `play` or `start`.

        Args:
            flow: The workflow.
            inputs: Its inputs by name.
            agent: Who performs what is no function of this process.
            engine: Where the run is kept; in memory without it.
            clock: A virtual clock that jumps without it.
            timeout_s: The time limit of the run in seconds.
            keeps_frames: Whether the run goes on waiting in this process when it is parked.
        """
        self.engine: Engine = engine or MemoryEngine()
        self.clock: Clock = clock or VirtualClock()
        self.inputs = dict(inputs or {})
        self._agent = agent
        self._messages = count(1)
        self._execution: Execution | None = None
        self.definition = Definition(
            getattr(flow, "__name__", "flow"),
            lambda ctx, given: flow(ctx, **given),
            {},
            timeout_s=timeout_s,
            keeps_frames=keeps_frames,
        )

    @property
    def services(self) -> Services:
        """Ports for one execution; the same random numbers each time."""
        return Services(dispatcher=Direct(self._agent), clock=self.clock, random=Random(1))  # noqa: S311

    @property
    def events(self) -> list[Stored]:
        """All stored events of the run, in order."""
        return list(self.engine.read(RUN_ID).events(limit=1_000_000))

    @property
    def state(self) -> RunState:
        """The run as a fold over its events."""
        return fold(self.events)

    def paths(self, *kinds: str) -> list[str]:
        """Return the paths of the events of these kinds (`step.started`, …), in order."""
        wanted = {KINDS[kind] for kind in kinds}
        return [event.path for event in self.events if event.kind in wanted]

    @property
    def execution(self) -> Execution:
        """The run under way; a step may use it to cancel what runs beside it.

        Raises:
            UsageError: The run has not been begun.
        """
        if self._execution is None:
            message = "nothing has been played on this stage yet"
            raise UsageError(message, fix="call `play` or `start` first")
        return self._execution

    async def start(self) -> Execution:
        """Make the run and begin it."""
        info = RunInfo(RUN_ID, "bold-otter-1", self.definition.name, ".", self.clock.now(), 1)
        started = runner.start(self.engine, self.services, self.definition, self.inputs, info)
        self._execution = await started
        return self._execution

    async def restart(self) -> Execution:
        """Take the run over and go on."""
        resumed = runner.resume(self.engine, self.services, self.definition, RUN_ID)
        self._execution = await resumed
        return self._execution

    def play(self) -> Ended:
        """Play the workflow to its end, or until it waits for people.

        Raises:
            MaestriError: The engine or the replay has a problem.
        """
        return asyncio.run(_to_end(self.start()))

    def resume(self) -> Ended:
        """Go on with the run, to its end or until it waits for people.

        Raises:
            MaestriError: The engine or the replay has a problem.
        """
        return asyncio.run(_to_end(self.restart()))

    def direct(self, verb: str, path: str, output: Any = None) -> None:
        """Decide a step by hand: retry, skip or accept.

        Raises:
            MaestriError: It cannot be decided.
        """
        asyncio.run(_done(runner.direct(self.engine, self.services, RUN_ID, verb, path, output)))

    def post(self, verb: str, **data: Any) -> None:
        """Put a message into the run's mailbox: `signal`, `answer` or `cancel`."""
        self.engine.post(RUN_ID, Message(f"message-{next(self._messages):04}", verb, data))

    def cut(self, events: int) -> Self:
        """Return a stage whose run has only the first `events` events, as a crash would leave it.

        What had come into its mailbox by then, and was not taken, is there again.
        """
        stage = type(self).__new__(type(self))
        stage.__dict__.update(self.__dict__, engine=MemoryEngine(), clock=VirtualClock(self.clock.now()))
        info = self.engine.read(RUN_ID).info()
        asyncio.run(copy_run(self.events[:events], info, stage.engine))
        for message in (
            self.engine.mail_after(RUN_ID, events) if isinstance(self.engine, MemoryEngine) else ()
        ):
            stage.engine.post(RUN_ID, message)
        return stage


def play(flow: Flow, inputs: Mapping[str, Any] | None = None, *, agent: Dispatcher | None = None) -> Ended:
    """Play a workflow in memory and return how it ended.

    Args:
        flow: An async function of a context and of its inputs.
        inputs: The inputs by name.
        agent: Who performs what is no function of this process.

    Raises:
        MaestriError: The workflow cannot be replayed; what fails in it is part of what is returned.
    """
    return Stage(flow, inputs, agent=agent).play()


async def _to_end(beginning: Coroutine[Any, Any, Execution]) -> Ended:
    return await (await beginning).wait()


async def _done(call: Awaitable[Any]) -> None:
    await call


def check_resume(stage: Stage) -> None:
    """Cut a played run off after every event, resume it, and check that it comes out the same.

    The functions of its steps are called again and must answer as they did.

    Args:
        stage: A stage whose run has ended.

    Raises:
        AssertionError: A resumed run ends in another way, or does something again that was finished.
    """
    whole = stage.state
    for events in range(1, len(stage.events)):
        cut = stage.cut(events)
        finished = {event.path for event in cut.events if event.kind in STEP_ENDS - {CANCELLED}}
        try:
            cut.resume()
        except MaestriError as error:
            message = f"cut after event {events}, it cannot be resumed: {error.diagnostic.text()}"
            raise AssertionError(message) from error
        again = {e.path for e in cut.events if e.kind == STARTED and e.seq > events} & finished
        after = cut.state
        if again:
            message = f"cut after event {events}, it does again what was finished: {', '.join(sorted(again))}"
            raise AssertionError(message)
        if (after.status, after.output) != (whole.status, whole.output):
            was, found = f"{whole.status}, {whole.output!r}", f"{after.status}, {after.output!r}"
            message = f"cut after event {events}, it ends with {found} instead of {was}"
            raise AssertionError(message)

"""Executes runs for a project: puts engine, agents, logs and artifacts together. Imports asyncio."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from random import SystemRandom
from typing import Any

from maestri.engines.names import new_id, new_name
from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.errors import AgentUnavailable, Diagnostic
from maestri.kernel import events as ev
from maestri.kernel import runner
from maestri.kernel.clock import SystemClock
from maestri.kernel.events import Event
from maestri.kernel.inside import StepMailboxes
from maestri.kernel.ports import Agent, Answer, Attempt, Engine, Notice, RunInfo, Task
from maestri.kernel.run import Services
from maestri.kernel.runner import Execution
from maestri.lang.source import suggest
from maestri.project.isolating import Isolating, refuse_unheard
from maestri.project.loaded import Loaded
from maestri.project.logs import Logs
from maestri.project.parts import (
    AGENTS,
    CACHE,
    CACHE_AGENT,
    CONFIGURED,
    DIRECTORY_AGENT,
    LANDING_AGENT,
    STEP_MAILBOXES,
    TELL_SCRIPT,
    VERIFIED,
    WORKSPACE_AGENT,
    WORKTREES,
    load,
)
from maestri.values import Json


def _ignore(_text: str) -> None:
    """Stand in for a listener that nobody gave."""


class LocalDispatcher:
    """Performs tasks in this process, by the agent they name; an agent is made when it is first needed."""

    def __init__(self, agents: dict[str, Agent], makers: Mapping[str, Callable[[], Agent]]) -> None:
        """Begin with the agents that a caller brings, and with how to make others that need something."""
        self._agents = dict(agents)
        self._makers = makers

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Have a task performed.

        Raises:
            AgentUnavailable: No agent has this name.
            SandboxUnsupported: The task is to be in a sandbox, and its agent knows none.
        """
        name = CONFIGURED if "backend" in task.request else task.agent
        agent = self._agents.get(name)
        if agent is None:
            agent = self._agents[name] = self._made(name)
        if "sandbox" in task.request:
            refuse_unheard(name, agent, task.request)
        return await agent.perform(task, attempt)

    def _made(self, name: str) -> Agent:
        if name in self._makers:
            return self._makers[name]()
        if name not in AGENTS:
            message = f"there is no agent `{name}`"
            raise AgentUnavailable(message, fix=suggest(name, [*self._agents, *AGENTS]))
        return load(AGENTS[name])()  # type: ignore[no-any-return]

    async def close(self) -> None:
        """Close the agents that were made."""
        for agent in self._agents.values():
            await agent.close()


class Doing:
    """Everything that an executing process holds."""

    def __init__(
        self,
        state: StateDir,
        durability: str,
        agents: dict[str, Agent],
        on_pause: Callable[[str], None],
        engine: Engine | None = None,
        on_warning: Callable[[str], None] = _ignore,
    ) -> None:
        """Open nothing yet."""
        self._state = state
        self.isolating = Isolating(state.root)
        self._random = SystemRandom()
        self._on_pause = on_pause
        self._names: set[str] | None = None
        self._notices: list[Callable[[str, Notice], None]] = []
        makers = {
            "directory": self._directory_agent,
            "workspace": self._workspace_agent,
            "landing": self._landing_agent,
            "cache": self._cache_agent,
            **{name: self.isolating.agent(AGENTS[name]) for name in ("run", CONFIGURED)},
        }
        self.dispatcher = LocalDispatcher(agents, makers)
        self.engine: Engine = engine or SqliteEngine(
            state,
            durability=durability,
            on_pause=lambda found: on_pause(_text(found)),
            on_resume=lambda: on_pause("there is room again; the run goes on"),
            on_damage=lambda found: on_warning(_text(found)),
        )
        self._mailboxes: Any = None
        self.services = Services(
            dispatcher=self.dispatcher,
            clock=SystemClock(),
            random=self._random,
            notice=self._notice,
            open_log=Logs(state, on_pause).open,
            keep=state.keep,
            mailboxes=self._made_mailboxes,
            has_mailboxes=state.has_step_mailboxes,
        )

    async def start(self, loaded: Loaded, inputs: dict[str, Json], cwd: str) -> Execution:
        """Create a run and begin it."""
        if self._names is None:  # read once: listing all runs at each start would grow with their number
            self._names = {run.name for run in self.engine.runs()}
        name = new_name(self._names, self._random.getrandbits)
        self._names.add(name)
        now = self.services.clock.now()
        draw = self._random.getrandbits
        info = RunInfo(new_id(now, draw), name, loaded.name, cwd, now, 1)
        return await runner.start(self.engine, self.services, loaded.definition, inputs, info)

    def refuse_succeeded(self, run: RunInfo) -> None:
        """Refuse to resume what has succeeded, before its definition is looked for.

        Raises:
            RunEnded: It has.
        """
        if run.end == ev.RUN_SUCCEEDED:
            raise runner.already_succeeded(run)

    async def resume(self, run: RunInfo, loaded: Loaded) -> Execution:
        """Take a run over and go on."""
        return await runner.resume(self.engine, self.services, loaded.definition, run.id)

    async def direct(self, run: RunInfo, verb: str, path: str, output: Json) -> None:
        """Record what a person has decided about a step."""
        await runner.direct(self.engine, self.services, run.id, verb, path, output)

    async def cancel_idle(self, run: RunInfo, path: str) -> None:
        """Cancel a run that no process executes, as its owner."""
        await runner.cancel_idle(self.engine, self.services, run, path)

    def watch(
        self, listener: Callable[[str, Sequence[Event]], None], notices: Callable[[str, Notice], None]
    ) -> None:
        """Tell a listener what is stored, and another one what is only passing."""
        self.engine.watch(listener)
        self._notices.append(notices)

    async def close(self) -> None:
        """Stop the agents, store what waits, and let go of everything."""
        try:
            await self.dispatcher.close()
        finally:
            await self.engine.close()
            if self._mailboxes is not None:
                await self._mailboxes.close()

    def _made_mailboxes(self) -> StepMailboxes:
        if self._mailboxes is None:
            self._mailboxes = load(STEP_MAILBOXES)(self._state, load(TELL_SCRIPT)())
        return self._mailboxes  # type: ignore[no-any-return]

    def _directory_agent(self) -> Agent:
        return load(DIRECTORY_AGENT)(self._state.copies, self._state.root)  # type: ignore[no-any-return]

    def _workspace_agent(self) -> Agent:
        worktrees = load(WORKTREES)(self._state.root / "runs", self._state.workspaces)
        return load(WORKSPACE_AGENT)(worktrees, self._name_of)  # type: ignore[no-any-return]

    def _landing_agent(self) -> Agent:
        state, runs = self._state, self._state.root / "runs"
        verified = load(VERIFIED)(load(CACHE)(state.root / "cache"), self.services.clock.now)
        worktrees = load(WORKTREES)(runs, state.workspaces)
        dispatcher = self.dispatcher
        return load(LANDING_AGENT)(  # type: ignore[no-any-return]
            state.landings, runs, dispatcher, worktrees, verified, self._name_of
        )

    def _name_of(self, run_id: str) -> str:
        reader = self.engine.read(run_id)
        try:
            return reader.info().name
        finally:
            reader.close()

    def _cache_agent(self) -> Agent:
        cache = load(CACHE)(self._state.root / "cache")
        return load(CACHE_AGENT)(cache, self.services.clock.now)  # type: ignore[no-any-return]

    def _notice(self, run_id: str, notice: Notice) -> None:
        for listener in self._notices:
            listener(run_id, notice)


def own_process() -> None:
    """Tune an interpreter that is ours alone.

    A short switch interval keeps a computing step from starving the thread that writes the journal; a
    higher threshold keeps the garbage collector out of large fan-outs; what is loaded by now stays to the end
    and need not be looked at again, not even then.
    """
    sys.setswitchinterval(0.0005)
    gc.set_threshold(20_000, 20, 20)
    gc.freeze()


def _text(found: Any) -> str:
    return found.text() if isinstance(found, Diagnostic) else str(found)

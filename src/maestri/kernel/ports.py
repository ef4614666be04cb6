"""The ports of the kernel: what is asked of an engine, an agent, a dispatcher, workspaces and a clock.

Rule 1: a port is a Protocol; a double in a test implements it, nobody inherits from it.
Rule 2: each port has a conformance kit in `maestri.testing` (`check_engine`, `check_agent` and so on).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from maestri.kernel.events import Event, Stored
from maestri.kernel.inside import StepLog, StepMailbox
from maestri.kernel.policy import DEFAULT, Policy
from maestri.kernel.workspaces import Held as Held  # noqa: PLC0414 - the typed way to re-export
from maestri.kernel.workspaces import Work as Work  # noqa: PLC0414
from maestri.kernel.workspaces import Workspace as Workspace  # noqa: PLC0414
from maestri.kernel.workspaces import Workspaces as Workspaces  # noqa: PLC0414
from maestri.records import NamedTuple
from maestri.values import ArtifactRef, Usage

if TYPE_CHECKING:
    from asyncio import Future  # who only looks at runs does not wait for anything


class Task(NamedTuple):
    """One request to an agent.

    `agent` and `request` say what is asked and make the digest; `policy` says how often and how long, and
    does not. `function` is set where the request is a function of this process. `source` is
    `file:line:col`. A task that `costs` money has its start stored before it is sent.
    """

    agent: str
    request: Mapping[str, Any]
    policy: Policy = DEFAULT
    function: Callable[[], Any] | None = None
    returns: type | None = None
    source: str = ""
    costs: bool = False


class Answer(NamedTuple):
    """What an agent returns: a value that JSON can carry, what it cost, and its large parts by reference."""

    value: Any
    usage: Usage | None = None
    artifacts: Sequence[ArtifactRef] = ()


class Notice(NamedTuple):
    """Passing progress of a step: shown, not journaled. `kind` is `output`, `state` or `progress`."""

    path: str
    kind: str
    text: str


class Message(NamedTuple):
    """A word from outside to a run: `verb` is cancel, signal, answer, unblock, retry, skip or accept.

    `data` holds `path` and `by` for a cancel, `name` and `value` for a signal, `path` and `value` for an
    answer, `path`, `note` and `hold` for an unblock, `path` and `output` for the others. It may come from
    anybody, and is checked when it is taken.
    """

    id: str
    verb: str
    data: Mapping[str, Any]


def unrecorded(_what: str, _text: str, _data: Any) -> None:
    """Keep no record of a fact: what an attempt does that belongs to no journal."""


class Attempt(NamedTuple):
    """What an agent may know and use while it performs a task.

    `key` is the idempotency key (`run/path/try`), the same again after a crash. `log` appends bytes to the
    step's log, which is readable while the step runs; with them it takes the name of the stream. `beat` says
    that there was a sign of life and puts the idle timeout off. `keep` stores a file's content as an
    artifact. An agent that starts processes asks for the `mailbox`, has it begin before the first, and tells
    them where it is.
    `record(what, text, data)` puts a fact about the attempt into the journal.
    """

    run: str
    path: str
    number: int
    key: str
    cwd: str
    log: StepLog
    beat: Callable[[], None]
    notice: Callable[[str, str], None]
    keep: Callable[[str, str], ArtifactRef]
    mailbox: StepMailbox | None = None
    record: Callable[[str, str, Any], None] = unrecorded


class Agent(Protocol):
    """Performs tasks of one kind. It must stop, and leave nothing running, when it is cancelled."""

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Perform one task.

        Raises:
            RunError: The work failed; the class says how.
        """
        ...

    async def close(self) -> None:
        """Release what was kept between tasks; called once, at the end."""
        ...


class Dispatcher(Protocol):
    """Decides where a task is performed: in this process, or by any worker."""

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Have a task performed and return its answer.

        Raises:
            RunError: The work failed; the class says how.
        """
        ...


class RunInfo(NamedTuple):
    """A run as an engine lists it; `end` is the kind of its last ending event, None while it has none.

    `id` sorts by time of creation; `name` is for people; `alive` tells whether a process executes it now.
    """

    id: str
    name: str
    workflow: str
    cwd: str
    created: float
    epoch: int
    end: int | None = None
    changed: float = 0.0
    alive: bool = False
    waiting: str = ""


class Journal(Protocol):
    """The events of one run, held under a lease. All of it is used from one event loop."""

    @property
    def info(self) -> RunInfo:
        """The run, with the epoch under which this process may write."""
        ...

    def append(self, event: Event) -> None:
        """Add an event that rides with the next commit; order is kept, nothing is waited for."""
        ...

    def commit(self, event: Event) -> Future[None]:
        """Add an event and return a future of its own, which completes when it, and all before it, is stored.

        Raises (when awaited):
            StaleOwner: Another process has taken the run over.
        """
        ...

    async def settled(self, scope: str) -> Sequence[Stored]:
        """Return the events of one scope that a resume needs (kind above `LAST_PASSING`), in order."""
        ...

    async def last(self, scope: str, count: int) -> Sequence[Stored]:
        """Return the last `count` of the events that `settled` would return, in order."""
        ...

    async def messages(self, skip: Collection[str] = ()) -> Sequence[Message]:
        """Return what has come into the mailbox of the run and was not taken yet, in order.

        It may return the first part only; whoever wants the rest asks again, with the ids of those that he
        leaves there as `skip`. Nothing returned means that there is nothing else.
        """
        ...

    def take(self, message: Message, event: Event) -> Awaitable[None]:
        """Record a message as an event, in one transaction, once only, and remove it from the mailbox.

        Raises (when awaited):
            StaleOwner: Another process has taken the run over.
        """
        ...

    async def close(self) -> None:
        """Wait until everything is stored and give the lease back.

        Raises:
            EngineError: Not everything could be stored.
        """
        ...


class Reader(Protocol):
    """The events of one run, for those who only look. Safe in any process at any time."""

    def info(self) -> RunInfo:
        """Return the run as it stands now."""
        ...

    def events(self, after: int = 0, limit: int = 1000) -> Sequence[Stored]:
        """Return stored events with a sequence number above `after`, oldest first."""
        ...

    def scope(self, scope: str, limit: int = 1000) -> Sequence[Stored]:
        """Return the last events of one scope of every kind, oldest first."""
        ...

    def run_events(self) -> Sequence[Stored]:
        """Return the events of the run as a whole (kind `run.*`), oldest first."""
        ...

    def last_seq(self) -> int:
        """Return the sequence number of the last event."""
        ...

    def step(self, path: str) -> Sequence[Stored]:
        """Return the events of one step or scope, oldest first."""
        ...

    def ended(self, scope: str) -> int:
        """Return how many children of a scope have an end on record, without reading each of them."""
        ...

    def failures(self, limit: int = 1000) -> Sequence[Stored]:
        """Return the last ends of steps and scopes that failed or were cancelled, oldest first."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


class Engine(Protocol):
    """Keeps the journals of runs, and leases each run to one process at a time."""

    async def create(self, info: RunInfo, first: Event) -> Journal:
        """Store a new run with its first event and take its lease.

        Raises:
            EngineError: The run exists, or the place cannot be used.
        """
        ...

    async def lease(self, run_id: str) -> Journal:
        """Take the lease of a run; its epoch grows by one.

        Raises:
            RunNotFound: No such run.
            RunInUse: Another process holds it.
            JournalDamaged: What a resume needs does not agree with its checksums.
        """
        ...

    def runs(self) -> Sequence[RunInfo]:
        """Return all runs, oldest first."""
        ...

    def read(self, run_id: str) -> Reader:
        """Return a reader of one run.

        Raises:
            RunNotFound: No such run.
        """
        ...

    def post(self, run_id: str, message: Message) -> None:
        """Put a message into the mailbox of a run; stored when this returns."""
        ...

    def watch(self, listener: Callable[[str, Sequence[Event]], None]) -> Callable[[], None]:
        """Call `listener(run id, events)` for what this process has stored; returns how to stop it.

        Called on the event loop, after the commit, in order.
        """
        ...

    def on_mail(self, run_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the event loop when a message has come in for a run; returns how to stop."""
        ...

    async def close(self) -> None:
        """Store what waits and let go of everything."""
        ...


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None:
        """Do not call it."""
        ...


class Clock(Protocol):
    """Time, as a port: the system's, or a virtual one that jumps when everybody waits."""

    def now(self) -> float:
        """Return seconds since 1970: a date. It may be set, forward and back."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, from any beginning: for lengths of time."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Call back on the event loop after a delay that does not follow changes of the wall clock."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        ...

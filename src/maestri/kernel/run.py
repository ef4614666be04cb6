"""What the scopes of one run share while this process executes it: ports, live steps, limits.

Rule 1: a step or scope under way is in `live`, by path; whoever cancels goes through `cancel`.
Rule 2: a run is idle when each of its asyncio tasks waits for a message, or for children that do; a timer
keeps it busy (see `Waits`).
Rule 3: a failure on record is heard of when the scope around it ends: with an error, which has it among its
origins, or with an output, which has handled it. Until then it is in `unheard`.
Rule 4: an execution is under way, unwinding, or parked with its frames; only `phase` says which. While it
unwinds, nothing begins and nothing is recorded.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Final

from maestri.errors import InternalError, PathNotFound
from maestri.kernel.events import Stored
from maestri.kernel.holds import Hold
from maestri.kernel.inside import NO_LOG, OpenLog, StepLog, StepMailboxes
from maestri.kernel.path import ROOT, is_within
from maestri.kernel.ports import Attempt, Clock, Dispatcher, Journal, Message, Notice
from maestri.records import NamedTuple
from maestri.values import ArtifactRef

# Why a step or scope is stopped: on request, by a time limit of its own, or by one of its current attempt.
REQUEST: Final = "request"
LIMIT: Final = "limit"
ATTEMPT: Final = "attempt"
IDLE: Final = "idle"

# What an execution does.
UNDER_WAY: Final = "under way"
UNWINDING: Final = "unwinding"  # its frames are being left: it is parked without them, or the engine broke
PARKED: Final = "parked"  # its frames are kept, and a word wakes it up


class Stop(NamedTuple):
    """Why something is stopped: `kind` is ours, a constant above; `words` are a person's, and only shown."""

    kind: str
    words: str = ""
    limit_s: float = 0.0

    @property
    def is_passing(self) -> bool:
        """Whether it ends one attempt only, so that a later one that ends the step for good counts more."""
        return self.kind in {ATTEMPT, IDLE}


class Live:
    """A step or scope under way in an asyncio task, and why it is being stopped, if it is.

    `cancels_before` is how many cancellations the asyncio task already had, so that an outer one is not
    mistaken for ours. Each request adds one to the task's count, and exactly one is taken back.
    """

    __slots__ = ("_is_alone", "asyncio_task", "cancels_before", "is_scope", "stopping")

    def __init__(self, task: asyncio.Task[Any] | None, is_scope: bool) -> None:
        self.asyncio_task: asyncio.Task[Any] = task  # type: ignore[assignment]  # a body is always in one
        self.is_scope = is_scope
        self.cancels_before = self.asyncio_task.cancelling()
        self.stopping: Stop | None = None
        self._is_alone: bool | None = None

    @property
    def is_interrupted(self) -> bool:
        """Whether anybody, here or further out, has cancelled the asyncio task since this began."""
        return self.asyncio_task.cancelling() > self.cancels_before

    def stop(self, why: Stop) -> bool:
        """Interrupt it, once; returns whether this request is the one that counts."""
        if self.stopping is not None:
            if why.is_passing or not self.stopping.is_passing:
                return False
            self.stopping = why
            return True
        self.stopping = why
        self.asyncio_task.cancel()
        return True

    def take_back(self) -> bool:
        """Take our request back from the asyncio task; tell whether a `CancelledError` came from it alone."""
        if self.stopping is None:
            return False
        if self._is_alone is None:
            self._is_alone = self.asyncio_task.uncancel() <= self.cancels_before
        return self._is_alone

    def release(self) -> None:
        """Forget a request that has not ended it, so that the next one counts again."""
        if self.stopping is not None and self._is_alone is None:
            self.asyncio_task.uncancel()
        self.stopping = self._is_alone = None


class Waiter(NamedTuple):
    """Who waits for a message: the step at `path`, whose record gets the digest, through a future.

    `refuses` says what is wrong with a value, if anything is. `is_listener`: several signals are awaited, so
    that the output is `{name, data}`.
    """

    path: str
    digest: str
    heard: asyncio.Future[Any]
    refuses: Callable[[Any], str] | None = None
    is_listener: bool = False


class Waits:
    """Who waits for what: the messages that the live branches of a run wait for; timers are not among them.

    `tasks` counts the asyncio tasks of the run, `passive` those of them that only wait for a message, or for
    children, and `timed` those that wait for a message up to a time. `strays` hear of signals that nobody
    waits for. `holds` are the steps that a blocker holds which they have reported; `settled` are the blockers
    that were reported before a crash and are settled, each with the note about it.
    """

    def __init__(self) -> None:
        self.tasks = 1
        self.passive = 0
        self.timed = 0
        self.people: dict[str, str] = {}
        self._answered: set[str] | None = None  # an empty set takes 216 bytes, and thousands of runs wait
        self.waiters: dict[str, list[Waiter]] = {}
        self.strays: list[Callable[[str, str, Any], None]] = []
        self.holds: dict[str, Hold] = {}
        self.settled: dict[str, list[tuple[str, str]]] = {}
        self.on_idle: Callable[[], None] | None = None

    @property
    def answered(self) -> set[str]:
        """Those whose answers are being stored: they have ended already."""
        if self._answered is None:
            self._answered = set()
        return self._answered

    def enter(self) -> None:
        """Count one more asyncio task that only waits."""
        self.passive += 1
        self.check_idle()

    def leave(self) -> None:
        """Count one fewer."""
        self.passive -= 1

    def check_idle(self) -> None:
        """Tell whoever parks the run, if nothing can go on without a word from a person."""
        if self.on_idle is not None and self.is_idle():
            self.on_idle()

    def is_idle(self) -> bool:
        """Tell whether nothing can go on without a word from a person."""
        return bool(self.people) and not self._answered and self.passive >= self.tasks

    def is_quiet(self) -> bool:
        """Tell whether nothing can go on but by a word from a person, or because one did not come in time."""
        return bool(self.timed) and not self._answered and self.passive + self.timed >= self.tasks


class Services:
    """The ports that a run uses, and how it tells about its progress.

    `has_mailboxes` tells whether steps of a run may have left reports behind: so that a resume need not make
    the `mailboxes`, which many runs never use.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher,
        clock: Clock,
        random: Random,
        notice: Callable[[str, Notice], None] | None = None,
        open_log: Callable[[str, str, int], OpenLog] | None = None,
        keep: Callable[[str, str], ArtifactRef] | None = None,
        mailboxes: Callable[[], StepMailboxes] | None = None,
        has_mailboxes: Callable[[str], bool] | None = None,
        parks: bool = True,
    ) -> None:
        self.dispatcher = dispatcher
        self.clock = clock
        self.random = random
        self.notice = notice or _ignore_notice
        self.open_log = open_log or _no_log
        self.keep = keep or _cannot_keep
        self.mailboxes = mailboxes
        self.has_mailboxes = has_mailboxes or _maybe
        self.parks = parks


class RunCore:
    """One execution of a run."""

    def __init__(
        self,
        journal: Journal,
        services: Services,
        *,
        is_resumed: bool,
        reopened: Mapping[str, int] | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()  # to ask for it costs more than what it is asked for
        self.journal = journal
        self.info = journal.info
        self.services = services
        self.clock = services.clock
        self.random = services.random
        self.is_resumed = is_resumed
        self.reopened = reopened or {}
        self.live: dict[str, Live] = {}
        self.unheard: list[str] = []  # failures on record that were cancelled before anybody heard of them
        self._stopped: set[asyncio.Task[Any]] | None = None  # children that their fan has cancelled
        self._stopped_early: Stop | None = None
        self.has_stops = False  # whether anything was ever told to stop for good, or the run was parked
        self.waits = Waits()
        self.phase = UNDER_WAY
        self.has_begun = False
        self.on_wait: Callable[[str], None] | None = None
        self.post: Callable[[Message], None] = _nobody
        self.on_wake: Callable[[], None] = _nothing

    @property
    def is_parking(self) -> bool:
        """Whether the run is parked, or on the way there."""
        return self.phase != UNDER_WAY

    def attempt(
        self, path: str, number: int, beat: Callable[[], None], log: StepLog | None = None
    ) -> Attempt:
        """Return what an agent may use during one attempt at a step."""
        services, run_id = self.services, self.info.id

        def notice(kind: str, text: str) -> None:
            services.notice(run_id, Notice(path, kind, text))

        key = f"{run_id}{path}/{number}"
        return Attempt(run_id, path, number, key, self.info.cwd, log or NO_LOG, beat, notice, services.keep)

    def begin(self, path: str, live: Live) -> None:
        """Enter what the current asyncio task begins into `live`."""
        self.has_begun = True
        self.live[path] = live
        if path == ROOT and self._stopped_early is not None:
            live.stop(self._stopped_early)

    @property
    def is_stopping(self) -> bool:
        """Whether something has been told to stop and has not heard of it yet."""
        return bool(self._stopped) or any(live.stopping is not None for live in self.live.values())

    def check_stopped(self, path: str) -> None:
        """Stop code that has caught its cancellation and goes on: in what was stopped, no step begins.

        Code that cleans up (in `finally`, or while it handles the cancellation) may still do steps.

        Raises:
            CancelledError: The scope of this path, or one around it, was told to stop, or the run unwinds.
        """
        if self.phase != UNDER_WAY:
            self._check_parked()
        if sys.exc_info()[1] is not None:
            return
        for other, live in self.live.items():
            if live.is_scope and live.stopping is not None and is_within(path, other):
                raise asyncio.CancelledError

    def check_left(self) -> None:
        """Take no output of code that has swallowed its unwinding.

        Raises:
            CancelledError: The run unwinds.
        """
        if self.phase == UNWINDING:
            raise asyncio.CancelledError

    def _check_parked(self) -> None:
        """Begin nothing in a run that is being left; one that is parked with its frames has woken by itself.

        Raises:
            CancelledError: The run unwinds, or the process is being stopped.
        """
        task = asyncio.current_task()
        if self.phase == UNWINDING or (task is not None and task.cancelling()):
            raise asyncio.CancelledError
        self.on_wake()

    def is_told_to_stop(self, live: Live) -> bool:
        """Tell whether Maestri has cancelled what runs in the asyncio task of `live`, here or further out.

        The task's own count does not tell: a `TaskGroup` of the user may leave one on it.
        """
        if not live.is_interrupted:
            return False
        task = live.asyncio_task
        return (self._stopped is not None and task in self._stopped) or any(
            one.asyncio_task is task and one.stopping is not None for one in self.live.values()
        )

    def stop_children(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Note that a fan cancels the asyncio tasks of its children."""
        if self._stopped is None:
            self._stopped = set()
        self._stopped.update(tasks)

    def forget_child(self, task: asyncio.Task[Any]) -> None:
        """Forget a child that has come to its end."""
        if self._stopped:
            self._stopped.discard(task)

    def is_current(self, event: Stored) -> bool:
        """Tell whether an event still counts: a reopening takes back what it names."""
        if not self.reopened:
            return True
        reopened_at = self.reopened.get(event.path)
        return reopened_at is None or event.seq > reopened_at

    def take_unheard(self, scope: str) -> tuple[str, ...]:
        """Return the failures below a scope that nobody has heard of, and forget them: now somebody has."""
        if not self.unheard:
            return ()
        found = tuple(path for path in self.unheard if is_within(path, scope))
        self.unheard = [path for path in self.unheard if path not in found]
        return found

    def cancel(self, path: str, words: str = "") -> bool:
        """Interrupt a step or scope under way; the root stands for the whole run.

        Args:
            path: What to interrupt.
            words: Why, or on whose behalf; shown, and nothing depends on it.

        Returns:
            Whether something was under way there.

        Raises:
            PathNotFound: Nothing of that path, nor below it, is under way.
        """
        self.has_stops = True
        why = Stop(REQUEST, "" if words == REQUEST else words)
        live = self.live.get(path)
        if live is not None:
            return live.stop(why)
        if path == ROOT and not self.has_begun:
            self._stopped_early = why
            return True
        if path == ROOT or not any(is_within(other, path) for other in self.live):
            message = f"nothing is under way at `{path}`"
            fix = "see what is with `maestri show`; a step that has ended cannot be cancelled"
            raise PathNotFound(message, fix=fix, run=self.info.name, path=path)
        return sum(live.stop(why) for other, live in [*self.live.items()] if is_within(other, path)) > 0


def _nothing() -> None:
    pass


def _maybe(_run: str) -> bool:
    return True


def _nobody(message: Message) -> None:
    raise InternalError(message.id)  # an execution opens its mail before its body runs


def _ignore_notice(_run: str, _notice: Notice) -> None:
    pass


def _no_log(_run: str, _path: str, _attempt: int) -> OpenLog:
    return NO_LOG


def _cannot_keep(_path: str, name: str) -> ArtifactRef:
    message = f"there is no place for the artifact `{name}`"
    raise OSError(message)

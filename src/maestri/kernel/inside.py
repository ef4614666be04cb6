"""The port through which the processes of a step report, while the step is under way.

Rule 1: what comes in is from a program that nobody has checked: whoever implements the port lets through only
what is well-formed, small and not too much.
Rule 2: a report is handed on once, in the order in which it was made, and is kept until it is stored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from maestri.records import NamedTuple

BLOCKED: Final = "blocked"
UNBLOCKED: Final = "unblocked"
REPORTS: Final = ("started", "task-started", "checkpoint", "task-completed", BLOCKED, UNBLOCKED, "done")
SANDBOX: Final = "sandbox"  # of a fact that Maestri records itself: what an attempt runs in
LEFT_OUT: Final = "left-out"  # what stands for reports that could not be taken; the text says why


class Report(NamedTuple):
    """What a step says of itself: `what` is one of `REPORTS`, `data` any JSON value."""

    id: str
    what: str
    text: str
    data: Any = None

    @property
    def words(self) -> str:
        """The report as one text."""
        return words_of(self.what, self.text)


def words_of(what: str, text: str) -> str:
    """Return a report as one text: `checkpoint: phase 1`."""
    return f"{what}: {text}" if text else what


class StepLog(Protocol):
    """The log of one attempt, readable while the step is under way."""

    def __call__(self, data: bytes, stream: str = "stdout") -> None:
        """Append what came from a stream: `stdout`, `stderr` or `report`.

        Raises:
            OSError: It cannot be stored; nothing of it was.
        """
        ...


class OpenLog(StepLog, Protocol):
    """The log of an attempt, in the hands of whoever has opened it."""

    def close(self) -> None:
        """Append nothing more; a line that is not complete is taken for one."""
        ...


class _NoLog:
    def __call__(self, data: bytes, stream: str = "") -> None:
        pass

    def close(self) -> None:
        pass


NO_LOG: Final = _NoLog()  # where nothing is kept

Heard: TypeAlias = Callable[[Report], "Awaitable[None] | None"]


class StepMailbox(Protocol):
    """The folder in which the processes of one attempt report; it is theirs alone."""

    @property
    def place(self) -> str:
        """The path of the folder; whoever reports first makes it, where nobody else has."""
        ...

    @property
    def command(self) -> str:
        """The path of a program that takes the words of a report as its arguments, whatever the PATH."""
        ...

    def begin(self) -> None:
        """Look for reports from now on; called just before the first process is started."""
        ...

    def make(self) -> None:
        """Make the folder now, for a process that could not: a sandbox shows only what is there."""
        ...

    def tell(self, reports: Sequence[str], note: str) -> None:
        """Tell the processes that these blockers, by the ids of their reports, are settled."""
        ...

    def close(self) -> None:
        """Take in what was reported up to now, and remove the folder once that is stored."""
        ...


class Left(NamedTuple):
    """What lay in the mailbox of an attempt that nobody is at work on any more; `remove` lets go of it."""

    path: str
    attempt: int
    reports: Sequence[Report]
    remove: Callable[[], None]


class StepMailboxes(Protocol):
    """Makes the mailboxes of steps."""

    def open(
        self, run: str, path: str, attempt: int, heard: Heard, settled: Sequence[tuple[str, str]] = ()
    ) -> StepMailbox:
        """Return the mailbox of an attempt, which is not made yet.

        Args:
            run: The id of the run.
            path: The step.
            attempt: The number of the attempt.
            heard: Is given each report on the event loop; returns what completes when it is stored, or None
                where it is not taken now, and stays.
            settled: Blockers of an earlier start that are settled, with the notes about them: whoever reports
                one of them again is told so, and goes on.
        """
        ...

    def left(self, run: str, paths: Iterable[str]) -> Iterable[Left]:
        """Return what a process that was killed has not taken in.

        Args:
            run: The id of the run.
            paths: The steps that it may be of; looked at only as far as there is anything left.
        """
        ...

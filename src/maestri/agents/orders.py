"""A command as a step asks for it, and the plain way to have it run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from maestri.agents.command import Exit
from maestri.agents.pipes import Sink
from maestri.agents.process import Processes
from maestri.agents.watching import Watching
from maestri.kernel.ports import Attempt
from maestri.records import NamedTuple


class Order(NamedTuple):
    """A command as a step asks for it, and who takes its output; `said` gives the end of its error output."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    stdin: bytes | None
    on_stdout: Sink
    on_stderr: Sink
    said: Callable[[], str]


async def run_order(
    processes: Processes, attempt: Attempt, order: Order, watching: Watching | None = None
) -> Exit:
    """Run a command to its end, with the mailbox of its attempt.

    Raises:
        StepFailed: It cannot be run.
    """
    return await processes.run(
        order.argv,
        env=order.env,
        cwd=order.cwd,
        stdin=order.stdin,
        on_stdout=order.on_stdout,
        on_stderr=order.on_stderr,
        on_start=attempt.mailbox.begin if attempt.mailbox is not None else None,
        watching=watching,
    )

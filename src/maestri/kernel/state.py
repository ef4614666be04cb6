"""What state a step, a scope and a run are in, as a fold over events.

Rule 1: every legal transition is in `TRANSITIONS`; only a reopening, which names what it takes back to
pending, is not, because it may name what is in any state.
Rule 2: nothing here does I/O, reads a clock or draws a random number.
Rule 3: only facts are journaled; `pending` and `ready` are derived by those who know the definition.

                    ┌─ skipped
    pending ─ ready ┴─ running ─┬─ succeeded
                │ ↑       │ ↑   ├─ failed
                ↓ │       ↓ │   └─ cancelled      (any live state → cancelled)
               blocked  blocked
    running → ready is a retry; a reopened failure goes back to pending.
"""

from __future__ import annotations

from typing import Any, Final

from maestri.errors import InternalError
from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.path import is_within
from maestri.records import NamedTuple

PENDING: Final = "pending"
READY: Final = "ready"
STARTING: Final = "starting"  # reserved: handed to another process, which has not begun
RUNNING: Final = "running"
BLOCKED: Final = "blocked"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
SKIPPED: Final = "skipped"
# Of runs only: no process executes it and it has not ended; or everything in it waits.
INTERRUPTED: Final = "interrupted"
WAITING: Final = "waiting"

LIVE: Final = frozenset({PENDING, READY, STARTING, RUNNING, BLOCKED})
ENDED: Final = frozenset({SUCCEEDED, FAILED, CANCELLED, SKIPPED})

# (state before, kind of event) -> state after. `pending` is the state of what no event has named yet.
TRANSITIONS: Final[dict[tuple[str, int], str]] = {
    # a step
    (PENDING, ev.STARTED): RUNNING,
    (READY, ev.STARTED): RUNNING,
    (RUNNING, ev.STARTED): RUNNING,  # again after a crash: the same attempt, the same key
    (BLOCKED, ev.STARTED): RUNNING,  # a block ends with the process that held it
    (PENDING, ev.BLOCKED): BLOCKED,
    (READY, ev.BLOCKED): BLOCKED,
    (RUNNING, ev.BLOCKED): BLOCKED,
    (BLOCKED, ev.BLOCKED): BLOCKED,
    (BLOCKED, ev.UNBLOCKED): RUNNING,
    (PENDING, ev.HELD): BLOCKED,  # found after a crash, as are the next
    (READY, ev.HELD): BLOCKED,
    (CANCELLED, ev.HELD): BLOCKED,
    (RUNNING, ev.HELD): BLOCKED,
    (BLOCKED, ev.HELD): BLOCKED,
    (BLOCKED, ev.RELEASED): RUNNING,
    (RUNNING, ev.RETRIED): READY,
    (BLOCKED, ev.RETRIED): READY,
    (RUNNING, ev.SUCCEEDED): SUCCEEDED,
    (BLOCKED, ev.SUCCEEDED): SUCCEEDED,
    (PENDING, ev.SUCCEEDED): SUCCEEDED,  # accepted by hand, or done without having waited for anything
    (RUNNING, ev.FAILED): FAILED,
    (READY, ev.FAILED): FAILED,  # its time was up between two attempts
    (PENDING, ev.FAILED): FAILED,  # it could not even be asked for
    (BLOCKED, ev.FAILED): FAILED,
    (PENDING, ev.SKIPPED): SKIPPED,
    (PENDING, ev.CANCELLED): CANCELLED,
    (READY, ev.CANCELLED): CANCELLED,
    (RUNNING, ev.CANCELLED): CANCELLED,
    (BLOCKED, ev.CANCELLED): CANCELLED,
    # what was cancelled or skipped along with something else is decided anew by a resume
    (CANCELLED, ev.STARTED): RUNNING,
    (CANCELLED, ev.BLOCKED): BLOCKED,
    (CANCELLED, ev.CANCELLED): CANCELLED,
    (CANCELLED, ev.SUCCEEDED): SUCCEEDED,
    (CANCELLED, ev.FAILED): FAILED,
    (CANCELLED, ev.SKIPPED): SKIPPED,
    (SKIPPED, ev.STARTED): RUNNING,
    (SKIPPED, ev.BLOCKED): BLOCKED,
    (SKIPPED, ev.FAILED): FAILED,
    (SKIPPED, ev.CANCELLED): CANCELLED,
    (SKIPPED, ev.SKIPPED): SKIPPED,
    # what it needs was retried by hand, and failed this time
    (READY, ev.SKIPPED): SKIPPED,
    (RUNNING, ev.SKIPPED): SKIPPED,
    (BLOCKED, ev.SKIPPED): SKIPPED,
    (CANCELLED, ev.OPENED): RUNNING,
    (CANCELLED, ev.SEALED): SUCCEEDED,
    (CANCELLED, ev.SCOPE_FAILED): FAILED,
    (CANCELLED, ev.SCOPE_CANCELLED): CANCELLED,
    (SKIPPED, ev.OPENED): RUNNING,
    (SKIPPED, ev.SEALED): SUCCEEDED,
    (SKIPPED, ev.SCOPE_FAILED): FAILED,
    (SKIPPED, ev.SCOPE_CANCELLED): CANCELLED,
    # a scope: without a pattern of its own it has no opening event
    (PENDING, ev.OPENED): RUNNING,
    (RUNNING, ev.OPENED): RUNNING,
    (PENDING, ev.SEALED): SUCCEEDED,
    (RUNNING, ev.SEALED): SUCCEEDED,
    (PENDING, ev.SCOPE_FAILED): FAILED,
    (RUNNING, ev.SCOPE_FAILED): FAILED,
    (PENDING, ev.SCOPE_CANCELLED): CANCELLED,
    (RUNNING, ev.SCOPE_CANCELLED): CANCELLED,
    # the run
    (PENDING, ev.RUN_STARTED): RUNNING,
    (RUNNING, ev.RUN_RESUMED): RUNNING,
    (WAITING, ev.RUN_RESUMED): RUNNING,
    (RUNNING, ev.RUN_REOPENED): RUNNING,  # a step decided by hand
    (WAITING, ev.RUN_REOPENED): RUNNING,
    (FAILED, ev.RUN_REOPENED): RUNNING,
    (CANCELLED, ev.RUN_REOPENED): RUNNING,
    (RUNNING, ev.RUN_PARKED): WAITING,
    (RUNNING, ev.RUN_SUCCEEDED): SUCCEEDED,
    (RUNNING, ev.RUN_FAILED): FAILED,
    (RUNNING, ev.RUN_CANCELLED): CANCELLED,
    (WAITING, ev.RUN_CANCELLED): CANCELLED,
}

# Events that change nobody's state.
NEUTRAL: Final = frozenset({ev.REPORTED, ev.DECIDED, ev.SIGNALLED, ev.CANCEL_REQUESTED, ev.DIRECTED})


# The states of the workers of other systems, in the words that those use.
WORKER_STATES: Final[dict[str, str]] = {
    PENDING: "PENDING",
    READY: "READY",
    STARTING: "STARTING",
    RUNNING: "ACTIVE",
    BLOCKED: "BLOCKED",
    WAITING: "BLOCKED",
    SUCCEEDED: "COMPLETE",
    SKIPPED: "COMPLETE",
    FAILED: "FAILED",
    CANCELLED: "FAILED",
    INTERRUPTED: "READY",  # a resume goes on with it
}


def worker_state(step: StepState) -> str:
    """Return the state of a step in the words of `WORKER_STATES`.

    What was skipped because something else has failed is not complete: what it depends on is not met.
    """
    is_unmet = step.state == SKIPPED and (step.note.startswith("/") or step.note == "dependency")
    return WORKER_STATES[PENDING if is_unmet else step.state]


def advance(state: str, kind: int) -> str:
    """Return the state after an event.

    Raises:
        InternalError: The table has no such transition.
    """
    try:
        return TRANSITIONS[state, kind]
    except KeyError:
        message = f"{ev.NAMES.get(kind, kind)} cannot happen to what is {state}"
        raise InternalError(message) from None


class StepState(NamedTuple):
    """One step or scope as the events so far have left it; times are seconds since 1970."""

    path: str
    state: str = PENDING
    is_scope: bool = False
    pattern: str = ""
    agent: str = ""
    attempt: int = 0
    started: float | None = None
    ended: float | None = None
    total: int | None = None
    note: str = ""
    source: str = ""


class RunState:
    """A run as the events so far have left it: `apply` each event in order, then look.

    `steps` maps paths to states in the order in which they were first named.
    """

    def __init__(self) -> None:
        """Begin with a run of which nothing is known."""
        self.status = PENDING
        self.workflow = ""
        self.started: float | None = None
        self.ended: float | None = None
        self.steps: dict[str, StepState] = {}
        self.output: Any = None
        self.failure: dict[str, Any] | None = None
        self.handled = 0
        self.seq = 0

    def apply(self, event: Stored) -> None:
        """Take one more event in.

        Raises:
            InternalError: The event cannot follow what came before it.
        """
        self.seq = max(self.seq, event.seq)
        if event.kind in NEUTRAL:
            return
        if event.scope:
            self._apply_step(event)
        else:
            self._apply_run(event)

    def _apply_run(self, event: Stored) -> None:
        self.status = advance(self.status, event.kind)
        body = event.body
        if event.kind == ev.RUN_STARTED:
            self.workflow = body["workflow"]
            self.started = event.at
        elif event.kind == ev.RUN_REOPENED:
            self.ended = self.failure = None
            for path in body["paths"]:
                if path in self.steps:
                    self.steps[path] = self.steps[path]._replace(state=PENDING, ended=None, note="")
        elif event.kind in ev.RUN_ENDS:
            self.ended = event.at
            self.output = body.get("output")
            self.failure = body.get("failure")
            self.handled = body.get("handled", 0)

    def _apply_step(self, event: Stored) -> None:
        path = event.path
        before = self.steps.get(path) or StepState(path)
        state = advance(before.state, event.kind)
        self.steps[path] = _described(before._replace(state=state), event)


def _described(step: StepState, event: Stored) -> StepState:
    body = event.body
    kind = event.kind
    if kind == ev.STARTED:
        return step._replace(
            agent=body.get("agent", ""),
            attempt=body.get("attempt", 1),
            started=step.started or event.at,
            source=body.get("source", ""),
            note="",
        )
    if kind == ev.OPENED:
        return step._replace(
            is_scope=True,
            pattern=body.get("pattern", ""),
            total=body.get("total"),
            started=step.started or event.at,
            source=body.get("source", ""),
        )
    if kind in {ev.BLOCKED, ev.HELD}:
        return step._replace(note=body.get("reason", ""))
    if kind == ev.RELEASED:
        return step._replace(note="")
    if kind == ev.RETRIED:
        return step._replace(note=f"attempt {body['attempt']} failed: {body['failure']['message']}")
    if kind in {ev.FAILED, ev.SCOPE_FAILED}:
        return step._replace(
            ended=event.at, note=body["failure"]["message"], is_scope=kind == ev.SCOPE_FAILED
        )
    if kind in {ev.SKIPPED, ev.CANCELLED, ev.SCOPE_CANCELLED}:
        note = body.get("because") or body.get("reason", "")
        return step._replace(ended=event.at, note=note, is_scope=kind == ev.SCOPE_CANCELLED)
    if kind == ev.SUCCEEDED:
        return _succeeded(step, event)
    if kind == ev.SEALED:
        return step._replace(ended=event.at, note="", is_scope=True)
    return step


def _succeeded(step: StepState, event: Stored) -> StepState:
    body = event.body
    ended = step._replace(ended=event.at, note="", is_scope=False)
    if "agent" not in body:
        return ended
    begun = event.at - body.get("took_s", 0.0)
    source = body.get("source", "")
    return ended._replace(agent=body["agent"], attempt=1, started=step.started or begun, source=source)


def fold(events: list[Stored]) -> RunState:
    """Return the run that a list of events describes."""
    state = RunState()
    for event in events:
        state.apply(event)
    return state


def below(state: RunState, scope: str) -> list[StepState]:
    """Return the steps and scopes under a scope, in the order in which they were first named."""
    return [step for path, step in state.steps.items() if path != scope and is_within(path, scope)]

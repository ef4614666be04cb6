"""The facts that a journal holds.

Rule 1: an event is written once and never changed; its `body` is JSON text in its final form.
Rule 2: the number of a kind never changes its meaning: it is stored.
Rule 3: what a resume does not need has a number up to `LAST_PASSING`; an index skips those.

The fields of each kind's body are listed in `FIELDS`; `kernel/state.py` says which may follow which.
"""

from __future__ import annotations

from typing import Any, Final

from maestri.kernel.path import join
from maestri.records import NamedTuple

# Passing: shown and kept, not read by a resume.
STARTED: Final = 1
OPENED: Final = 2
BLOCKED: Final = 3
UNBLOCKED: Final = 4  # reserved: nothing writes it
REPORTED: Final = 5
LAST_PASSING: Final = 9
# One step.
RETRIED: Final = 10
SUCCEEDED: Final = 11
FAILED: Final = 12
CANCELLED: Final = 13
SKIPPED: Final = 14
# A blocker that a step has reported itself, and its end: a resume must not go on before that.
HELD: Final = 15
RELEASED: Final = 16
# A value that must be the same on replay, and a message that came in.
DECIDED: Final = 20
SIGNALLED: Final = 21  # reserved: a message that came in is the record of the step that waited
# A scope that closed: one record stands for everything below.
SEALED: Final = 30
SCOPE_FAILED: Final = 31
SCOPE_CANCELLED: Final = 32
# The run as a whole (scope and name are empty).
RUN_STARTED: Final = 40
RUN_RESUMED: Final = 41
RUN_REOPENED: Final = 42
RUN_PARKED: Final = 43
CANCEL_REQUESTED: Final = 44
DIRECTED: Final = 45
RUN_SUCCEEDED: Final = 50
RUN_FAILED: Final = 51
RUN_CANCELLED: Final = 52

RUN_ENDS: Final = frozenset({RUN_SUCCEEDED, RUN_FAILED, RUN_CANCELLED})
SCOPE_ENDS: Final = frozenset({SEALED, SCOPE_FAILED, SCOPE_CANCELLED})
STEP_ENDS: Final = frozenset({SUCCEEDED, FAILED, CANCELLED, SKIPPED})
FAILURES: Final = frozenset({FAILED, CANCELLED, SCOPE_FAILED, SCOPE_CANCELLED})

NAMES: Final[dict[int, str]] = {
    STARTED: "step.started",
    OPENED: "scope.opened",
    BLOCKED: "step.blocked",
    UNBLOCKED: "step.unblocked",
    REPORTED: "step.reported",
    RETRIED: "step.retried",
    SUCCEEDED: "step.succeeded",
    FAILED: "step.failed",
    CANCELLED: "step.cancelled",
    SKIPPED: "step.skipped",
    HELD: "step.held",
    RELEASED: "step.released",
    DECIDED: "decided",
    SIGNALLED: "signalled",
    SEALED: "scope.succeeded",
    SCOPE_FAILED: "scope.failed",
    SCOPE_CANCELLED: "scope.cancelled",
    RUN_STARTED: "run.started",
    RUN_RESUMED: "run.resumed",
    RUN_REOPENED: "run.reopened",
    RUN_PARKED: "run.parked",
    CANCEL_REQUESTED: "run.cancel-requested",
    DIRECTED: "run.directed",
    RUN_SUCCEEDED: "run.succeeded",
    RUN_FAILED: "run.failed",
    RUN_CANCELLED: "run.cancelled",
}
KINDS: Final[dict[str, int]] = {name: kind for kind, name in NAMES.items()}

# Fields of the bodies; all but the first of each are left out where they say nothing.
FIELDS: Final[dict[int, tuple[str, ...]]] = {
    STARTED: ("attempt", "agent", "source"),
    OPENED: ("pattern", "total", "source"),
    BLOCKED: ("reason", "until", "question", "options", "schema", "signals", "hold"),
    UNBLOCKED: (),
    REPORTED: ("what", "text", "data", "attempt", "id"),
    RETRIED: ("attempt", "failure", "delay_s"),
    # agent, source, took_s: of a step that ended without having waited, and so has no start of its own
    SUCCEEDED: ("output", "attempt", "usage", "artifacts", "agent", "source", "took_s"),
    FAILED: ("failure", "attempt"),
    CANCELLED: ("reason", "by", "attempt"),  # reason: `request` or `scope`; by: a person's words
    SKIPPED: ("reason", "because"),  # reason: `when`, `dependency`, `by-hand` or `timeout`
    HELD: ("reason", "data", "attempt", "id", "result"),  # result: its success, which waits for the release
    RELEASED: ("note", "by", "id"),  # by: `step` itself, or the words of whoever has unblocked it
    DECIDED: ("value",),
    SIGNALLED: ("id", "data"),
    SEALED: ("output", "failed", "remark"),  # failed: how many failures below were handled
    SCOPE_FAILED: ("failure", "because", "failed"),  # because: the paths whose failures nobody handled
    SCOPE_CANCELLED: ("reason", "by", "failed", "because"),
    RUN_STARTED: ("workflow", "inputs", "cwd", "definition", "version", "timeout_s"),
    RUN_RESUMED: ("epoch", "process"),
    RUN_REOPENED: ("paths",),
    RUN_PARKED: ("waiting",),
    CANCEL_REQUESTED: ("path", "id", "by", "stale"),  # stale: the run had ended before it
    DIRECTED: ("verb", "path", "id", "output", "void", "refused"),  # void: there was nothing to decide
    RUN_SUCCEEDED: ("output", "handled"),
    RUN_FAILED: ("failure", "because", "failed"),
    RUN_CANCELLED: ("reason", "by", "because"),
}


class Event(NamedTuple):
    """One fact: `kind` happened `at` (seconds since 1970) to the step or scope `name` in `scope`.

    `digest` is a step's request digest (64 bits in hexadecimal, empty where there is none);
    `seq` is the place in the journal, 0 until it has one. `body` is JSON text of an object.
    """

    kind: int
    scope: str
    name: str
    at: float
    digest: str
    body: str
    seq: int = 0

    @property
    def path(self) -> str:
        """The path of the step or scope, or the empty text for the run itself."""
        return join(self.scope, self.name) if self.scope else ""


class Stored(NamedTuple):
    """An event as it comes back from a journal: the same, with its body decoded.

    `kind_name` is the word for its kind: `step.succeeded`, `run.failed`.
    """

    kind: int
    scope: str
    name: str
    at: float
    digest: str
    body: dict[str, Any]
    seq: int

    @property
    def kind_name(self) -> str:
        """The word for its kind, as `events --jsonl` shows it: `step.succeeded`."""
        return NAMES[self.kind]

    @property
    def path(self) -> str:
        """The path of the step or scope, or the empty text for the run itself."""
        return join(self.scope, self.name) if self.scope else ""

    def as_json(self) -> dict[str, Any]:
        """Return the event as one flat JSON object: the form of `events --jsonl` and `--json`."""
        head: dict[str, Any] = {"seq": self.seq, "at": self.at, "kind": NAMES[self.kind]}
        if self.scope:
            head["path"] = self.path
        if self.digest:
            head["digest"] = self.digest
        return {**head, **self.body}

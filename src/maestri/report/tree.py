"""A run as a tree that stays small: the fold of `kernel/state.py`, with what lies below what.

Rule 1: the state of a step comes from `RunState` alone; the tree adds only order and what is shown beside it.
Rule 2: memory follows what is open: of a scope with very many children the oldest that are done are counted
and forgotten, and so is what lies in a sealed scope when there are too many steps in all.
Rule 3: it is for eyes; an event that it cannot make sense of (because it did not see those before it) never
stops anybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from maestri.errors import InternalError
from maestri.kernel import codec, state
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.inside import SANDBOX, words_of
from maestri.kernel.path import ROOT, ancestors, parent, split_segment
from maestri.kernel.state import RunState, StepState
from maestri.records import NamedTuple

KEPT_CHILDREN: Final = 300
KEPT_STEPS: Final = 5000
LISTENER, STRAY = "on", "unhandled"  # the pattern that notes events nobody waits for, and under which name

# Of these nothing but the kind is shown, and their bodies may be large.
_BARE: Final = frozenset({ev.SUCCEEDED, ev.SEALED, ev.DECIDED, ev.SIGNALLED, ev.UNBLOCKED})
_WAITS: Final = frozenset({ev.BLOCKED, ev.HELD, ev.RETRIED})
_SHORT: Final = 500  # characters


class Wait(NamedTuple):
    """What a step waits for: `until` is a time in seconds since 1970, `options` are possible answers.

    `schema` is what an answer must be, `signals` are the signals that end the wait; `since` is when it began.
    `hold` is the id of a blocker that the step has reported itself.
    """

    reason: str
    until: float | None = None
    question: str = ""
    options: tuple[str, ...] = ()
    failures: int = 0
    schema: Any = None
    signals: tuple[str, ...] = ()
    hold: str = ""
    since: float = 0.0


class Stray(NamedTuple):
    """An event that nobody waited for while a step listened: that step's path, and what the event said."""

    path: str
    name: str
    data: Any


class Folded(NamedTuple):
    """How many children of a scope were forgotten, by how they ended.

    `steps` counts those that were steps and succeeded, wherever below the scope they were. `unread` counts
    those of which it is only known that they ended; `are_done` tells whether none of them can have failed.
    """

    succeeded: int = 0
    skipped: int = 0
    steps: int = 0
    unread: int = 0
    are_done: bool = True

    @property
    def total(self) -> int:
        """All of them."""
        return self.succeeded + self.skipped + self.unread


class Tree:
    """A run under way or ended: apply its events in order, then look."""

    def __init__(self, *, keeps_all: bool = False) -> None:
        """Begin with a run of which nothing is known; `keeps_all` forgets nothing, whatever that takes."""
        self.run = RunState()
        self.children: dict[str, dict[str, None]] = {ROOT: {}}
        self.folded: dict[str, Folded] = {}
        self.waits: dict[str, Wait] = {}
        self.strays: dict[str, Stray] = {}
        self.failures: dict[str, dict[str, Any]] = {}
        self.because: tuple[str, ...] = ()
        self.reports: dict[str, str] = {}  # the last words of steps about themselves
        self.earlier: set[str] = set()  # scopes in which children may be under way that were not read
        self.is_whole = True  # whether all that the journal has was read
        self.fails_more = False  # whether there are more failures than were read
        self._keeps_all = keeps_all
        self._epoch: int | None = 1
        self._limits: dict[str, int] = {}  # when to thin a scope out next

    def step(self, path: str) -> StepState:
        """Return the step or scope at a path; what is not known is pending."""
        return self.run.steps.get(path) or StepState(path)

    def below(self, scope: str) -> Iterator[StepState]:
        """Yield the kept children of a scope in the order in which they were first named."""
        for path in self.children.get(scope, ()):
            yield self.run.steps[path]

    def ended_in(self, scope: str) -> int:
        """Return how many children of a scope have ended."""
        ended = sum(step.state in state.ENDED for step in self.below(scope))
        folded = self.folded.get(scope)
        return ended + (folded.total if folded else 0)

    def leave_out(self, scope: str, ended: int, *, are_done: bool) -> None:
        """Count the children of a scope that were not read, given how many have ended in all."""
        folded = self.folded.get(scope, Folded())
        unread = max(0, ended - self.ended_in(scope))
        self.folded[scope] = folded._replace(unread=unread, are_done=are_done)
        live = sum(step.state in state.LIVE for step in self.below(scope))
        begun = self._begun(scope)
        if begun is None or begun > ended + live:
            self.earlier.add(scope)

    def _begun(self, scope: str) -> int | None:
        """Return how many children a scope has begun at the most; None where that cannot be told."""
        places = [split_segment(parent(path)[1]) for path in self.children.get(scope, ())]
        bounds = [max(number for _, number in places)] if len({name for name, _ in places}) == 1 else []
        total = self.step(scope).total
        return min([*bounds, *([total] if total is not None else [])], default=None)

    def steps_done(self) -> int:
        """Return how many steps have succeeded; scopes and rounds are none."""
        kept = sum(step.state == state.SUCCEEDED and not step.is_scope for step in self.run.steps.values())
        return kept + sum(folded.steps for folded in self.folded.values())

    def interrupt(self) -> None:
        """Show what was under way as interrupted: no process executes the run any more."""
        for path, step in self.run.steps.items():
            wait = self.waits.get(path)
            if step.state in state.LIVE - {state.PENDING} and not (wait is not None and _lasts(wait)):
                self.run.steps[path] = step._replace(state=state.INTERRUPTED)
                self.waits.pop(path, None)

    def take(self, event: Event) -> None:
        """Take in an event as it is stored, its body still text."""
        self.apply(as_stored(event))

    def apply(self, event: Stored) -> None:
        """Take one more event in."""
        if not event.scope:
            self._apply_run(event)
        elif event.kind not in state.NEUTRAL:
            self._apply_step(event)
        elif event.kind == ev.REPORTED and event.body["what"] != SANDBOX:
            self.reports[event.path] = words_of(event.body["what"], event.body.get("text", ""))
        elif event.kind == ev.DECIDED and split_segment(event.name)[0] == STRAY:
            self._note_stray(event)

    def _note_stray(self, event: Stored) -> None:
        value = event.body.get("value")
        if isinstance(value, dict) and self.step(event.scope).pattern == LISTENER and "name" in value:
            self.strays[event.path] = Stray(event.scope, str(value["name"]), value.get("data"))

    def _apply_run(self, event: Stored) -> None:
        if event.kind == ev.RUN_RESUMED and event.body.get("epoch") != self._epoch:
            self._epoch = event.body.get("epoch")  # the same one again: a parked run was woken in its process
            self._interrupt()
        self._fold(event)
        if event.kind == ev.RUN_REOPENED:
            self.because = ()
            for path in event.body["paths"]:
                self.failures.pop(path, None)
        elif event.kind == ev.RUN_FAILED:
            self.because = tuple(event.body.get("because", ()))

    def _interrupt(self) -> None:
        """What was under way when a process died waits for its turn again."""
        for path, step in self.run.steps.items():
            if step.state in state.LIVE and not step.is_scope:
                self.run.steps[path] = step._replace(state=state.PENDING, started=None, note="")
        self.waits.clear()

    def _apply_step(self, event: Stored) -> None:
        path = event.path
        self._open_above(path, event.at)
        before = self.run.steps.get(path)
        if before is not None and before.state in state.ENDED and event.kind == ev.STARTED:
            self.run.steps[path] = before._replace(started=None, ended=None)
        self._fold(event)
        if path not in self.run.steps:
            return
        self.children.setdefault(event.scope, {}).setdefault(path)
        self.waits.pop(path, None)
        if event.kind in _WAITS:
            self.waits[path] = _wait(event)
        elif event.kind in {ev.FAILED, ev.SCOPE_FAILED}:
            self.failures[path] = event.body["failure"]
        if self._keeps_all:
            return
        if event.kind == ev.SEALED and len(self.run.steps) > KEPT_STEPS:
            self._forget_below(path)
        self._thin_out(event.scope)

    def _fold(self, event: Stored) -> None:
        try:
            self.run.apply(event)
        except InternalError:
            self._fold_anew(event)

    def _fold_anew(self, event: Stored) -> None:
        """Begin the step again: events that led to where it stands were not seen."""
        if event.path in self.run.steps:
            step = self.run.steps[event.path]
            self.run.steps[event.path] = step._replace(state=state.PENDING)
        elif event.kind == ev.RETRIED:
            self.run.steps[event.path] = StepState(event.path, state.RUNNING)
        elif not event.scope:
            self.run.status = state.RUNNING if event.kind != ev.RUN_STARTED else state.PENDING
        try:
            self.run.apply(event)
        except InternalError:
            return

    def _open_above(self, path: str, at: float) -> None:
        """A scope without a pattern of its own has no opening event: its first step says that it is open."""
        steps = self.run.steps
        for above in reversed(ancestors(path)):
            known = steps.get(above)
            if above == ROOT or (known is not None and known.state in state.LIVE and known.is_scope):
                return
            started = known.started if known is not None and known.started is not None else at
            steps[above] = (known or StepState(above))._replace(
                state=state.RUNNING, is_scope=True, started=started, ended=None, note=""
            )
            self.children.setdefault(parent(above)[0], {}).setdefault(above)

    def _thin_out(self, scope: str) -> None:
        children = self.children.get(scope, {})
        if len(children) <= self._limits.get(scope, KEPT_CHILDREN):
            return
        for path in list(children):
            if len(children) <= KEPT_CHILDREN * 3 // 4:
                break
            step = self.run.steps[path]
            if step.state in {state.SUCCEEDED, state.SKIPPED}:
                self._fold_up(scope, path)
        # Where little could be forgotten, looking again at every event would cost more and more.
        self._limits[scope] = KEPT_CHILDREN if len(children) <= KEPT_CHILDREN else 2 * len(children)

    def _fold_up(self, scope: str, path: str) -> None:
        """Forget a child of a scope with all below it, and count it there."""
        step = self.step(path)
        self._forget_below(path)
        inner = self.folded.pop(path, Folded()).steps
        is_done = step.state == state.SUCCEEDED
        before = self.folded.get(scope, Folded())
        self.folded[scope] = before._replace(
            succeeded=before.succeeded + is_done,
            skipped=before.skipped + (not is_done),
            steps=before.steps + inner + (is_done and not step.is_scope),
        )
        self.children[parent(path)[0]].pop(path, None)
        self.run.steps.pop(path, None)
        self.failures.pop(path, None)
        self.reports.pop(path, None)

    def _forget_below(self, scope: str) -> None:
        for path in list(self.children.get(scope, ())):
            self._fold_up(scope, path)
        self.children.pop(scope, None)


def _lasts(wait: Wait) -> bool:
    """Tell whether a wait goes on although no process executes the run."""
    return bool(wait.question or wait.hold)


def as_stored(event: Event) -> Stored:
    """Return an event as it is stored with its body decoded, where anything in it is shown."""
    # A short result is looked into: it may have the start of its step in it.
    is_told = event.kind not in _BARE or (event.kind == ev.SUCCEEDED and len(event.body) <= _SHORT)
    body = codec.decode(event.body) if is_told else {}
    return Stored(event.kind, event.scope, event.name, event.at, event.digest, body, event.seq)


def _wait(event: Stored) -> Wait:
    body = event.body
    if event.kind == ev.RETRIED:
        delay_s = body.get("delay_s", 0.0)
        return Wait("retry", event.at + delay_s, failures=body.get("attempt", 1))
    return Wait(
        str(body.get("reason", "")),
        body.get("until"),
        str(body.get("question", "")),
        tuple(str(option) for option in body.get("options", ())),
        schema=body.get("schema"),
        signals=tuple(str(name) for name in body.get("signals", ())),
        since=event.at,
        hold=str(body.get("hold", body.get("id", "") if event.kind == ev.HELD else "")),
    )


def grown(events: Sequence[Stored]) -> Tree:
    """Return the tree of a list of events."""
    tree = Tree()
    for event in events:
        tree.apply(event)
    return tree

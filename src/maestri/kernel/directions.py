"""What people decide about steps by hand: retry, skip, accept.

Rule 1: a decision is on record before its effect; the next resume makes up what a crash has cut off.
Rule 2: a decision is used once: by the next resume, which carries it out or records that it was void.
Rule 3: a decision and its effect are added in one turn of the loop, and so are in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from maestri.errors import PathNotFound
from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.past import BY_HAND
from maestri.kernel.path import ROOT, RUN, ancestors, parent, split_segment
from maestri.kernel.ports import Clock, Engine, Journal
from maestri.records import NamedTuple

VERBS: Final = frozenset({"retry", "skip", "accept"})
_ENDS = ev.STEP_ENDS | ev.SCOPE_ENDS
_SUCCESSES = frozenset({ev.SUCCEEDED, ev.SEALED})
_ROUND = "round"  # the name of a loop's rounds: a loop goes on after the last of them


class Direction(NamedTuple):
    """What a person has decided: `verb` is retry, skip or accept; `output` stands for the step's own."""

    verb: str
    path: str
    output: Any = None

    def event(self, now: float, **more: Any) -> Event:
        """Return the record of the decision."""
        output = {"output": self.output} if self.verb == "accept" else {}
        fields = {"verb": self.verb, "path": self.path, **more, **output}
        return Event(ev.DIRECTED, RUN, "", now, "", codec.encode(fields))


async def failed_end(engine: Engine, journal: Journal, path: str, history: Sequence[Stored]) -> Stored:
    """Return how a step or scope ended that did not succeed, or was taken back since.

    Raises:
        PathNotFound: It has not ended, it has succeeded, or it is in a round that its loop has left behind.
    """
    scope, segment = parent(path)
    reopened = _reopened(history)
    ends = [e for e in await journal.settled(scope) if e.name == segment and e.kind in _ENDS]
    if not ends or not _is_open(ends[-1], reopened, history):
        what = "has succeeded" if ends else "has not ended"
        message = f"`{path}` {what} in this run"
        fix = f"give the path of a step that has failed; `maestri show {journal.info.name}` lists them"
        raise PathNotFound(message, fix=fix, run=journal.info.name, path=path)
    for above in (*ancestors(path), path):
        await _refuse_left_behind(engine, journal, above, reopened)
    return ends[-1]


def _reopened(history: Sequence[Stored]) -> dict[str, int]:
    return {path: e.seq for e in history if e.kind == ev.RUN_REOPENED for path in e.body["paths"]}


def _is_open(end: Stored, reopened: dict[str, int], history: Sequence[Stored]) -> bool:
    """Tell whether an end is one to decide about: no success, taken back, or what the run has failed of."""
    if end.kind not in _SUCCESSES or end.seq < reopened.get(end.path, 0):
        return True
    run_ends = [event for event in history if event.kind in ev.RUN_ENDS]
    return bool(run_ends) and end.path in run_ends[-1].body.get("because", ())


async def _refuse_left_behind(engine: Engine, journal: Journal, path: str, reopened: dict[str, int]) -> None:
    """Refuse a decision about a round of a loop after which there were others: they have used its output.

    Raises:
        PathNotFound: Names the loop.
    """
    scope, segment = parent(path)
    name, number = split_segment(segment)
    if name != _ROUND or scope == ROOT:
        return
    last = [e for e in await journal.last(scope, 1) if e.seq > reopened.get(e.path, 0)]
    if not last or split_segment(last[0].name) <= (name, number) or not _is_loop(engine, journal, scope):
        return
    message = f"the loop `{scope}` has gone on since its round {number}, so that nothing would come of it"
    fix = "its later rounds have used what this one gave; to have it done anew, start a new run"
    raise PathNotFound(message, fix=fix, run=journal.info.name, path=path)


def _is_loop(engine: Engine, journal: Journal, path: str) -> bool:
    scope, segment = parent(path)
    reader = engine.read(journal.info.id)
    try:
        opened = [e for e in reader.scope(scope, 1_000_000) if e.kind == ev.OPENED and e.name == segment]
    finally:
        reader.close()
    return any(event.body.get("pattern") == "loop" for event in opened)


async def apply(
    engine: Engine, journal: Journal, clock: Clock, history: Sequence[Stored]
) -> Sequence[Stored]:
    """Carry out what people decided while the run was under way; returns the history after it."""
    pending = _pending(history)
    for event in pending:
        body = event.body
        direction = Direction(body["verb"], body["path"], body.get("output"))
        if "id" not in body:
            await _complete(journal, clock, direction, event.seq)
            continue
        try:
            end = await failed_end(engine, journal, direction.path, history)
        except PathNotFound:
            await journal.commit(direction.event(clock.now(), void=True))
        else:
            await decide(journal, clock, direction, end)
    return await journal.settled(RUN) if pending else history


def _pending(history: Sequence[Stored]) -> list[Stored]:
    """Return the last decision on each path that nothing may have come of yet.

    One without an id was carried out where it was recorded; it is looked at until the run has gone on.
    """
    last: dict[str, Stored] = {}
    resumed = max((event.seq for event in history if event.kind == ev.RUN_RESUMED), default=0)
    for event in history:
        body = event.body
        if event.kind != ev.DIRECTED or body["verb"] not in VERBS or not isinstance(body.get("path"), str):
            continue  # refused, or taken in by a version that did not look
        if body.get("void") or ("id" not in body and event.seq < resumed):
            last.pop(body["path"], None)
        else:
            last[body["path"]] = event
    return list(last.values())


async def decide(journal: Journal, clock: Clock, direction: Direction, end: Stored) -> None:
    """Record what a person has decided about a step or scope that ended like this.

    A scope that is to be retried is reopened together with what it failed of.
    """
    journal.append(direction.event(clock.now()))
    failed_of = end.body.get("because", ()) if direction.verb == "retry" else ()
    await _carry_out(journal, clock, direction, (direction.path, *failed_of))


async def _carry_out(journal: Journal, clock: Clock, direction: Direction, paths: Sequence[str]) -> None:
    now = clock.now()
    above = [p for one in paths for p in (*ancestors(one), one) if p != ROOT]
    body = codec.encode({"paths": list(dict.fromkeys(above))})
    reopened = Event(ev.RUN_REOPENED, RUN, "", now, "", body)
    if direction.verb == "retry":
        await journal.commit(reopened)
        return
    journal.append(reopened)
    scope, segment = parent(direction.path)
    kind, fields = ev.SUCCEEDED, {"output": direction.output}
    if direction.verb == "skip":
        kind, fields = ev.SKIPPED, {"reason": BY_HAND}
    await journal.commit(Event(kind, scope, segment, now, "", codec.encode(fields)))


async def _complete(journal: Journal, clock: Clock, direction: Direction, seq: int) -> None:
    """Make up what is missing of a decision that a crash has cut off behind its record."""
    if direction.verb == "retry":
        return  # nobody was told that it is recorded
    scope, segment = parent(direction.path)
    ends = [e for e in await journal.settled(scope) if e.name == segment and e.kind in _ENDS]
    if not any(end.seq > seq for end in ends):
        await _carry_out(journal, clock, direction, (direction.path,))

"""Reads the tree of a run from its journal, with an amount of work that does not follow the journal's length.

Rule 1: a short journal is read whole. Of a long one, the root and the scopes that are open or have failed are
read one by one; a sealed scope is its one record.
Rule 2: nothing is hidden that failed: the last failures are looked up by themselves, wherever they are in the
journal, and what is not read is counted.
Rule 3: an open scope without a pattern has no record where its parent could see it, so the last events of
the journal tell which scopes are at work.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.events import Stored
from maestri.kernel.path import ROOT, ancestors, parent
from maestri.kernel.ports import Reader
from maestri.report.tree import Tree, grown

WHOLE_EVENTS: Final = 4000
TAIL_EVENTS: Final = 200
SCOPES: Final = 200
SCOPE_EVENTS: Final = 300
FRONTIER_EVENTS: Final = 3000  # of which no further scope is opened: looking takes no longer than a blink
FAILURES: Final = 200
_PAGE: Final = 1000


def read_tree(reader: Reader) -> Tree:
    """Return the tree of a run as its journal has it now."""
    if reader.last_seq() >= WHOLE_EVENTS:
        return _read_frontier(reader)
    return grown(reader.events(0, WHOLE_EVENTS))


def read_whole(reader: Reader) -> Tree:
    """Return the tree of a run with every step that its journal has, however long that takes."""
    tree = Tree(keeps_all=True)
    after = 0
    while page := reader.events(after, _PAGE):
        for event in page:
            tree.apply(event)
        after = page[-1].seq
    return tree


def _read_frontier(reader: Reader) -> Tree:
    at_work = _at_work(reader.events(max(0, reader.last_seq() - TAIL_EVENTS), TAIL_EVENTS))
    of_run = reader.run_events()
    failed = reader.failures(FAILURES + 1)
    lasting = _by_scope([event for event in failed if _is_lasting(event, of_run)])
    found = {event.seq: event for event in of_run}
    cut: list[str] = []
    wanted, seen = [ROOT], {ROOT}
    for scope in wanted:
        last = reader.scope(scope, SCOPE_EVENTS)
        if len(last) >= SCOPE_EVENTS:
            cut.append(scope)
        events = [*lasting.get(scope, ()), *last]
        found.update((event.seq, event) for event in events)
        for path in [*_open_scopes(events), *sorted(at_work.get(scope, ()))]:
            if path not in seen and len(seen) < SCOPES and len(found) < FRONTIER_EVENTS:
                seen.add(path)
                wanted.append(path)
    tree = grown([found[seq] for seq in sorted(found)])
    tree.is_whole = False
    tree.fails_more = len(failed) > FAILURES
    all_of_them = _by_scope(failed)
    for scope in cut:
        is_sure = not tree.fails_more and len(all_of_them.get(scope, ())) == len(lasting.get(scope, ()))
        tree.leave_out(scope, reader.ended(scope), are_done=is_sure)
    return tree


def _is_lasting(failure: Stored, of_run: Sequence[Stored]) -> bool:
    """Tell whether no later resume may have taken a failure back; what it did is among the last events."""
    later = [event for event in of_run if event.seq > failure.seq]
    if failure.kind in {ev.CANCELLED, ev.SCOPE_CANCELLED}:
        return not any(event.kind in {ev.RUN_RESUMED, ev.RUN_REOPENED} for event in later)
    return not any(event.kind == ev.RUN_REOPENED and failure.path in event.body["paths"] for event in later)


def _by_scope(events: Iterable[Stored]) -> dict[str, list[Stored]]:
    found: dict[str, list[Stored]] = {}
    for event in events:
        found.setdefault(event.scope, []).append(event)
    return found


def _at_work(tail: Sequence[Stored]) -> dict[str, set[str]]:
    """Return the scopes that the last events name, by the scope around them."""
    found: dict[str, set[str]] = {}
    ended: set[str] = set()
    for event in reversed(tail):
        if event.kind in ev.SCOPE_ENDS:
            ended.add(event.path)
        if not event.scope or event.scope == ROOT:
            continue
        chain = [*ancestors(event.scope), event.scope][1:]
        if not ended.isdisjoint(chain):
            continue
        for path in chain:
            found.setdefault(parent(path)[0], set()).add(path)
    return found


def _open_scopes(events: Iterable[Stored]) -> list[str]:
    """Return the scopes among the children that are open or have failed, in their order."""
    last: dict[str, int] = {}
    for event in events:
        if event.kind == ev.OPENED or event.kind in ev.SCOPE_ENDS:
            last[event.path] = event.kind
    return [path for path, kind in last.items() if kind != ev.SEALED]


def status_of(end: int | None, waiting: str, *, alive: bool) -> str:
    """Return the word for the state of a run as an engine lists it."""
    if end is not None:
        return state.TRANSITIONS[state.RUNNING, end]
    if waiting:
        return state.WAITING
    return state.RUNNING if alive else state.INTERRUPTED

"""Reads the tree of a run from its journal, with an amount of work that does not follow the journal's length.

Rule 1: a short journal is read whole. Of a long one, the root and the scopes that are open or have failed are
read one by one; a sealed scope is its one record.
Rule 2: an open scope without a pattern has no record where its parent could see it, so the last events of
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
TAIL_EVENTS: Final = 1000
SCOPES: Final = 200
SCOPE_EVENTS: Final = 1000


def read_tree(reader: Reader) -> Tree:
    """Return the tree of a run as its journal has it now."""
    events = reader.events(0, WHOLE_EVENTS)
    if len(events) < WHOLE_EVENTS:
        return grown(events)
    return _read_frontier(reader)


def last_seq(reader: Reader) -> int:
    """Return the sequence number of the last event, found by halving."""
    high = 1
    while reader.events(high, 1):
        high *= 2
    low = high // 2
    while low < high:
        middle = (low + high) // 2
        if reader.events(middle, 1):
            low = middle + 1
        else:
            high = middle
    return low


def _read_frontier(reader: Reader) -> Tree:
    at_work = _at_work(reader.events(max(0, last_seq(reader) - TAIL_EVENTS), TAIL_EVENTS))
    found: dict[int, Stored] = {}
    earlier: set[str] = set()
    wanted, seen = [ROOT], {ROOT}
    for scope in wanted:
        events = reader.scope(scope, SCOPE_EVENTS)
        if len(events) >= SCOPE_EVENTS:
            earlier.add(scope)
        found.update((event.seq, event) for event in events)
        for path in [*_open_scopes(events), *sorted(at_work.get(scope, ()))]:
            if path not in seen and len(seen) < SCOPES:
                seen.add(path)
                wanted.append(path)
    found.update((event.seq, event) for event in reader.run_events())
    tree = grown([found[seq] for seq in sorted(found)])
    tree.earlier = earlier
    tree.is_whole = False
    return tree


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

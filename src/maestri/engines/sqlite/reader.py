"""One run as a reader sees it, wherever its newest epoch is.

Rule 1: each call is one short read; nothing is held between calls but connections.
Rule 2: a run that moves to another file is followed: its sequence numbers stay the same.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.rows import PASSING, SETTLED, UNUSUAL, Part, damage, fetched, select
from maestri.engines.sqlite.schema import translated
from maestri.kernel.events import (
    DECIDED,
    FAILURES,
    HELD,
    RELEASED,
    RETRIED,
    RUN_REOPENED,
    RUN_RESUMED,
    RUN_STARTED,
    SCOPE_ENDS,
    STEP_ENDS,
    Stored,
)
from maestri.kernel.path import RUN, parent
from maestri.kernel.ports import RunInfo

_IN_RUN: Final = "place > ? and place < ?"
_FEW: Final = 5000  # to look at each of them takes some milliseconds
_NO_ENDS: Final = frozenset({DECIDED, HELD, RELEASED, RETRIED})
_AGAIN: Final = frozenset({RUN_RESUMED, RUN_REOPENED})


def _listed(kinds: Iterable[int]) -> str:
    return ", ".join(str(kind) for kind in sorted(kinds))


_FAILED: Final = f"{UNUSUAL} and kind in ({_listed(FAILURES)}) order by place desc limit ?"
_LAST: Final = f"select max(place) from event where {_IN_RUN}"  # noqa: S608
_COUNT: Final = f"select count(*) from event where scope = ? and {SETTLED} and {_IN_RUN}"  # noqa: S608
_NAMES: Final = (
    f"select count(distinct name) from event where scope = ? and {SETTLED} and {_IN_RUN}"  # noqa: S608
    f" and kind in ({_listed(STEP_ENDS | SCOPE_ENDS)})"
)
_UNUSUAL_ONES: Final = (
    f"select scope, kind from event where {UNUSUAL} and {_IN_RUN}"  # noqa: S608
    f" and kind in ({_listed({*_NO_ENDS, *STEP_ENDS, *SCOPE_ENDS})}) limit {_FEW + 1}"
)


class RunReader:
    """The events of one run, for those who only look."""

    def __init__(self, catalog: Catalog, run_id: str) -> None:
        """Take over a catalog, which is closed with the reader."""
        self._catalog = catalog
        self._run_id = run_id

    def info(self) -> RunInfo:
        """Return the run as it stands now."""
        return self._catalog.find(self._run_id).info

    def events(self, after: int = 0, limit: int = 1000) -> Sequence[Stored]:
        """Return stored events with a sequence number above `after`, oldest first.

        Raises:
            JournalDamaged: One of them does not agree with its checksum, or is missing.
        """
        part = self._catalog.find(self._run_id).part
        found = select(part, "true order by place limit ?", (limit,), after)
        expected = after + 1
        # A run has its first event from the moment that it is there.
        if (not found and after == 0 and limit) or (found and found[-1].seq != after + len(found)):
            expected = next((after + n for n, one in enumerate(found, 1) if one.seq != after + n), expected)
            raise damage(part, expected, RUN, "", "it is missing")
        return found

    def scope(self, scope: str, limit: int = 1000) -> Sequence[Stored]:
        """Return the last events of one scope of every kind, oldest first.

        Raises:
            JournalDamaged: One of them does not agree with its checksum.
        """
        part = self._catalog.find(self._run_id).part
        found = []
        for kinds in (SETTLED, PASSING):
            found += select(part, f"scope = ? and {kinds} order by place desc limit ?", (scope, limit))
        return sorted(found, key=lambda event: event.seq)[-limit:] if limit else []

    def run_events(self) -> Sequence[Stored]:
        """Return the events of the run as a whole, oldest first.

        Raises:
            JournalDamaged: One of them does not agree with its checksum, or the first is missing.
        """
        part = self._catalog.find(self._run_id).part
        condition = f"scope = ? and {SETTLED} and kind >= ? order by place"
        found = select(part, condition, (RUN, RUN_STARTED))
        if not found or found[0].kind != RUN_STARTED:
            raise damage(part, 1, RUN, "", "it is missing")
        return found

    def last_seq(self) -> int:
        """Return the sequence number of the last event; 0 where there is none.

        Raises:
            EngineError: The file cannot be read.
        """
        part = self._catalog.find(self._run_id).part
        try:
            ((place,),) = fetched(part.db, _LAST, (part.first, part.end))
        except sqlite3.Error as error:
            raise translated(error, part.file) from error
        return 0 if place is None else int(place) - part.first

    def step(self, path: str) -> Sequence[Stored]:
        """Return the events of one step or scope, oldest first.

        Raises:
            JournalDamaged: One of them does not agree with its checksum.
        """
        part = self._catalog.find(self._run_id).part
        found = []
        for kinds in (SETTLED, PASSING):
            found += select(part, f"scope = ? and {kinds} and name = ?", parent(path))
        return sorted(found, key=lambda event: event.seq)

    def ended(self, scope: str) -> int:
        """Return how many children of a scope have an end on record, mostly from an index alone.

        Raises:
            EngineError: The file cannot be read.
        """
        part = self._catalog.find(self._run_id).part
        try:
            return self._ended(part, scope)
        except sqlite3.Error as error:
            raise translated(error, part.file) from error

    def _ended(self, part: Part, scope: str) -> int:
        here = (part.first, part.end)
        unusual = fetched(part.db, _UNUSUAL_ONES, here)
        kinds = Counter(kind for where, kind in unusual if where == scope)
        # What failed or was skipped may have ended again since the run was resumed.
        is_twice = kinds.keys() - _NO_ENDS and any(e.kind in _AGAIN for e in self.run_events())
        if len(unusual) > _FEW or is_twice:
            ((count,),) = fetched(part.db, _NAMES, (scope, *here))
        else:
            ((count,),) = fetched(part.db, _COUNT, (scope, *here))
            count -= sum(kinds[kind] for kind in _NO_ENDS)
        return int(count)

    def failures(self, limit: int = 1000) -> Sequence[Stored]:
        """Return the last ends of steps and scopes that failed or were cancelled, oldest first.

        Raises:
            JournalDamaged: One of them does not agree with its checksum.
        """
        return select(self._catalog.find(self._run_id).part, _FAILED, (limit,))[::-1]

    def close(self) -> None:
        """Let go of the files."""
        self._catalog.close()

"""One run as a reader sees it, wherever its newest epoch is.

Rule 1: each call is one short read; nothing is held between calls but connections.
Rule 2: a run that moves to another file is followed: its sequence numbers stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.rows import damage, select
from maestri.kernel.events import RUN_STARTED, Stored
from maestri.kernel.path import RUN
from maestri.kernel.ports import RunInfo

# The partial indexes serve a query only when it says the same.
SETTLED = "kind > 9"
PASSING = "kind <= 9"


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

    def close(self) -> None:
        """Let go of the files."""
        self._catalog.close()

"""Events that nobody waits for: they stay in the mailbox, and whoever looks out for them only notes them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.listening import ANY_SIGNAL
from maestri.kernel.path import numbered
from maestri.kernel.run import RunCore


class Strays:
    """Notes the signals that nobody waits for while somebody looks out for them; they stay where they are.

    The records are values at `NAME#n` of a scope, with the id of the message: each is noted once, also when
    it is found again after a restart.
    """

    def __init__(
        self, run: RunCore, scope: str, name: str, noted: Callable[[str], Any], expected: Collection[str]
    ) -> None:
        """Look out from now on.

        Args:
            run: The run.
            scope: Where the records are.
            name: Their name.
            noted: Gives what is on record at a segment, or None.
            expected: The names of signals that somebody will take.
        """
        self._run = run
        self._scope = scope
        self._name = name
        self._expected = frozenset(expected)
        self._ids: set[str] = set()
        while (one := noted(numbered(name, len(self._ids) + 1))) is not None:
            self._ids.add(one["id"])
        run.waits.strays.append(self._hear)
        if run.on_wait is not None:
            run.on_wait(ANY_SIGNAL)

    @property
    def count(self) -> int:
        """How many were noted."""
        return len(self._ids)

    def close(self) -> None:
        """Look out no longer."""
        self._run.waits.strays.remove(self._hear)

    def _hear(self, message_id: str, name: str, data: Any) -> None:
        if name in self._expected or message_id in self._ids:
            return
        self._ids.add(message_id)
        body = codec.encode({"value": {"name": name, "data": data, "id": message_id}})
        segment = numbered(self._name, self.count)
        self._run.journal.append(Event(ev.DECIDED, self._scope, segment, self._run.clock.now(), "", body))

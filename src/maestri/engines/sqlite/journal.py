"""The journal of one run under lease.

Rule 1: every waiter has a future of its own: giving one up harms no other.
Rule 2: numbers are given out here, on the loop, because nobody else writes the run.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Callable, Collection, Sequence
from collections.abc import Set as AbstractSet

from maestri.engines.sqlite import mailbox
from maestri.engines.sqlite.batch import Lease
from maestri.engines.sqlite.leasing import Leased, let_go
from maestri.engines.sqlite.outbox import Outbox
from maestri.engines.sqlite.rows import SETTLED, Part, damage, select
from maestri.engines.statedir import StateDir
from maestri.kernel.events import Event, Stored
from maestri.kernel.path import RUN
from maestri.kernel.ports import Message, RunInfo


class RunJournal:
    """Writes and reads one run while this process holds its lease."""

    def __init__(
        self, state: StateDir, outbox: Outbox, leased: Leased, part: Callable[[Lease], Part]
    ) -> None:
        """Begin after the last event. `part` finds the rows of a run."""
        self._state = state
        self._outbox = outbox
        self._lease = leased.lease
        self._seq = leased.last_seq
        self._taken: AbstractSet[str] = leased.taken  # mostly none, and then no set of our own
        self._part = part
        self._add = outbox.add
        self._promise = outbox.promise
        self._closed = False

    @property
    def info(self) -> RunInfo:
        """The run, with the epoch under which this process may write."""
        return self._lease.info

    def append(self, event: Event) -> None:
        """Add an event that rides with the next commit; order is kept, nothing is waited for."""
        self._seq = seq = self._seq + 1
        self._add((self._lease, seq, event, None, None))

    def commit(self, event: Event) -> Future[None]:
        """Add an event and return something that completes when it, and all before it, is stored.

        Raises (when awaited):
            StaleOwner: Another process has taken the run over.
            EngineError: The disk failed.
        """
        stored: Future[None] = self._promise()
        self._seq = seq = self._seq + 1
        self._add((self._lease, seq, event, stored, None))
        return stored

    async def settled(self, scope: str) -> Sequence[Stored]:
        """Return the events of one scope that a resume needs, in order.

        Raises:
            JournalDamaged: One of them does not agree with its checksum, or the first of the run is missing.
        """
        part = self._part(self._lease)
        found = select(part, f"scope = ? and {SETTLED} order by place", (scope,))
        if scope == RUN and not found:
            raise damage(part, 1, RUN, "", "it is missing")
        return found

    async def last(self, scope: str, count: int) -> Sequence[Stored]:
        """Return the last `count` of the events that `settled` would return, in order.

        Raises:
            JournalDamaged: One of them does not agree with its checksum.
        """
        condition = f"scope = ? and {SETTLED} order by place desc limit ?"
        return select(self._part(self._lease), condition, (scope, count))[::-1]

    async def messages(self, skip: Collection[str] = ()) -> Sequence[Message]:
        """Return what has come into the mailbox of the run and was not taken yet, in order.

        Raises:
            EngineError: The mailbox cannot be read.
        """
        run_id = self._lease.info.id
        found: list[Message] = []
        seen = set(skip)  # also what could not be removed: it must not be looked at for ever
        while not found and (page := mailbox.messages(self._state, run_id, seen)):
            seen.update(message.id for message in page)
            for message in page:
                if message.id in self._taken:
                    mailbox.remove(self._state, run_id, message.id)  # a crash came before the removal
                else:
                    found.append(message)
        return found

    def take(self, message: Message, event: Event) -> Awaitable[None]:
        """Record a message as an event, in one transaction, once only, and remove it from the mailbox.

        Raises (when awaited):
            StaleOwner: Another process has taken the run over.
        """
        if message.id in self._taken:
            return self._outbox.do(_nothing)
        if isinstance(self._taken, set):
            self._taken.add(message.id)
        else:
            self._taken = {*self._taken, message.id}
        stored: Future[None] = self._promise()
        self._seq += 1
        self._add((self._lease, self._seq, event, stored, message.id))
        return stored

    async def close(self) -> None:
        """Wait until everything is stored and give the lease back.

        Raises:
            StaleOwner: Another process has taken the run over.
            EngineError: The disk failed, so that not everything is stored.
        """
        if self._closed:
            return
        self._closed = True
        lease, self._lease = self._lease, self._lease.ended()
        if not self._outbox.is_closed:  # an engine that was closed has given all leases back
            await self._outbox.do(lambda db: let_go(db, lease), is_single=True, is_last=True)
        self._lease.info = lease.ended_info()  # with what the last events made of the run
        if lease.error is not None:
            raise lease.error


def _nothing(_: object) -> None:
    """Complete when all before it is stored."""

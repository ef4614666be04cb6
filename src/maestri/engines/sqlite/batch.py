"""One transaction: the events of many runs and the operations between them.

Rule 1: whether a run may still write is asked inside the transaction that writes.
Rule 2: a run that may not write loses its own rows; the others' are stored.
Rule 3: many rows go in one statement: each statement gives up the interpreter and must win it back.
"""

from __future__ import annotations

import sqlite3
from asyncio import Future
from collections.abc import Callable
from typing import Any, TypeAlias

from maestri.engines.projection import projected
from maestri.engines.sqlite.checksum import checksum, seed
from maestri.engines.sqlite.rows import packed
from maestri.engines.sqlite.schema import PLACES_PER_RUN
from maestri.engines.sqlite.texts import packed_text
from maestri.errors import MaestriError, StaleOwner
from maestri.kernel.codec import LARGE_BYTES, shrink
from maestri.kernel.events import RUN_STARTED, Event
from maestri.kernel.ports import RunInfo

_COLUMNS = 8
_ROWS_AT_ONCE = 100
_KEYS_AT_ONCE = 500
_SETTLES_S = 1.0  # `changed` of a run is stored with this precision: a write less per commit

Waiter: TypeAlias = Future[None]


class Lease:
    """The right of this process to write one run, as the writer sees it.

    `error` is set once the right is lost; nothing is stored under the lease after that.
    """

    __slots__ = ("base", "error", "info", "key", "seed")

    def __init__(self, key: int, info: RunInfo, error: MaestriError | None = None) -> None:
        """Hold what writing a row of the run needs."""
        self.key = key
        self.info = info
        self.base = key * PLACES_PER_RUN
        self.seed = seed(info.id)
        self.error = error

    def ended(self) -> Lease:
        """Return the same lease with the right given back."""
        return Lease(self.key, self.ended_info(), stale(self.info.id))

    def ended_info(self) -> RunInfo:
        """Return the run as it is listed once nobody executes it."""
        return self.info._replace(alive=False)


# lease, sequence number, event, who waits, id of the message that the event records
Entry: TypeAlias = tuple[Lease, int, Event, Waiter | None, str | None]


class Operation:
    """Something else to do in a transaction.

    `reads` events, so that those before it must be there; `is_single`: one statement, of which no half can
    be left; `is_last`: done when all else of the transaction is; `is_light`: it may go to the disk with the
    next commit.
    """

    __slots__ = ("act", "done", "error", "is_last", "is_light", "is_single", "reads", "result")

    def __init__(
        self,
        act: Callable[[sqlite3.Connection], Any],
        done: Future[Any] | None,
        *,
        reads: bool = False,
        is_single: bool = False,
        is_last: bool = False,
        is_light: bool = False,
    ) -> None:
        """Hold what to do and who waits for its result."""
        self.is_light = is_light
        self.act = act
        self.done = done
        self.reads = reads
        self.is_single = is_single
        self.is_last = is_last
        self.result: Any = None
        self.error: MaestriError | None = None


Item: TypeAlias = Entry | Operation


def stale(run_id: str) -> StaleOwner:
    """Return the error of a process that writes to a run without holding it any more."""
    whose = f"run {run_id}" if run_id else "a run"
    message = f"{whose} is no longer executed by this process"
    cause = "its lease was given back or another process has taken it over"
    return StaleOwner(
        message, cause=cause, fix="look at the run; resume it if it is not going on", run=run_id or None
    )


class Batch:
    """Fills one transaction. A new one is made for each try; `settle` only after the commit."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Begin with nothing; the transaction is the caller's."""
        self._db = db
        self._flat: list[Any] = []
        self._blobs: dict[str, str] = {}
        self._messages: list[tuple[int, str]] = []
        self.taken: list[tuple[str, str]] = []
        self._infos: dict[Lease, RunInfo] = {}
        self._last: dict[Lease, float] = {}
        self._later: list[Operation] = []
        self._valid: set[Lease] = set()  # who may write, as far as it was asked
        self.refused: dict[Lease, MaestriError] = {}

    def fill(self, items: list[Item]) -> None:
        """Write all items, in order."""
        self._look_up(items)
        current: Lease | None = None
        flat = self._flat
        may_write = False
        at = 0.0
        for item in items:
            if isinstance(item, Operation):
                self._operate(item)
                continue
            lease, seq, event, _, message = item
            if lease is not current:
                if current is not None and may_write:
                    self._last[current] = at
                current, may_write = lease, self._may_write(lease)
            if not may_write:
                continue
            kind, scope, name, at, digest, body, _ = event
            if len(body) > LARGE_BYTES or '"$' in body:
                body, blobs = shrink(body)
                self._blobs.update(blobs)
            crc = checksum(lease.seed, seq, kind, scope, name, at, digest, body)
            flat += (lease.base + seq, kind, scope, name, at, packed(digest), crc, body)
            if kind >= RUN_STARTED:
                self._infos[lease] = projected(self._infos.get(lease, lease.info), event)
            if message is not None:
                self._messages.append((lease.key, message))
                self.taken.append((lease.info.id, message))
        if current is not None and may_write:
            self._last[current] = at
        self._insert()
        self._project()

    def settle(self) -> None:
        """Make what was committed the state of the leases."""
        for lease, info in self._infos.items():
            lease.info = info

    def _look_up(self, items: list[Item]) -> None:
        """Ask for all leases at once whether they are still held; those just born are asked for alone."""
        asked = list({item[0] for item in items if type(item) is tuple})
        for at in range(0, len(asked), _KEYS_AT_ONCE):
            some = asked[at : at + _KEYS_AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"select key, epoch from run where key in ({marks})"  # noqa: S608
            epochs = dict(self._db.execute(query, [lease.key for lease in some]).fetchall())
            self._valid.update(
                lease for lease in some if lease.error is None and epochs.get(lease.key) == lease.info.epoch
            )

    def _may_write(self, lease: Lease) -> bool:
        if lease in self._valid:
            return True
        if lease.error is None:
            row = self._db.execute("select epoch from run where key = ?", (lease.key,)).fetchone()
            if row is not None and row[0] == lease.info.epoch:
                self._valid.add(lease)
                return True
            lease.error = stale(lease.info.id)
        self.refused[lease] = lease.error
        return False

    def _operate(self, operation: Operation) -> None:
        if operation.reads:
            self._insert()
        if operation.is_last:
            self._later.append(operation)
        elif operation.is_single:
            _do(operation, self._db)
        else:
            self._valid.clear()  # it may take a run away from whoever held it
            self._db.execute("savepoint operation")
            if not _do(operation, self._db):
                self._db.execute("rollback to operation")
            self._db.execute("release operation")

    def _insert(self) -> None:
        flat, at = self._flat, 0
        left = len(flat) // _COLUMNS
        while left:
            count = _ROWS_AT_ONCE if left >= _ROWS_AT_ONCE else min(left, 10)
            self._db.execute(_STATEMENTS[count], flat[at : at + count * _COLUMNS])
            at += count * _COLUMNS
            left -= count
        flat.clear()
        if self._blobs:
            rows = [(bytes.fromhex(name), packed_text(text)) for name, text in self._blobs.items()]
            self._db.executemany("insert or ignore into blob values (?, ?)", rows)
            self._blobs.clear()
        if self._messages:
            self._db.executemany("insert or ignore into message values (?, ?)", self._messages)
            self._messages.clear()

    def _project(self) -> None:
        rows = []
        for lease, at in self._last.items():
            info = self._infos.get(lease)
            if info is None and abs(at - lease.info.changed) < _SETTLES_S:
                continue
            info = (info or lease.info)._replace(changed=at)
            self._infos[lease] = info
            rows.append((info.end, info.waiting, info.changed, lease.key))
        if rows:
            self._db.executemany('update run set "end" = ?, waiting = ?, changed = ? where key = ?', rows)
        for operation in self._later:
            _do(operation, self._db)


def _do(operation: Operation, db: sqlite3.Connection) -> bool:
    operation.error = None
    try:
        operation.result = operation.act(db)
    except MaestriError as error:
        operation.error = error
    return operation.error is None


def _statement(count: int) -> str:
    marks = ",".join(["(" + ",".join("?" * _COLUMNS) + ")"] * count)
    return f"insert into event values {marks}"  # noqa: S608


_STATEMENTS = {count: _statement(count) for count in (*range(1, 11), _ROWS_AT_ONCE)}

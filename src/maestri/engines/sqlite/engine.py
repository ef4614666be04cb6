"""The engine of one machine: journals in SQLite files, one owner process per file.

Rule 1: nothing is created or locked before something is to be written.
Rule 2: a run is leased by whoever holds the lock of its file and has marked it; the change of hands itself
is guarded by the run's own lock, so that of two processes one wins.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Final

from maestri.engines.sqlite import mailbox
from maestri.engines.sqlite.batch import Lease, Operation
from maestri.engines.sqlite.bell import Bell
from maestri.engines.sqlite.catalog import Catalog, Found, lock_path
from maestri.engines.sqlite.delivery import Delivery, Listener
from maestri.engines.sqlite.journal import RunJournal
from maestri.engines.sqlite.leasing import Leased, adopt, insert_run, let_all_go, take_lease
from maestri.engines.sqlite.locks import FileLock, acquire, holder
from maestri.engines.sqlite.outbox import Outbox
from maestri.engines.sqlite.reader import RunReader
from maestri.engines.sqlite.rows import Part
from maestri.engines.sqlite.schema import DURABILITIES, Connect, connect_writer
from maestri.engines.sqlite.verify import verify
from maestri.engines.sqlite.writer import Settings, Writer
from maestri.engines.statedir import StateDir
from maestri.errors import (
    Diagnostic,
    EngineError,
    JournalDamaged,
    JournalTooNew,
    RunInUse,
    RunNotFound,
    StateUnusable,
    UsageError,
)
from maestri.kernel.events import Event
from maestri.kernel.ports import Message, RunInfo
from maestri.records import NamedTuple

_NONE_TAKEN: Final[frozenset[str]] = frozenset()  # one for all: each would take 216 bytes


class _Owned(NamedTuple):
    number: int
    outbox: Outbox
    keys: Iterator[int]


def _ignore(*_: object) -> None:
    """Stand in for a callback that nobody gave."""


class SqliteEngine:
    """Keeps runs in the journal files of a state directory; used from one event loop.

    Args:
        state: The state directory.
        durability: `power-safe`, or `kill-safe` for speed: a power cut may take the last moments back.
        on_pause: Told when the disk is full, and why.
        on_resume: Told when there is room again.
        on_damage: Told of a damaged file that is left alone, and that another is written instead.
        retry_s: How long to wait for room between two tries, in seconds.
        bell_s: How often to look for messages of other processes, in seconds.
        connect: Opens the writing connection; a test may inject faults here.
    """

    def __init__(
        self,
        state: StateDir,
        *,
        durability: str = "power-safe",
        on_pause: Callable[[Diagnostic], None] = _ignore,
        on_resume: Callable[[], None] = _ignore,
        on_damage: Callable[[Diagnostic], None] = _ignore,
        retry_s: float = 1.0,
        bell_s: float = 0.1,
        connect: Connect = connect_writer,
    ) -> None:
        """Name the directory; nothing is opened.

        Raises:
            UsageError: There is no such durability.
        """
        if durability not in DURABILITIES:
            fix = f"use one of: {', '.join(DURABILITIES)}"
            raise UsageError(f"`{durability}` is not a durability", fix=fix)
        self._state = state
        self._settings = Settings(durability, connect, retry_s, on_pause, on_resume)
        self._catalog = Catalog(state)
        self._delivery = Delivery()
        self._bell = Bell(state, bell_s)
        self._owned: _Owned | None = None
        self._owning = asyncio.Lock()
        self._on_damage = on_damage
        self._left_alone: set[int] = set()
        self._journals = 0  # how many there are in the file that is owned

    async def create(self, info: RunInfo, first: Event) -> RunJournal:
        """Store a new run with its first event and take its lease.

        Raises:
            EngineError: The run exists, or the place cannot be used.
        """
        self._state.run_place(info.id)  # refuses what could not be its id
        while True:
            owned = await self._own()
            try:
                return await self._created(owned, info, first)
            except JournalDamaged as error:
                if not await self._abandon(owned, error):
                    raise

    async def _created(self, owned: _Owned, info: RunInfo, first: Event) -> RunJournal:
        self._refuse_known(info.id)
        born = info._replace(epoch=1, end=None, changed=first.at, alive=True, waiting="")
        lease = Lease(next(owned.keys), born)
        owned.outbox.add(Operation(lambda db: _bear(db, lease), None, is_single=True))
        journal = RunJournal(self._state, owned.outbox, Leased(lease, 0, _NONE_TAKEN), self._part)
        await journal.commit(first)
        self._journals += 1
        return journal

    async def _abandon(self, owned: _Owned, error: JournalDamaged) -> bool:
        """Let go of a file that turned out to be damaged; returns whether another may be tried."""
        async with self._owning:
            if self._owned is owned:
                if self._journals:
                    return False  # what is under way in it must end with it
                self._owned = None
                self._leave_alone(owned.number, error)
                await owned.outbox.close()
        return True

    def _leave_alone(self, number: int, error: JournalDamaged) -> None:
        self._left_alone.add(number)
        words = f"{error.message}; it is left alone, and new runs go to another file"
        self._on_damage(error.diagnostic._replace(message=words, severity="warning"))

    def _refuse_known(self, run_id: str) -> None:
        # The own file says so itself, in the transaction.
        if self._state.has_one_journal():
            return
        try:
            self._catalog.find(run_id)
        except RunNotFound:
            return
        raise EngineError(f"there is a run with the id `{run_id}` already", fix="draw another id", run=run_id)

    async def lease(self, run_id: str) -> RunJournal:
        """Take the lease of a run; its epoch grows by one.

        Raises:
            RunNotFound: No such run.
            RunInUse: Another process, or another journal of this engine, holds it.
            JournalDamaged: What is needed cannot be read.
        """
        known = self._catalog.find(run_id).info
        owned = await self._own(lambda: self._free(run_id).number)
        gate = self._guard(known)
        try:
            found = self._free(run_id)  # again: somebody may have been faster
            # A power cut may take the lease back, but then no record that was made under it is there either.
            leased = await owned.outbox.do(_taking(owned, found), reads=True, is_light=True)
            self._journals += 1
        finally:
            gate.release()
        return RunJournal(self._state, owned.outbox, leased, self._part)

    def _free(self, run_id: str) -> Found:
        found = self._catalog.find(run_id)
        if found.info.alive:
            raise _in_use(found.info, holder(lock_path(found.part.file)))
        return found

    def _guard(self, run: RunInfo) -> FileLock:
        path = self._state.run_dir(run.id) / "lock"
        gate = self._locked(path)
        if gate is None:
            raise _in_use(run, holder(path))
        return gate

    def _locked(self, path: Path) -> FileLock | None:
        try:
            self._state.made(path.parent)
            return acquire(path)
        except OSError as error:
            message = f"{path} cannot be made or opened: {error.strerror or error}"
            fix = "see to the rights of the state directory and to the room on its disk"
            raise StateUnusable(message, fix=fix, file=str(path)) from error

    def _part(self, lease: Lease) -> Part:
        return self._catalog.part(self._state.journal(self._number()), lease.info.id, lease.key)

    def _number(self) -> int:
        if self._owned is None:
            raise EngineError("the engine is closed", fix="open it again")
        return self._owned.number

    async def _own(self, wanted: Callable[[], int | None] = lambda: None) -> _Owned:
        async with self._owning:
            if self._owned is None:
                # Asked in here: while a file is being opened, its runs look as if we executed them.
                number = wanted()
                self._state.prepare()
                self._state.hold_reserve()
                self._owned = await self._first_free(number)
            return self._owned

    async def _first_free(self, wanted: int | None) -> _Owned:
        numbers = chain([wanted] if wanted else [], count(1))
        while True:
            number = next(numbers)
            if number in self._left_alone:
                continue
            file = self._state.journal(number)
            lock = self._locked(lock_path(file))
            if lock is None:
                continue
            writer = Writer(self._state, file, lock, self._settings, self._delivery.deliver)
            try:
                key = await writer.opened
            except JournalTooNew:
                continue  # its runs are out of reach, and `damage` says so; new ones need not be
            except JournalDamaged as error:
                if number == wanted:
                    raise  # what would be taken up from it may lack what was done
                self._leave_alone(number, error)
                continue
            return _Owned(number, Outbox(writer), count(key))

    def runs(self) -> Sequence[RunInfo]:
        """Return all runs that can be read, oldest first."""
        return self._catalog.runs()

    def damage(self) -> list[Diagnostic]:
        """Return what kept journal files from being read in the last look at them."""
        return self._catalog.damage()

    def read(self, run_id: str) -> RunReader:
        """Return a reader of one run.

        Raises:
            RunNotFound: No such run.
        """
        self._catalog.find(run_id)
        return RunReader(Catalog(self._state), run_id)

    def verify(self, run_id: str) -> list[Diagnostic]:
        """Return what is wrong with the stored history of a run.

        Raises:
            RunNotFound: No such run.
        """
        return verify(self._catalog, run_id)

    def post(self, run_id: str, message: Message) -> None:
        """Put a message into the mailbox of a run; stored when this returns.

        Raises:
            RunNotFound: No such run.
            EngineError: It cannot be stored.
        """
        self._catalog.find(run_id)
        mailbox.post(self._state, run_id, message)
        self._bell.heard(run_id)

    def on_mail(self, run_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` on the event loop when the run has mail, also when it has some now.

        Returns how to stop it.
        """
        return self._bell.listen(run_id, listener)

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(run id, events)` for what this process has stored; returns how to stop it."""
        return self._delivery.watch(listener)

    async def close(self) -> None:
        """Store what waits, give all leases back and let go of everything."""
        self._bell.close()
        self._catalog.close()  # first: SQLite tidies a file up when its last connection, a writer, closes
        owned, self._owned = self._owned, None
        if owned is not None:
            owned.outbox.add(Operation(let_all_go, None))
            await owned.outbox.close()


def _bear(db: sqlite3.Connection, lease: Lease) -> None:
    try:
        insert_run(db, lease.key, lease.info)
    except EngineError as error:
        lease.error = error
        raise


def _taking(owned: _Owned, found: Found) -> Callable[[sqlite3.Connection], Leased]:
    if found.number == owned.number:
        return lambda db: take_lease(db, found.part.key, found.info)
    key = next(owned.keys)
    return lambda db: adopt(db, key, found.info, found.part)


def _in_use(run: RunInfo, who: str) -> RunInUse:
    message = f"run {run.name} is being executed by {who}"
    return RunInUse(message, fix="watch it there, or end that process and try again", run=run.name)

"""The one thread that writes a journal file: it commits whatever waits, as one transaction.

Rule 1: no timer and no delay: a lone waiter has a commit of its own, a crowd shares one.
Rule 2: on a full disk nothing is acknowledged and nothing is lost: the batch is kept until there is room.
Rule 3: any other failure of the disk ends the leases in the batch, because their numbers now have a gap.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from maestri.engines.sqlite import mailbox
from maestri.engines.sqlite.batch import Batch, Item, Lease, Operation
from maestri.engines.sqlite.locks import FileLock
from maestri.engines.sqlite.schema import DURABILITIES, Connect, is_full, is_io, open_writer, translated
from maestri.engines.statedir import StateDir
from maestri.errors import Diagnostic, EngineError, MaestriError, StaleOwner
from maestri.records import NamedTuple

_LOOKS_UP_S = 1.0  # how long an idle writer may outlive a main thread that forgot to close

Deliver: TypeAlias = Callable[[list[Item], dict[Lease, MaestriError], MaestriError | None], None]


class Settings(NamedTuple):
    """How a writer works; `on_pause` and `on_resume` are called on the event loop."""

    durability: str
    connect: Connect
    retry_s: float
    on_pause: Callable[[Diagnostic], None]
    on_resume: Callable[[], None]


class Writer:
    """Owns the writing connection of one journal file, on a thread of its own."""

    def __init__(
        self, state: StateDir, file: Path, lock: FileLock, settings: Settings, deliver: Deliver
    ) -> None:
        """Start the thread; `opened` completes with the first key that is free."""
        self._loop = asyncio.get_running_loop()
        self._state = state
        self._lock = lock
        self._settings = settings
        self._deliver = deliver
        self._queue: queue.SimpleQueue[list[Item] | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._stopping = False
        self._paused = False
        self._is_light = False  # what the connection has been told of its transactions
        self.file = file
        self.opened: asyncio.Future[int] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, name=f"maestri {file.name}")
        self._thread.start()

    def put(self, items: list[Item]) -> None:
        """Have items stored, in order, after all that was put before."""
        self._queue.put(items)

    async def close(self) -> None:
        """Store what was put, close the file and give up its lock."""
        self._stop.set()
        self._queue.put(None)
        await self._ended
        self._thread.join()

    def _work(self) -> None:
        try:
            self._open()
        finally:
            self._lock.release()
            self._tell(self._ended.set_result, None)

    def _open(self) -> None:
        try:
            db = open_writer(self.file, self._settings.durability, self._settings.connect)
        except Exception as error:  # noqa: BLE001 - who opens would wait for ever
            self._tell(_refuse, self.opened, _meaning(error, self.file))
            return
        try:
            self._serve(db)
        finally:
            db.close()

    def _serve(self, db: sqlite3.Connection) -> None:
        try:
            # Nobody else writes this file: whatever its last owner held, it holds no more. This need not be
            # on the disk before the next commit: what a power cut takes back, the next owner does again.
            self._begin(db, is_light=True)
            db.execute("update run set held = 0 where held = 1")
            key = db.execute("select coalesce(max(key), 0) + 1 from run").fetchone()[0]
            self._check_lock()
            db.execute("commit")
        except (sqlite3.Error, StaleOwner) as error:
            _roll_back(db)
            self._tell(_refuse, self.opened, _meaning(error, self.file))
            return
        self._tell(_accept, self.opened, key)
        while not self._stopping:
            items = self._next()
            if items:
                self._store(db, items)

    def _next(self) -> list[Item]:
        try:
            items = self._queue.get(timeout=_LOOKS_UP_S)
        except queue.Empty:
            self._look_up()
            return []
        found: list[Item] = []
        with contextlib.suppress(queue.Empty):
            while items is not None:
                found += items
                items = self._queue.get_nowait()
            self._stopping = True
        return found

    def _look_up(self) -> None:
        if not threading.main_thread().is_alive():
            self._stopping = True
        if self._paused and self._state.hold_reserve():
            self._resume()

    def _store(self, db: sqlite3.Connection, items: list[Item]) -> None:
        while True:
            batch = Batch(db)
            try:
                self._begin(db, is_light=all(type(item) is Operation and item.is_light for item in items))
                batch.fill(items)
                self._check_lock()
                db.execute("commit")
            except Exception as error:  # noqa: BLE001 - a thread that died would leave everybody waiting
                _roll_back(db)
                if isinstance(error, sqlite3.Error) and self._no_room(error) and self._wait_for_room():
                    continue
                self._fail(items, error)
                return
            break
        batch.settle()
        if self._paused and self._state.hold_reserve():
            self._resume()
        for run_id, message_id in batch.taken:
            with contextlib.suppress(OSError):  # what stays is known as taken, and removed later
                mailbox.remove(self._state, run_id, message_id)
        self._tell(self._deliver, items, batch.refused, None)

    def _begin(self, db: sqlite3.Connection, *, is_light: bool) -> None:
        """Begin a transaction; one that is light goes to the disk with the next one that is not."""
        if is_light is not self._is_light:
            self._is_light = is_light
            level = "normal" if is_light else DURABILITIES[self._settings.durability]
            db.execute(f"pragma synchronous = {level}")
        db.execute("begin immediate")

    def _check_lock(self) -> None:
        if not self._lock.is_ours():
            message = (
                f"the lock of {self.file} was removed or replaced, so that this process must not write it"
            )
            fix = "leave lock files where they are; resume the runs"
            raise StaleOwner(message, fix=fix, file=str(self.file))

    def _no_room(self, error: sqlite3.Error) -> bool:
        return is_full(error) or (is_io(error) and not self._state.has_room())

    def _wait_for_room(self) -> bool:
        """Tell whether to try again; only a writer that is being closed gives up."""
        if not self._paused:
            self._paused = True
            self._state.release_reserve()  # so that what is under way, and the pause itself, can be stored
            cause = "what finished meanwhile is kept in memory and stored as soon as there is room"
            words = f"there is no room left for {self.file}: work is paused"
            pause = EngineError(words, cause=cause, fix="free some space; work goes on by itself")
            self._tell(self._settings.on_pause, pause.diagnostic)
            return True
        return not self._stop.wait(self._settings.retry_s)

    def _resume(self) -> None:
        self._paused = False
        self._tell(self._settings.on_resume)

    def _fail(self, items: list[Item], error: Exception) -> None:
        meaning = _meaning(error, self.file)
        for item in items:
            if not isinstance(item, Operation) and item[0].error is None:
                item[0].error = meaning
        self._tell(self._deliver, items, {}, meaning)

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(callback, *args)


def _accept(opened: asyncio.Future[int], key: int) -> None:
    if not opened.done():
        opened.set_result(key)


def _refuse(opened: asyncio.Future[int], error: MaestriError) -> None:
    if not opened.done():
        opened.set_exception(error)


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        with contextlib.suppress(sqlite3.Error):  # after some errors SQLite has rolled back by itself
            db.execute("rollback")


def _meaning(error: Exception, file: Path) -> MaestriError:
    if isinstance(error, MaestriError):
        return error
    if isinstance(error, sqlite3.Error):
        return translated(error, file)
    if isinstance(error, OSError):
        message = f"{file} cannot be used: {error.strerror or error}"
        return EngineError(message, fix="check the disk and the rights of the folder", file=str(file))
    message = f"events could not be stored in {file}: {error}"
    return EngineError(message, cause=type(error).__name__, fix="please report it", file=str(file))

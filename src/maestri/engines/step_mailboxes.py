"""The mailboxes of steps: a folder per attempt, in which its processes put reports as small files.

    runs/<run id>/inside/<hash of the path>-<attempt>/   NAME.json        a report, from the step
                                                         unblocked-NAME   the note about it, to the step
                                                         settled-*.json   of blockers before a restart

Rule 1: nothing in the folder is trusted: no link is followed, nothing large is read, no more than `MOST`
reports are taken, and what is none is told of once and left out.
Rule 2: a report is a file until it is stored in the journal; its id is made of what a crash does not change.
Rule 3: looking costs one `stat` for each folder; a folder that did not change is not read. A step that
reports nothing has none: to make and remove one makes the next commit of the journal several times as dear.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Final

from maestri.engines import step_reports
from maestri.engines.removal import removed
from maestri.engines.statedir import StateDir
from maestri.errors import StepFailed
from maestri.kernel.inside import LEFT_OUT, Heard, Left, Report

EVERY_S: Final = 0.1
MOST: Final = 5000
_AT_ONCE: Final = 200  # of one folder in one look: the loop must not stand still for a flood
_LISTED: Final = 20_000
_STEADY_NS: Final = 50_000_000  # a folder may change twice within one tick of its time stamp
_OWN: Final = ("unblocked-", "settled-")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}\.json\Z")
_FOLDER: Final = re.compile(r"[0-9a-f]{32}-[0-9]{1,9}\Z")


class StepMailboxes:
    """Makes the mailboxes of the steps that this process executes; used from one event loop."""

    def __init__(self, state: StateDir, script: str, every_s: float = EVERY_S) -> None:
        """Make nothing yet.

        Args:
            state: Where the folders are.
            script: The text of the program that writes reports; it is put into the state directory.
            every_s: How often to look, in seconds.
        """
        self._state = state
        self._script = script
        self._every_s = every_s
        self._begun: dict[_Mailbox, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._removals: set[asyncio.Future[None]] = set()
        self._bases: set[str] = set()
        self.command = str(state.root / "tell")

    def open(
        self, run: str, path: str, attempt: int, heard: Heard, settled: Sequence[tuple[str, str]] = ()
    ) -> _Mailbox:
        """Return the mailbox of an attempt, which is not made yet; see the port."""
        place = self._state.step_mailbox(run, path, attempt)
        return _Mailbox(self, str(place), path, heard, settled)

    def left(self, run: str, paths: Iterable[str]) -> Iterator[Left]:
        """Yield what a process that was killed has not taken in, and remove the rest; see the port."""
        base = self._state.run_dir(run) / "inside"
        try:
            names = set(os.listdir(base))  # noqa: PTH208 - at every resume
        except OSError:
            return
        waiting = {name for name in names if _FOLDER.match(name) and not _is_removed(base / name)}
        for name in names - waiting:
            removed(str(base / name))
        for path in paths if waiting else ():
            begin = self._state.step_mailbox(run, path, 1).name.rpartition("-")[0]
            for name in sorted(waiting):
                if name.rpartition("-")[0] == begin:
                    waiting.discard(name)
                    place = str(base / name)
                    attempt = int(name.rpartition("-")[2])
                    yield Left(path, attempt, _all_in(place, path), partial(removed, place))
            if not waiting:
                return
        for name in waiting:
            removed(str(base / name))  # nobody of this run can have written it

    def begin(self, mailbox: _Mailbox) -> None:
        """Look at a mailbox from now on, and have all there that is needed to make its folder.

        Raises:
            StepFailed: There can be none.
        """
        try:
            base = os.path.dirname(mailbox.place)  # noqa: PTH120 - for each command
            if base not in self._bases:
                self._state.made(Path(base))
                self._place_command()
                self._bases.add(base)
        except OSError as error:
            raise _impossible(error) from error
        self._begun[mailbox] = None
        if self._timer is None:
            self._wait()

    def end(self, mailbox: _Mailbox) -> None:
        """Look at a mailbox no longer."""
        self._begun.pop(mailbox, None)
        if not self._begun and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def remove(self, place: str) -> None:
        """Remove a folder: at once where it is empty, else aside, for a step may have put anything there."""
        if not _is_removed(place):
            removal = asyncio.get_running_loop().run_in_executor(None, removed, place)
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    async def close(self) -> None:
        """Look at nothing any more, and wait until all that is to be removed is."""
        for mailbox in list(self._begun):
            self.end(mailbox)
        if self._removals:
            await asyncio.wait(self._removals)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._look)

    def _look(self) -> None:
        self._wait()
        for mailbox in list(self._begun):
            mailbox.look()

    def _place_command(self) -> None:
        """Put the program where every step finds it; another version of Maestri may have its own there."""
        place, aside = Path(self.command), Path(f"{self.command}.{os.getpid()}")
        with contextlib.suppress(OSError, ValueError):
            if place.read_text(encoding="utf-8") == self._script:
                return
        aside.write_text(self._script, encoding="utf-8")
        aside.chmod(0o700)
        aside.rename(place)


class _Mailbox:
    """One folder; see the port `StepMailbox`."""

    def __init__(
        self, desk: StepMailboxes, place: str, path: str, heard: Heard, settled: Sequence[tuple[str, str]]
    ) -> None:
        self.place = place
        self.path = path
        self.command = desk.command
        self._desk = desk
        self._heard = heard
        self._settled = settled
        self._is_begun = False
        self._is_closed = False
        self._is_full = False
        self._keeps = False  # whether something could not be stored, so that the folder has to stay
        self._seen_ns = 0
        self._count = 0
        self._known: set[str] = set()
        self._pending: set[str] = set()
        self._own: list[str] = []  # what is in the folder from us
        self._names: dict[str, str] = {}
        self._complaints: set[str] = set()

    def begin(self) -> None:
        """Look for reports from now on; see the port.

        Raises:
            StepFailed: There can be no mailbox.
        """
        if self._is_begun:
            return
        self._desk.begin(self)
        self._is_begun = True
        if self._settled:
            self.make()
        for number, (text, note) in enumerate(self._settled):
            self._write(step_reports.settled_name(text, number), step_reports.settled_text(text, note))

    def make(self) -> None:
        """Make the folder now; see the port.

        Raises:
            StepFailed: It cannot be made.
        """
        self.begin()
        try:
            os.makedirs(self.place, 0o700, exist_ok=True)  # noqa: PTH103 - all above it is there
        except OSError as error:
            raise _impossible(error) from error

    def tell(self, reports: Sequence[str], note: str) -> None:
        """Tell the processes that these blockers are settled; see the port."""
        for report in reports:
            name = self._names.get(report)
            if name is not None and not self._is_closed:
                self._write(f"unblocked-{name}", note)

    def look(self) -> None:
        """Take in what is new, if anything has changed."""
        try:
            changed_ns = os.stat(self.place, follow_symlinks=False).st_mtime_ns  # noqa: PTH116 - ten a second
        except OSError:
            return  # nobody has reported anything
        if changed_ns != self._seen_ns and not self._is_full:
            is_steady = time.time_ns() - changed_ns > _STEADY_NS
            if self._scan(_AT_ONCE) and is_steady:
                self._seen_ns = changed_ns

    def close(self) -> None:
        """Take in what was reported up to now, and remove the folder once that is stored; see the port."""
        if not self._is_begun or self._is_closed:
            return
        self._desk.end(self)
        if not self._known and not self._own and _is_removed(self.place):
            self._is_closed = True
            return  # as of nearly all steps: there was nothing
        if not self._is_full:
            self._scan(MOST + 1)
        self._is_closed = True
        self._tidy()

    def _scan(self, limit: int) -> bool:
        """Take up to `limit` reports; returns whether that was all."""
        try:
            folder = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            self._complain("folder", f"the mailbox of the step is no folder any more: {error.strerror}")
            return True
        try:
            new = [name for name in _listed(folder) if name not in self._known]
            for name in sorted(new)[:limit]:
                self._take(folder, name)
                if self._is_full:
                    return True
        finally:
            os.close(folder)
        return len(new) <= limit

    def _take(self, folder: int, name: str) -> None:
        if self._count >= MOST:
            self._is_full = True
            words = f"the step has made more than {MOST:,} reports: the others are left out"
            self._complain("flood", words)
            return
        found = step_reports.read(folder, name) if _NAME.match(name) else "its name is not that of a report"
        self._known.add(name)
        if isinstance(found, str):
            self._complain("garbage", f"a report is left out: {found}")
            return
        report_id = _id(self.path, self.place, name, found.made_ns)
        self._names[report_id] = name.removesuffix(".json")
        stored = self._heard(Report(report_id, found.what, found.text, found.data))
        self._count += 1
        if stored is None:
            self._keeps = True
            return
        self._pending.add(name)
        asyncio.ensure_future(stored).add_done_callback(lambda done: self._stored(name, done))

    def _stored(self, name: str, done: asyncio.Future[None]) -> None:
        self._pending.discard(name)
        if done.cancelled() or done.exception() is not None:
            self._keeps = True  # whoever waits for the journal hears of it too
        else:
            self._unlink([name])
        self._tidy()

    def _tidy(self) -> None:
        if self._is_closed and not self._pending and not self._keeps:
            self._unlink(self._own)
            self._desk.remove(self.place)

    def _complain(self, what: str, words: str) -> None:
        """Tell of what is left out, once: whoever fills a folder with garbage must not fill the journal."""
        if what in self._complaints:
            return
        self._complaints.add(what)
        stored = self._heard(Report(_id(self.path, self.place, what, 0), LEFT_OUT, words))
        if stored is not None:
            self._pending.add(what)
            asyncio.ensure_future(stored).add_done_callback(lambda done: self._stored(what, done))

    def _write(self, name: str, text: str) -> None:
        """Put a file into the folder, whatever the step has made of that."""
        with contextlib.suppress(OSError):  # its processes wait for a word that they have made impossible
            folder = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                step_reports.place(folder, name, text)
            finally:
                os.close(folder)
            self._own.append(name)

    def _unlink(self, names: Sequence[str]) -> None:
        if not names:
            return
        with contextlib.suppress(OSError):
            folder = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                for name in names:
                    with contextlib.suppress(OSError):
                        os.unlink(name, dir_fd=folder)
            finally:
                os.close(folder)


def _id(path: str, place: str, name: str, made_ns: int) -> str:
    """Return the id of a report: the same after a crash, another one for a file of the same name later."""
    attempt = place.rpartition("-")[2]
    return "told-" + blake2b(f"{path}\0{attempt}\0{name}\0{made_ns}".encode(), digest_size=16).hexdigest()


def _listed(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in islice(entries, _LISTED)]
    return [name for name in names if name[0] != "." and not name.startswith(_OWN)]


def _impossible(error: OSError) -> StepFailed:
    message = f"there can be no mailbox for this step: {error.strerror}"
    return StepFailed(message, fix="check room and rights of the state directory")


def _is_removed(place: str | Path) -> bool:
    """Remove a folder if it is empty; returns whether there is none now."""
    try:
        os.rmdir(place)  # noqa: PTH106 - for each command
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _all_in(place: str, path: str) -> list[Report]:
    found: list[Report] = []
    with contextlib.suppress(OSError):
        folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for name in sorted(_listed(folder))[:MOST]:
                read = step_reports.read(folder, name) if _NAME.match(name) else ""
                if not isinstance(read, str):
                    report_id = _id(path, place, name, read.made_ns)
                    found.append(Report(report_id, read.what, read.text, read.data))
        finally:
            os.close(folder)
    return found

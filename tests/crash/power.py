"""A disk that loses power: it keeps what was synced, and of the rest what chance keeps.

Rule 1: a write is safe when its file was synced after it; a name, when its folder was. Nothing else is.
Rule 2: what is not safe may be there, be missing, or be torn at a sector, each write for itself; names of a
folder are kept in the order in which they changed.
Rule 3: SQLite's shared memory is memory: no power, no `-shm`.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Literal

from tests.crash.tape import Operation

SECTOR_BYTES = 512

Luck = Literal["nothing", "everything", "some", "torn"]
LUCKS: tuple[Luck, ...] = ("nothing", "everything", "some", "torn")


class _File:
    """A file: what is safe of it, and what was done to it since."""

    def __init__(self) -> None:
        self.safe = bytearray()
        self.since: list[Operation] = []

    def sync(self) -> None:
        for operation in self.since:
            _apply(self.safe, operation)
        self.since.clear()

    def content(self, luck: Luck, random: Random) -> bytes:
        found = bytearray(self.safe)
        for operation in self.since:
            if luck == "everything" or (luck != "nothing" and random.random() < 0.5):
                _apply(found, operation)
            elif luck == "torn":
                for part in _sectors(operation):
                    if random.random() < 0.5:
                        _apply(found, part)
        return bytes(found)


class _Folder:
    """A folder: the names that are safe in it, those it has, and how they have changed since."""

    def __init__(self) -> None:
        self.safe: dict[str, _File | _Folder] = {}
        self.now: dict[str, _File | _Folder] = {}
        self.since: list[dict[str, _File | _Folder]] = []

    def change(self, name: str, entry: _File | _Folder | None, other: str = "") -> None:
        """Give a name to a file, take it away (None), or take it away for another name."""
        self.now = dict(self.now)
        found = self.now.pop(name, None)
        if other and found is not None:
            self.now[other] = found
        elif entry is not None:
            self.now[name] = entry
        self.since.append(self.now)

    def sync(self) -> None:
        self.safe = self.now
        self.since.clear()

    def names(self, luck: Luck, random: Random) -> dict[str, _File | _Folder]:
        if luck == "nothing" or not self.since:
            return self.safe
        return self.now if luck == "everything" else random.choice([self.safe, *self.since])


class Disk:
    """The folder of a traced process, as it is on a disk."""

    def __init__(self) -> None:
        self._root = _Folder()

    def take(self, operation: Operation) -> None:
        """Do what the process has done."""
        if operation.kind == "acknowledged" or operation.name.endswith("-shm"):
            return
        folder, name = self._place(operation.name)
        if operation.kind == "create":
            folder.change(name, _File())
        elif operation.kind == "mkdir":
            folder.change(name, _Folder())
        elif operation.kind == "unlink":
            folder.change(name, None)
        elif operation.kind == "rename":
            target, other = self._place(operation.other)
            moved = folder.now[name]
            folder.change(name, None, other if target is folder else "")
            if target is not folder:
                target.change(other, moved)
        elif operation.kind == "sync":
            (folder.now[name] if name else folder).sync()
        elif isinstance(file := folder.now[name], _File):
            file.since.append(operation)

    def _place(self, path: str) -> tuple[_Folder, str]:
        folder = self._root
        *above, name = path.split("/")
        for part in above:
            found = folder.now[part]
            assert isinstance(found, _Folder)
            folder = found
        return folder, name

    def write_to(self, place: Path, luck: Luck, random: Random) -> None:
        """Write what is left of the disk when the power fails now."""
        _write(self._root, place, luck, random)


def _write(folder: _Folder, place: Path, luck: Luck, random: Random) -> None:
    place.mkdir(mode=0o700)
    for name, entry in folder.names(luck, random).items():
        if isinstance(entry, _Folder):
            _write(entry, place / name, luck, random)
        else:
            (place / name).write_bytes(entry.content(luck, random))
            (place / name).chmod(0o600)


def _apply(content: bytearray, operation: Operation) -> None:
    if operation.kind == "truncate":
        del content[operation.offset :]
        content.extend(bytes(operation.offset - len(content)))
        return
    end = operation.offset + len(operation.data)
    content.extend(bytes(max(0, end - len(content))))
    content[operation.offset : end] = operation.data


def _sectors(operation: Operation) -> list[Operation]:
    """Return a write as one write for each sector that it touches; of anything else nothing is kept."""
    if operation.kind != "write":
        return []
    found, at = [], operation.offset
    end = at + len(operation.data)
    while at < end:
        border = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        data = operation.data[at - operation.offset : border - operation.offset]
        found.append(operation._replace(offset=at, data=data))
        at = border
    return found

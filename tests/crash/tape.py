"""What a traced process has done to the files below one folder, as a list of operations in order.

Recorded by strace; names and data stand there in hexadecimal, so that no byte is lost.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

TRACED = "openat,write,pwrite64,fsync,fdatasync,ftruncate,fallocate,unlink,unlinkat,rename,mkdir"

_LINE = re.compile(r"(?P<thread>\d+) +(?P<call>\w+)\((?P<rest>.*)")
_RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)")
_ENDED = re.compile(r"\) += (?P<value>-?\d+|\?)(?:<(?P<name>[^>]*)>)?.*$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OPENED = re.compile(r"^\d+<([^>]*)>")
_UNFINISHED = " <unfinished ...>"


class Operation(NamedTuple):
    """One thing done to a file: `name` and `other` are paths below the folder, "" is the folder itself.

    `kind` is write, truncate, sync, create, mkdir, unlink, rename or acknowledged.
    """

    kind: str
    name: str
    offset: int = 0
    data: bytes = b""
    other: str = ""


class _Call(NamedTuple):
    name: str
    arguments: str
    value: int
    opened: str


def record(command: Sequence[str], file: Path) -> None:
    """Run a command to its end under strace.

    Raises:
        subprocess.CalledProcessError: It failed, or may not be traced.
    """
    options = ["-f", "-y", "-qq", "-xx", "-s", "100000000", "-e", f"trace={TRACED}", "-o", str(file)]
    subprocess.run(["strace", *options, *command], check=True, capture_output=True, text=True, timeout=300)


def operations(file: Path, folder: Path, acknowledgements: Path) -> list[Operation]:
    """Return what a recorded process has done below a folder, and what it has written as acknowledged."""
    tape = _Tape(str(folder), str(acknowledgements))
    with file.open(encoding="ascii") as lines:
        for call in _calls(lines):
            tape.take(call)
    return tape.operations


def _calls(lines: Iterator[str]) -> Iterator[_Call]:
    """Yield the calls that succeeded, each at the moment when it ended."""
    begun: dict[str, str] = {}
    for text in lines:
        line = text.rstrip("\n")
        if resumed := _RESUMED.match(line):
            line = f"{begun.pop(resumed['thread'])}{resumed['rest']}"
        elif line.endswith(_UNFINISHED):
            begun[line.split(" ", 1)[0]] = line.removesuffix(_UNFINISHED)
            continue
        found = _LINE.match(line)
        ended = _ENDED.search(line)
        if found and ended and ended["value"] not in {"?", "-1"}:
            arguments = found["rest"][: ended.start() - found.start("rest")]
            yield _Call(found["call"], arguments, int(ended["value"]), _plain(ended["name"] or ""))


class _Tape:
    """Gathers operations; knows which files there are, and where the next `write` to a file goes."""

    def __init__(self, folder: str, acknowledgements: str) -> None:
        self.operations: list[Operation] = []
        self._folder = folder
        self._acknowledgements = acknowledgements
        self._names: set[str] = set()
        self._ends: dict[str, int] = {}

    def take(self, call: _Call) -> None:
        if handler := _HANDLERS.get(call.name):
            handler(self, call)

    def _inside(self, path: str) -> str | None:
        """Return a path as seen from the folder, or None when it is not below it."""
        if path == self._folder:
            return ""
        return path.removeprefix(self._folder + "/") if path.startswith(self._folder + "/") else None

    def _add(self, kind: str, name: str | None, offset: int = 0, data: bytes = b"", other: str = "") -> None:
        if name is not None:
            self.operations.append(Operation(kind, name, offset, data, other))

    def _target(self, call: _Call) -> str | None:
        opened = _OPENED.match(call.arguments)
        return self._inside(_plain(opened[1])) if opened else None

    def opened(self, call: _Call) -> None:
        name = self._inside(call.opened)
        if name is None or "O_DIRECTORY" in call.arguments:
            return
        if "O_CREAT" in call.arguments and name not in self._names:
            self._names.add(name)
            self._add("create", name)
        if "O_TRUNC" in call.arguments:
            self._add("truncate", name)
        self._ends[name] = 0

    def written(self, call: _Call) -> None:
        opened = _OPENED.match(call.arguments)
        data = _texts(call.arguments)[0][: call.value]
        if opened and _plain(opened[1]) == self._acknowledgements:
            self._add("acknowledged", "", data=data)
            return
        name = self._target(call)
        if name is not None:
            offset = self._ends.get(name, 0)
            self._ends[name] = offset + len(data)
            self._add("write", name, offset, data)

    def written_at(self, call: _Call) -> None:
        offset = int(call.arguments.rsplit(",", 1)[1])
        self._add("write", self._target(call), offset, _texts(call.arguments)[0][: call.value])

    def synced(self, call: _Call) -> None:
        self._add("sync", self._target(call))

    def truncated(self, call: _Call) -> None:
        self._add("truncate", self._target(call), int(call.arguments.rsplit(",", 1)[1]))

    def unlinked(self, call: _Call) -> None:
        name = self._inside(_texts(call.arguments)[0].decode())
        self._names.discard(name or "")
        self._add("unlink", name)

    def renamed(self, call: _Call) -> None:
        before, after = (self._inside(text.decode()) for text in _texts(call.arguments))
        if before is not None and after is not None:
            self._names.discard(before)
            self._names.add(after)
            self._add("rename", before, other=after)

    def made(self, call: _Call) -> None:
        self._add("mkdir", self._inside(_texts(call.arguments)[0].decode()))


_HANDLERS = {
    "openat": _Tape.opened,
    "write": _Tape.written,
    "pwrite64": _Tape.written_at,
    "fsync": _Tape.synced,
    "fdatasync": _Tape.synced,
    "ftruncate": _Tape.truncated,
    "unlink": _Tape.unlinked,
    "unlinkat": _Tape.unlinked,
    "rename": _Tape.renamed,
    "mkdir": _Tape.made,
}


def _texts(arguments: str) -> list[bytes]:
    return [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(arguments)]


def _plain(text: str) -> str:
    """Return a path as it is, of one that strace wrote in hexadecimal."""
    return os.fsdecode(bytes.fromhex(text.replace("\\x", ""))) if text.startswith("\\x") else text

"""The agent behind `requires`, `delivers` and `cache`: looks which files there are, and what is in them.

Rule 1: a pattern is relative to the run's folder and does not lead out of it; an absolute one may.
Rule 2: files are looked at in a thread: a large folder does not hold up the loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from glob import has_magic, iglob
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

from maestri.errors import InputInvalid, RequiredMissing
from maestri.kernel.ports import Answer, Attempt, Task

MOST_FILES: Final = 100_000  # that one pattern may stand for
LISTED: Final = 50  # names of files in an output
_CHUNK_BYTES: Final = 1 << 20


class FilesAgent:
    """Performs `files` tasks: `{"requires": [...]}`, `{"delivers": [...]}` or `{"digest": [...]}`."""

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Look at the files.

        Raises:
            RequiredMissing: A pattern under `requires` stands for no file.
            InputInvalid: A pattern leads out of the run's folder, or stands for too many files.
        """
        cwd = str(Path(attempt.cwd, task.request.get("cwd", "")))
        return Answer(await asyncio.to_thread(_look, task.request, cwd))

    async def close(self) -> None:
        """Do nothing: nothing is kept between tasks."""


def _look(request: Mapping[str, Any], cwd: str) -> Any:
    if "requires" in request:
        return _required(request["requires"], cwd)
    if "delivers" in request:
        return _delivered(request["delivers"], cwd)
    return _digest(request["digest"], cwd)


def _required(patterns: Sequence[str], cwd: str) -> dict[str, Any]:
    found = {pattern: _named(pattern, cwd) for pattern in patterns}
    missing = [pattern for pattern, names in found.items() if not names]
    if missing:
        first = f"`{missing[0]}` is required and is not there"
        more = f", nor are {len(missing) - 1} others" if len(missing) > 1 else ""
        cause = f"looked for in {cwd}: {', '.join(missing)}"
        fix = "make it, or put the step behind the one that delivers it; then resume the run"
        raise RequiredMissing(first + more, cause=cause, fix=fix, detail={"missing": missing})
    return {pattern: names[:LISTED] for pattern, names in found.items()}


def _delivered(patterns: Sequence[str], cwd: str) -> dict[str, Any]:
    found = {pattern: _named(pattern, cwd) for pattern in patterns}
    unmet = []
    for pattern, names in found.items():
        empty = [name for name in names if not _has_content(Path(cwd, name))]
        if not names:
            unmet.append({"check": pattern, "said": "there is no such file"})
        elif empty:
            more = f" and {len(empty) - 1} more" if len(empty) > 1 else ""
            unmet.append({"check": pattern, "said": f"`{empty[0]}`{more} is empty"})
    return {"found": {pattern: names[:LISTED] for pattern, names in found.items()}, "unmet": unmet}


def _digest(patterns: Sequence[str], cwd: str) -> dict[str, Any]:
    """Return what stands in the files as one digest; a pattern without files counts as such."""
    whole = sha256()
    count = 0
    for pattern in patterns:
        whole.update(f"{pattern}\0".encode())
        for name in _named(pattern, cwd):
            for file in _files(Path(cwd, name)):
                count += 1
                whole.update(f"{os.path.relpath(file, cwd)}\0{_content(file)}\0".encode(errors="replace"))
    return {"digest": whole.hexdigest(), "files": count}


def _named(pattern: str, cwd: str) -> list[str]:
    """Return what a pattern stands for, sorted, as it is named from the run's folder.

    Raises:
        InputInvalid: It leads out of that folder, or stands for too much.
    """
    if not pattern or "\0" in pattern:
        raise InputInvalid("an empty path names no file", fix="write the path of a file")
    if Path(os.path.normpath(pattern)).parts[:1] == (os.pardir,):
        message = f"`{pattern}` leads out of the folder of the run"
        cause = f"the run's folder is {cwd}"
        raise InputInvalid(message, cause=cause, fix="start the run further up, or write an absolute path")
    found = iglob(pattern, root_dir=cwd, recursive=True, include_hidden=True)  # noqa: PTH207 - hidden ones too
    is_open = has_magic(pattern) and not pattern.endswith("/")  # then folders are on the way, and not meant
    there = (name for name in found if _is_meant(Path(cwd, name), is_open=is_open))
    names = sorted(islice(there, MOST_FILES + 1))
    if len(names) > MOST_FILES:
        raise InputInvalid(f"`{pattern}` stands for more than {MOST_FILES:,} files", fix="name fewer")
    return names


def _is_meant(path: Path, *, is_open: bool) -> bool:
    return (path.exists() or path.is_symlink()) and not (is_open and path.is_dir())


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or all files of a folder in a fixed order."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))


def _has_content(path: Path) -> bool:
    return any(file.is_file() and file.stat().st_size > 0 for file in _files(path))


def _content(path: Path) -> str:
    """Return the digest of a file's content; of what cannot be read, why."""
    found = sha256()
    try:
        if not path.is_file():
            return "no file"
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                found.update(chunk)
    except OSError as error:
        return f"unreadable: {error.strerror}"
    return found.hexdigest()

"""The mailbox of a run: one small file per message, so that anybody may write and one owner takes.

Rule 1: a message is complete or not there: written aside, synced, renamed, then the bell is touched.
Rule 2: a step may write into its own mailbox, so nothing in it is trusted: no link is followed, nothing
large is read, and what is not a message is moved away.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from maestri.engines.artifacts import sync_folder
from maestri.engines.statedir import StateDir
from maestri.errors import EngineError, UsageError
from maestri.kernel import codec
from maestri.kernel.ports import Message

LARGEST_BYTES = 1 << 20
_AT_ONCE = 1000  # a flood must not fill the memory
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_NAME = re.compile(r"([0-9]{20})-([A-Za-z0-9_-]{1,64})\.json\Z")


def folder(state: StateDir, run_id: str) -> Path:
    """Return the mailbox of a run; it need not exist."""
    return state.run_dir(run_id) / "mailbox"


def post(state: StateDir, run_id: str, message: Message) -> None:
    """Put a message into the mailbox of a run; stored when this returns.

    Raises:
        UsageError: The id of the message is not 1 to 64 letters, digits, `_` or `-`.
        EngineError: The message is too large, or cannot be written.
    """
    if _ID.match(message.id) is None:
        raise UsageError(f"`{message.id}` is not the id of a message", fix="use letters, digits, `_` and `-`")
    text = codec.encode({"id": message.id, "verb": message.verb, "data": dict(message.data)}).encode()
    if len(text) > LARGEST_BYTES:
        message_text = f"a message of {len(text)} bytes is too large"
        raise EngineError(message_text, fix=f"send up to {LARGEST_BYTES} bytes; keep the rest in a file")
    try:
        place = state.made(folder(state, run_id))
        _write(place, f"{time.time_ns():020}-{message.id}.json", text)
        for above in place.relative_to(state.root).parents:  # any of them may be new
            sync_folder(state.root / above)
        ring(state)
    except OSError as error:
        words = f"a message to run {run_id} cannot be stored: {error.strerror}"
        raise EngineError(words, fix="check room and rights of the state directory") from error


def _write(place: Path, name: str, content: bytes) -> None:
    aside = place / f".{os.urandom(8).hex()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        aside.rename(place / name)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(place)


def ring(state: StateDir) -> None:
    """Say that there is mail somewhere."""
    os.close(os.open(state.bell, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    now = time.time_ns()  # the kernel's own stamp is too coarse: two rings could look like one
    os.utime(state.bell, ns=(now, now))


def bell_at(state: StateDir) -> int:
    """Return when the bell was last rung, in nanoseconds; 0 when never."""
    try:
        return state.bell.stat().st_mtime_ns
    except OSError:
        return 0


def names(state: StateDir, run_id: str) -> list[str]:
    """Return the names of the files that may be messages, oldest first."""
    try:
        return sorted(file.name for file in folder(state, run_id).iterdir() if file.name[0] != ".")
    except FileNotFoundError:
        return []


def messages(state: StateDir, run_id: str, skip: Collection[str] = ()) -> list[Message]:
    """Return the oldest messages in a mailbox but those with the ids `skip`; what is none is moved away."""
    found: list[Message] = []
    for name in names(state, run_id):
        match = _NAME.match(name)
        if match is not None and match[2] in skip:
            continue
        if len(found) == _AT_ONCE:
            break
        message = _read(folder(state, run_id) / name)
        if message is None:
            _refuse(state, run_id, name)
        else:
            found.append(message)
    return found


def remove(state: StateDir, run_id: str, message_id: str) -> None:
    """Remove a message that was taken."""
    for name in names(state, run_id):
        match = _NAME.match(name)
        if match is not None and match[2] == message_id:
            (folder(state, run_id) / name).unlink(missing_ok=True)


def _read(path: Path) -> Message | None:
    match = _NAME.match(path.name)
    content = _content(path) if match is not None else None
    if match is None or content is None:
        return None
    try:
        record: Any = json.loads(content)
        message = Message(record["id"], record["verb"], record["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    well_formed = isinstance(message.verb, str) and isinstance(message.data, dict)
    return message if message.id == match[2] and well_formed else None


def _content(path: Path) -> bytes | None:
    try:
        # O_NONBLOCK: a named pipe must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_BYTES:
            return None
        return os.read(descriptor, LARGEST_BYTES)
    finally:
        os.close(descriptor)


def _refuse(state: StateDir, run_id: str, name: str) -> None:
    # Not below the mailbox: a step that may write there could make this folder a link.
    refused = state.made(state.run_dir(run_id) / "refused-mail")
    (folder(state, run_id) / name).rename(refused / f"{time.time_ns():020}-{os.urandom(4).hex()}")

"""The mailbox of a run: one small file per message, so that anybody may write and one owner takes.

Rule 1: a message is complete or not there: written aside, synced, renamed, then the bell is rung.
Rule 2: a step may write into its own mailbox, so nothing in it is trusted: no link is followed, nothing
large is read, and what is not a message is moved away.
"""

from __future__ import annotations

import contextlib
import errno
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
# A link, a socket or device, a folder that was put there, something that we may not read, or gone meanwhile.
_NOT_A_FILE = frozenset(
    {errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ENOENT}
)
_LONGEST_BELL_BYTES = 1 << 16
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
        ring(state, run_id)
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


def ring(state: StateDir, run_id: str) -> None:
    """Say that a run has mail: whoever executes thousands of them looks at no others."""
    descriptor = os.open(state.bell, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size > _LONGEST_BELL_BYTES:
            os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{run_id}\n".encode())
    except OSError:
        os.ftruncate(descriptor, 0)  # no room: a bell that is begun anew makes everybody look
    finally:
        os.close(descriptor)


def bell_at(state: StateDir) -> int:
    """Return how far the bell has been written, in bytes; 0 when never."""
    try:
        return state.bell.stat().st_size
    except OSError:
        return 0


def rung(state: StateDir, after: int) -> tuple[int, set[str] | None]:
    """Return how far the bell has been written, and who has mail since it was at `after`.

    None stands for anybody: the bell was begun anew, so that it no longer has all the names.
    """
    at = bell_at(state)
    if at == after:
        return at, set()
    try:
        with state.bell.open("rb") as file:
            file.seek(after)
            content = file.read()
    except OSError:
        return at, None
    whole = content[: content.rfind(b"\n") + 1]  # the rest is being written
    if at < after or not whole:
        return min(after, at), None
    return after + len(whole), set(whole.decode(errors="replace").splitlines())


def names(state: StateDir, run_id: str) -> list[str]:
    """Return the names of the files that may be messages, oldest first.

    Raises:
        EngineError: The mailbox cannot be read.
    """
    try:
        place = f"{state.run_place(run_id)}/mailbox"
        return sorted(name for name in os.listdir(place) if name[0] != ".")  # noqa: PTH208 - at every start
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(folder(state, run_id), error) from error


def may_have_mail(state: StateDir, run_id: str) -> bool:
    """Tell whether it is worth reading the mailbox; where that cannot be told, whoever reads it says why."""
    try:
        return bool(names(state, run_id))
    except EngineError:
        return True


def messages(state: StateDir, run_id: str, skip: Collection[str] = ()) -> list[Message]:
    """Return the oldest messages in a mailbox but those with the ids `skip`; what is none is moved away.

    Raises:
        EngineError: The mailbox, or a message in it, cannot be read now.
    """
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
    """Remove a message that was taken; what stays is known as taken, and removed another time."""
    with contextlib.suppress(OSError, EngineError):
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
    except OSError as error:
        if error.errno in _NOT_A_FILE:
            return None
        raise _unreadable(path, error) from error  # it may be a message: it is not to be moved away
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST_BYTES:
            return None
        return os.read(descriptor, LARGEST_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from error
    finally:
        os.close(descriptor)


def _refuse(state: StateDir, run_id: str, name: str) -> None:
    # Not below the mailbox: a step that may write there could make this folder a link.
    with contextlib.suppress(OSError):  # what stays is refused again
        refused = state.made(state.run_dir(run_id) / "refused-mail")
        (folder(state, run_id) / name).rename(refused / f"{time.time_ns():020}-{os.urandom(4).hex()}")


def _unreadable(path: Path, error: OSError) -> EngineError:
    message = f"{path} cannot be read: {error.strerror or error}"
    return EngineError(message, fix="check the disk, then resume the run", file=str(path))

"""The files in the mailbox of a step: how a report is read, and how a word to the step is written."""

from __future__ import annotations

import json
import os
import stat
import zlib
from typing import Any, Final

from maestri.errors import ValueRefused
from maestri.kernel import codec
from maestri.kernel.inside import REPORTS
from maestri.records import NamedTuple

LARGEST_BYTES: Final = 1 << 16
LONGEST_TEXT: Final = 4000
_DEEPEST: Final = 32


class Written(NamedTuple):
    """A report as a step has written it; `made_ns` is when, as far as the file says."""

    what: str
    text: str
    data: Any
    made_ns: int


def read(folder: int, name: str) -> Written | str:
    """Return the report in a file, or what is wrong with it; never waits, and follows no link."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        return f"it cannot be opened: {error.strerror}"
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return "it is no file"
        if found.st_size > LARGEST_BYTES:
            return f"it has more than {LARGEST_BYTES:,} bytes"
        content = os.read(descriptor, LARGEST_BYTES + 1)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    finally:
        os.close(descriptor)
    return _parsed(content, found.st_mtime_ns)


def _parsed(content: bytes, made_ns: int) -> Written | str:
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return "it is not JSON"
    if not isinstance(record, dict) or record.get("what") not in REPORTS:
        return f"its `what` is none of {', '.join(REPORTS)}"
    what, text, data = record["what"], record.get("text", ""), record.get("data")
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        return f"its `text` is no text of up to {LONGEST_TEXT:,} characters"
    if _is_deep(data, _DEEPEST):
        return f"its `data` is more than {_DEEPEST} levels deep"
    try:
        codec.encode([text, data]).encode()
    except (ValueRefused, UnicodeEncodeError):
        return "it holds what does not survive JSON"
    return Written(what, text.strip(), data, made_ns)


def _is_deep(data: Any, levels: int) -> bool:
    if not isinstance(data, dict | list):
        return False
    inner = data.values() if isinstance(data, dict) else data
    return levels == 0 or any(_is_deep(one, levels - 1) for one in inner)


def place(folder: int, name: str, text: str) -> None:
    """Put a text into a folder under a name, complete or not at all.

    Raises:
        OSError: It cannot be written.
    """
    aside = f".{os.urandom(8).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(aside, flags, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode(errors="replace"))
        os.rename(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(aside, dir_fd=folder)
        raise


def settled_name(text: str, number: int) -> str:
    """Return the name of the file that says that a blocker is settled: whoever reports it looks for that."""
    return f"settled-{zlib.crc32(text.encode(errors='replace')):08x}-{number:04}.json"


def settled_text(text: str, note: str) -> str:
    """Return what that file says."""
    return json.dumps({"text": text, "note": note})

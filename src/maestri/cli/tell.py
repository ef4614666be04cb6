"""What `maestri tell` does, as quickly as a process can: standard library only, and no parser.

    maestri tell checkpoint "phase 1 is done" --data '{"tasks_completed": 15}'

Rule 1: a report is a small file, complete or not there, in the folder that the step was given; nothing else
is asked of whoever reports: no network, no secret, no working directory.
Rule 2: standard output is the step's: only a note that was waited for goes there.
Rule 3: what is wrong is left to the whole command line, which says it better.

This file is also run by its path, with an interpreter that knows nothing of Maestri.
"""

# To import pathlib takes longer than all that is done here.
# ruff: noqa: PTH100, PTH102, PTH104, PTH108, PTH112, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from typing import Any

WAIT = "wait"
REPORTS = ("started", "task-started", "checkpoint", "task-completed", "blocked", "unblocked", "done")
LARGEST_BYTES = 1 << 16
LONGEST_TEXT = 4000
GONE, TOO_LATE = 1, 3  # exit codes: the step has ended, and nobody has said a word in time
_POLL_S = 0.05


class Wanted:
    """A command line that was understood: what to report, and whether to wait for a word."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.what = ""
        self.text = ""
        self.data: Any = None
        self.waits = False
        self.timeout_s: float | None = None


def understood(words: list[str]) -> Wanted | None:
    """Return what a command line asks for; None for one that is wrong, or asks for help."""
    wanted, texts = Wanted(), []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, mark, value = word.partition("=")
        if name in {"--data", "--timeout"}:
            if not mark and not rest:
                return None
            if not _take(wanted, name, value if mark else rest.pop(0)):
                return None
        elif word == "--wait":
            wanted.waits = True
        elif word == "--":
            texts += rest
            break
        elif word.startswith("--") or word in {"-h", ""}:
            return None
        else:
            texts.append(word)
    return _checked(wanted, texts)


def _take(wanted: Wanted, name: str, value: str) -> bool:
    try:
        if name == "--data":
            wanted.data = json.loads(value)
        else:
            wanted.timeout_s = float(value)
    except (ValueError, RecursionError):
        return False
    return True


def _checked(wanted: Wanted, texts: list[str]) -> Wanted | None:
    if not texts or texts[0] not in {*REPORTS, WAIT}:
        return None
    wanted.what, wanted.text = texts[0], " ".join(texts[1:])
    if wanted.what == WAIT:
        wanted.waits = True
        return None if wanted.text else wanted
    if len(wanted.text) > LONGEST_TEXT or (wanted.waits and wanted.what != "blocked"):
        return None
    return wanted if wanted.text or wanted.what in {"started", "unblocked", "done"} else None


def write(folder: str, wanted: Wanted) -> str | None:
    """Put a report into a folder; returns its name, or None where it cannot be done."""
    record = {"what": wanted.what, "text": wanted.text}
    if wanted.data is not None:
        record["data"] = wanted.data
    try:
        content = json.dumps(record).encode()
        name = f"{time.time_ns():020}-{os.urandom(8).hex()}"
        if len(content) > LARGEST_BYTES:
            return None
        _place(os.path.join(folder, f".{name}"), os.path.join(folder, f"{name}.json"), content)
    except (OSError, ValueError):
        return None
    return name


def _place(aside: str, place: str, content: bytes) -> None:
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(aside, place)
    folder = os.open(os.path.dirname(place), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def settled(folder: str, text: str) -> str | None:
    """Return the note about a blocker that was settled before the step was begun again, once; else None."""
    mark = f"settled-{zlib.crc32(text.encode(errors='replace')):08x}-"
    for name in sorted(_names(folder)):
        place = os.path.join(folder, name)
        if name.startswith(mark):
            try:
                with open(place, encoding="utf-8") as file:
                    record = json.load(file)
                if record["text"] == text:
                    os.unlink(place)
                    return str(record["note"])
            except (OSError, ValueError, KeyError):  # another process was quicker
                continue
    return None


def awaited(folder: str, name: str, timeout_s: float | None) -> str | int:
    """Return the note about a blocker, or about any one where no name is given, when there is one.

    Returns:
        The note, or an exit code: the step has ended, or the time was up.
    """
    until = None if timeout_s is None else time.monotonic() + timeout_s
    while os.path.isdir(folder):
        for found in sorted(_names(folder)):
            if found == f"unblocked-{name}" if name else found.startswith("unblocked-"):
                place = os.path.join(folder, found)
                try:
                    with open(place, encoding="utf-8") as file:
                        note = file.read()
                    os.unlink(place)
                except OSError:  # another process was quicker
                    continue
                return note
        if until is not None and time.monotonic() >= until:
            return TOO_LATE
        time.sleep(_POLL_S)
    return GONE


def _is_there(folder: str) -> bool:
    """Make the folder where this is the first report; what is above it is there while the run goes."""
    try:
        os.mkdir(folder, 0o700)
    except OSError:
        return os.path.isdir(folder)
    return True


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def quick(words: list[str], folder: str) -> int | None:
    """Carry out a command line; None where the whole command line has to say what is wrong."""
    wanted = understood(words)
    if wanted is None or not folder or not _is_there(folder):
        return None
    name = ""
    if wanted.what != WAIT:
        note = settled(folder, wanted.text.strip()) if wanted.what == "blocked" else None
        if note is not None:
            _say(note)
            return 0
        written = write(folder, wanted)
        if written is None:
            return None
        name = written
    if not wanted.waits:
        return 0
    found = awaited(folder, name, wanted.timeout_s)
    if isinstance(found, int):
        return found
    _say(found)
    return 0


def _say(note: str) -> None:
    if note:
        sys.stdout.write(note + "\n")


def _whole(words: list[str]) -> None:
    """Become the whole command line, with an interpreter that finds Maestri."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = f"import sys; sys.path.append({root!r}); from maestri.cli.main import main; sys.exit(main())"
    os.execv(sys.executable, [sys.executable, "-I", "-c", code, "tell", *words])  # noqa: S606


if __name__ == "__main__":
    exit_code = quick(sys.argv[1:], os.environ.get("MAESTRI_MAILBOX", ""))
    if exit_code is None:
        _whole(sys.argv[1:])
    sys.exit(exit_code)

"""Keeps what code of others writes in this process away from what Maestri itself writes.

Rule: Maestri speaks on descriptors of its own; 1 and 2, which functions, their libraries and their child
processes know, lead elsewhere meanwhile (to standard error, or through a `Diversion`).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

OUT, ERR = 1, 2


def open_missing() -> None:
    """Open what a caller has closed of the standard streams: a journal must never get such a number."""
    for number in (0, OUT, ERR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def kept(stream: TextIO) -> TextIO | None:
    """Return a stream to where another goes, on a descriptor that nobody else knows, or None for no file."""
    try:
        descriptor = os.dup(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return None
    return open(descriptor, "w", encoding=stream.encoding, errors="backslashreplace")  # noqa: PTH123


def send_out_to_err() -> None:
    """Let what is written to standard output from now on, by whatever layer, go to standard error."""
    flush_all()
    try:
        os.dup2(ERR, OUT)
    except OSError:  # there is no standard error
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, OUT)
        os.close(nothing)
    if sys.stderr is not None:
        sys.stdout = sys.stderr


def flush_all() -> None:
    """Write out what Python still holds of the standard streams."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()

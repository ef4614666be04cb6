"""Texts that people read: times, sizes, and other people's texts made harmless.

Rule 1: what comes from commands, agents, files or names goes through `one_line` or `clean` before it is
shown; a control character in it must not move the cursor, change a title or answer for the user.
"""

from __future__ import annotations

import re
import time
from unicodedata import combining, east_asian_width

# CSI, OSC and the other strings of a terminal, in 7 and 8 bits; what is not closed ends with its line.
_SEQUENCES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Also what turns the direction of writing around, and halves of a character.
_HARMFUL = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
_SPACES = r"\s+"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
_TENTHS_BELOW_S = 9.95


def clean(text: str) -> str:
    """Return a text of several lines without anything that a terminal would obey; tabs become spaces."""
    if text.isascii() and text.isprintable():
        return text
    text = re.sub(_SEQUENCES, "", text.replace("\r\n", "\n").replace("\r", "\n"))
    return re.sub(_HARMFUL, "", text).expandtabs(4)


def one_line(text: str) -> str:
    """Return a text as one harmless line: line breaks and runs of spaces become one space."""
    return re.sub(_SPACES, " ", clean(text)).strip()


def width_of(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def cut(text: str, columns: int, mark: str = "…") -> str:
    """Return a text that takes at most so many columns; a shortened one ends with `mark`."""
    if width_of(text) <= columns:
        return text
    room = columns - width_of(mark)
    if room < 0:
        return mark[:columns]
    used, end = 0, 0
    for char in text:
        used += width_of(char)
        if used > room:
            break
        end += 1
    return text[:end] + mark


def duration(seconds: float) -> str:
    """Return a span of time: `0.4s`, `12s`, `3m05s`, `2h03m`, `4d02h`."""
    seconds = max(0.0, seconds)
    if seconds < _TENTHS_BELOW_S:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m{whole % _MINUTE_S:02}s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h{whole % _HOUR_S // _MINUTE_S:02}m"
    return f"{whole // _DAY_S}d{whole % _DAY_S // _HOUR_S:02}h"


def ago(at: float, now: float) -> str:
    """Return how long ago a time was, in one unit: `just now`, `5m ago`, `3d ago`."""
    seconds = now - at
    if seconds < 10:
        return "just now"
    for unit_s, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "m"), (1, "s")):
        if seconds >= unit_s:
            return f"{int(seconds // unit_s)}{unit} ago"
    return "just now"


def clock(at: float) -> str:
    """Return the local time of day, `12:00:01`."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def date(at: float) -> str:
    """Return the local date and time, `2026-01-31 12:00:01`."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def size(size_bytes: float) -> str:
    """Return an amount of data: `312 B`, `4.2 kB`, `1.8 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def counted(count: int, what: str) -> str:
    """Return a number with its word, in the plural where it is one: `1 step`, `3 steps`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"

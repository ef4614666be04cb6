"""Large texts as a journal file has them: compressed where that makes them smaller.

Rule 1: what comes back is checked against its digest by whoever reads it; what cannot be unpacked is damaged.
"""

from __future__ import annotations

import zlib

_LEVEL = 1  # the quickest: the higher ones take twice the time for a twentieth of the bytes


def packed_text(text: str) -> str | bytes:
    """Return a text as it is stored."""
    plain = text.encode()
    small = zlib.compress(plain, _LEVEL)
    return small if len(small) < len(plain) else text


def unpacked_text(stored: object) -> str | None:
    """Return a text that was stored; None where it is damaged."""
    if isinstance(stored, str):
        return stored
    try:
        return zlib.decompress(stored).decode() if isinstance(stored, bytes) else None
    except (zlib.error, UnicodeDecodeError):
        return None

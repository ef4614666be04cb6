"""A checksum for each row, over all columns and the id of the run.

Rule 1: a column that is stored is covered, the sequence number too: a row that moved is a damaged row.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

_numbers = Struct("<QBd").pack


def seed(run_id: str) -> int:
    """Return what the checksums of a run begin with."""
    return crc32(run_id.encode())


def checksum(
    start: int, seq: int, kind: int, scope: str, name: str, at: float, digest: str, body: str
) -> int:
    """Return the CRC-32 of a row; `start` is the `seed` of its run."""
    return crc32(f"{digest}\n{scope}\n{name}\n{body}".encode(), crc32(_numbers(seq, kind, at), start))

"""The whole history of a run against its checksums.

Rule 1: a resume checks what it reads; this checks everything, and goes on after a finding.
"""

from __future__ import annotations

import math
import sqlite3
import time
from typing import Any

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.checksum import seed
from maestri.engines.sqlite.rows import COLUMNS, Part, agrees, damage, fetched, read_blobs, unpacked
from maestri.engines.sqlite.schema import translated
from maestri.errors import Diagnostic
from maestri.kernel.codec import blobs_in

_PAGE = 1000


def verify(catalog: Catalog, run_id: str, deadline: float = math.inf) -> list[Diagnostic]:
    """Return what is wrong with the stored history of a run: damaged, missing and moved events.

    Args:
        catalog: Where to find it.
        run_id: The run.
        deadline: When to leave off, by the monotonic clock in seconds.

    Raises:
        RunNotFound: No file that can be read has it.
    """
    part = catalog.find(run_id).part
    findings: list[Diagnostic] = []
    query = f"select {COLUMNS} from event where place > ? and place < ? order by place limit {_PAGE}"  # noqa: S608
    seq = 0
    try:
        while time.monotonic() < deadline and (rows := fetched(part.db, query, (part.first + seq, part.end))):
            for row in rows:
                findings += _check(part, row, seq + 1)
                seq = row[0] - part.first
    except sqlite3.Error as error:
        findings.append(translated(error, part.file).diagnostic)
    return findings


def _check(part: Part, row: tuple[Any, ...], expected: int) -> list[Diagnostic]:
    place, kind, scope, name, at, digest, crc, body = row
    seq = place - part.first
    causes = []
    if seq != expected:
        causes.append(f"the events from {expected} to {seq - 1} are missing")
    if not agrees(seed(part.run_id), seq, kind, scope, name, at, unpacked(digest), crc, body):
        causes.append("its checksum does not agree")
    elif '"$blob"' in body:
        wanted = blobs_in(body)
        lost = wanted - set(read_blobs(part.db, sorted(wanted)))
        causes += [f"its large text {text} is missing or damaged" for text in sorted(lost)]
    return [damage(part, seq, scope, name, cause).diagnostic for cause in causes]

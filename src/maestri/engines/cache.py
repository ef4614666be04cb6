"""Outputs of finished steps by what was asked and what their files held: shared by all runs.

Rule 1: an entry is complete or not there: it is written aside and renamed.
Rule 2: an entry that cannot be read counts as not there; a cache is never a reason to fail.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maestri.records import NamedTuple
from maestri.values import Json

_KEY = re.compile(r"[0-9a-f]{64}\Z")


class CacheEntry(NamedTuple):
    """One output that is kept: when, which step of which run gave it, and what it was asked."""

    key: str
    at: float
    run: str
    path: str
    asked: str
    value: Json
    size_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the entry as a JSON object."""
        return dict(self._asdict())


class Cache:
    """The entries below one folder."""

    def __init__(self, root: Path) -> None:
        """Name the folder; nothing is opened."""
        self.root = root

    def find(self, key: str) -> CacheEntry | None:
        """Return an entry by its whole key."""
        return _read(self._file(key)) if _KEY.match(key) else None

    def keep(self, entry: CacheEntry) -> None:
        """Keep an entry in the place of an earlier one."""
        file = self._file(entry.key)
        for folder in (self.root, file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = file.with_name(f".{os.urandom(8).hex()}")
        try:
            fields = {key: value for key, value in entry.as_json().items() if key != "size_bytes"}
            aside.write_text(json.dumps(fields, ensure_ascii=False), encoding="utf-8")
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)

    def entries(self) -> list[CacheEntry]:
        """Return all entries, oldest first."""
        found = [entry for file in self._files() if (entry := _read(file)) is not None]
        return sorted(found, key=lambda entry: (entry.at, entry.key))

    def remove(self, prefix: str = "", before: float | None = None) -> int:
        """Remove the entries whose keys begin so and that are older; returns how many there were."""
        count = 0
        for file in list(self._files()):
            entry = _read(file) if before is not None else None
            if file.stem.startswith(prefix) and (entry is None or before is None or entry.at < before):
                file.unlink(missing_ok=True)
                count += 1
        return count

    def _files(self) -> Iterator[Path]:
        return self.root.glob("??/*.json")

    def _file(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.json"


def _read(file: Path) -> CacheEntry | None:
    try:
        text = file.read_text(encoding="utf-8")
        return CacheEntry(**json.loads(text), size_bytes=len(text.encode()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None

"""The agent behind `cache`: finds an output that is kept, or keeps one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from maestri.engines.cache import Cache, CacheEntry
from maestri.kernel.ports import Answer, Attempt, Task

_VERIFIED_S: Final = 7 * 86_400.0


class CacheAgent:
    """Performs `cache` tasks: `{"find": key, "max_age_s": seconds}` or `{"keep": key, "value": …}`."""

    def __init__(self, cache: Cache, now: Callable[[], float]) -> None:
        """Look into `cache`; `now` gives the time in seconds since 1970."""
        self._cache = cache
        self._now = now

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Find or keep an output."""
        if "find" in task.request:
            found = await asyncio.to_thread(self._cache.find, task.request["find"])
            return Answer(self._found(found, task.request.get("max_age_s")))
        key, request = task.request["keep"], task.request
        entry = CacheEntry(key, self._now(), attempt.run, attempt.path, request["asked"], request["value"])
        try:
            await asyncio.to_thread(self._cache.keep, entry)
        except OSError as error:
            attempt.log(f"the output is not kept: {error}\n".encode())
        return Answer(None)

    def _found(self, entry: CacheEntry | None, max_age_s: float | None) -> dict[str, Any]:
        if entry is None or (max_age_s is not None and self._now() - entry.at > max_age_s):
            return {"hit": False}
        return {"hit": True, "value": entry.value, "run": entry.run, "path": entry.path}

    async def close(self) -> None:
        """Do nothing: nothing is kept open."""


class Verified:
    """What is known of trees that have passed a command before; see the port of `maestri.landing.agent`."""

    def __init__(self, cache: Cache, now: Callable[[], float]) -> None:
        """Look into `cache`; `now` gives the time in seconds since 1970."""
        self._cache = cache
        self._now = now

    def find(self, key: str) -> bool:
        """Tell whether a tree has passed, not so long ago that the machine may be another one by now."""
        found = self._cache.find(key)
        return found is not None and found.value is True and self._now() - found.at < _VERIFIED_S

    def keep(self, key: str, asked: str, run: str, path: str) -> None:
        """Say that it has; where that cannot be kept, it is verified again the next time."""
        with suppress(OSError):
            self._cache.keep(CacheEntry(key, self._now(), run, path, asked, value=True))

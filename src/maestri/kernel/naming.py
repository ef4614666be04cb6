"""The names that a scope gives its steps: claimed in the order of the calls, counted, by one asyncio task."""

from __future__ import annotations

import asyncio
from typing import Any

from maestri.errors import ScopeShared, UsageError
from maestri.kernel.path import check_name, join, numbered


class Naming:
    """Who may claim the next name in a scope, and which segment that is.

    `owner` is the asyncio task that took the first name, and `inner` the scope of its own that this task is
    in at the moment.
    """

    __slots__ = ("_counts", "_scope", "inner", "is_used_up", "owner", "segment")

    def __init__(self, scope: str, place: str | None) -> None:
        """Begin without names, or with one `place` that was claimed beforehand and is the only one."""
        self._scope = scope
        self._counts: dict[str, int] = {}
        self.owner: asyncio.Task[Any] | None = None
        self.inner: str | None = None
        self.segment = place or ""
        self.is_used_up = False

    def take(self, name: str, task: asyncio.Task[Any] | None) -> str:
        """Return the segment of the next use of a name, in the asyncio task that runs now.

        Raises:
            ScopeShared: Another asyncio task uses this scope.
            UsageError: The scope is used inside of a scope of its own, or is a place that is used up.
            BadName: Not a name.
        """
        if self.owner is not task:
            self._take_over(task)
        if self.inner is not None:
            message = f"the scope `{self._scope}` is used inside of its own scope `{self.inner}`"
            fix = "use the context that the body is given, not the one outside"
            raise UsageError(message, fix=fix, path=self._scope)
        if self.segment:
            return self._take_place()
        check_name(name)
        n = self._counts[name] = self._counts.get(name, 0) + 1
        return name if n == 1 else f"{name}#{n}"

    def take_number(self, name: str, number: int) -> str:
        """Return the segment of a certain use of a name.

        Raises:
            BadName: Not a name.
        """
        check_name(name)
        self._counts[name] = max(number, self._counts.get(name, 0))
        return numbered(name, number)

    def own(self, task: asyncio.Task[Any] | None) -> None:
        """Let no other asyncio task take names here.

        Raises:
            ScopeShared: Another one does already.
        """
        if self.owner is not task:
            self._take_over(task)

    def _take_over(self, task: asyncio.Task[Any] | None) -> None:
        if self.owner is not None:
            message = f"two asyncio tasks use the scope `{self._scope}` at once"
            fix = "give each concurrent child a scope of its own: use `parallel` or `each`"
            raise ScopeShared(message, fix=fix, path=self._scope)
        self.owner = task

    def _take_place(self) -> str:
        if self.is_used_up:
            place = join(self._scope, self.segment)
            message = f"a body that is to be the one step `{place}` makes a second one"
            raise UsageError(message, fix="give a body of several steps without `OneStep`", path=place)
        self.is_used_up = True
        return self.segment

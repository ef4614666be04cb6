"""What a pattern does when it is resumed after it has failed of its own accord: it goes on, on the record.

A step that failed is done again when the run is reopened. A gate that said no, reviewers that did not approve
and a saga that was undone have no such step: all that they did has succeeded. So the pattern says in its
failure how often it was taken up again before, and takes it up once more when that very failure was reopened.
"""

from __future__ import annotations

from typing import Any

from maestri.errors import RunError
from maestri.kernel.context import Context
from maestri.kernel.path import numbered

NAME = "again"  # of the records, in the scope that is taken up again


class Again:
    """How often a scope was taken up again after a failure of its own."""

    def __init__(self, scope: Context) -> None:
        """Begin with what the scope has done since it was begun: nothing."""
        self._scope = scope
        self.count = 0

    def detail(self, **more: Any) -> dict[str, Any]:
        """Return the detail of a failure after which the scope may be taken up again."""
        return {**more, NAME: self.count}

    async def is_due(self, failure: RunError) -> bool:
        """Tell whether the scope goes on after a failure of its own, rather than raising it.

        Args:
            failure: What it would raise now, with the `detail` from here.
        """
        if self._scope.recorded(numbered(NAME, self.count + 1)) is None and not self._is_reopened(failure):
            return False
        await self._scope.decide(NAME, lambda: True)
        self.count += 1
        return True

    def _is_reopened(self, failure: RunError) -> bool:
        """Tell whether the scope had failed of just this, and was reopened since."""
        before = self._scope.taken_back
        if before is None:
            return False
        found = before.body["failure"]
        return found["type"] == type(failure).__name__ and (found.get("detail") or {}).get(NAME) == self.count

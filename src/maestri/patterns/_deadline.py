"""The time after which no child of a fan is waited for any more."""

from __future__ import annotations

from maestri.kernel.context import Context
from maestri.kernel.fan import Fan


class Deadline:
    """Stops a fan at a time; the fan then gives back nothing more."""

    def __init__(self, ctx: Context, fan: Fan, rest_s: float) -> None:
        """Begin to wait."""
        self.is_over = False
        self._fan = fan
        self._on_wake = ctx.core.on_wake
        self._timer = ctx.core.clock.call_later(max(0.0, rest_s), self._ring)

    def _ring(self) -> None:
        self.is_over = True
        self._on_wake()  # the run may be parked by now
        self._fan.stop()

    def close(self) -> None:
        """Wait no longer."""
        self._timer.cancel()


async def deadline_of(ctx: Context, fan: Fan, limit_s: float | None) -> Deadline | None:
    """Start the clock of a deadline: from when this scope was first begun, or begun again by a reopening."""
    if limit_s is None:
        return None
    begun = await ctx.begun()
    return Deadline(ctx, fan, begun + limit_s - ctx.core.clock.now())

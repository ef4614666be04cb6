"""Where streams meet: who is to come to a point, who has come, and with what.

Rule 1: who has met is journaled, as the seal of the point's own scope, before anybody goes on from there.
Rule 2: whoever waits for others holds nothing but a future; a resume makes everybody arrive again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from maestri.errors import InputInvalid, RunError, SyncMissed, UsageError
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.kernel.path import check_name
from maestri.kernel.run import RunCore
from maestri.kernel.typed import to_plain

RESERVED = frozenset({"sync", "integrate"})


def check_points(syncs: Mapping[str, Sequence[str]]) -> None:
    """Refuse points at which nobody could meet.

    Args:
        syncs: The points of each stream, in the order in which it comes to them.

    Raises:
        InputInvalid: Names the streams and the points.
    """
    members = members_of(syncs)
    for point, streams in members.items():
        check_name(point)
        if len(streams) == 1:
            message = f"only `{streams[0]}` names the sync point `{point}`, so that nobody meets there"
            raise InputInvalid(message, fix="let another stream name it, too, or leave it out")
    for stream, points in syncs.items():
        twice = next((point for place, point in enumerate(points) if point in points[:place]), None)
        if twice is not None:
            message = f"`{stream}` names the sync point `{twice}` twice"
            raise InputInvalid(message, fix="give the second meeting another name")
    circle = circle_of(syncs)
    if circle:
        message = f"these sync points wait for each other: {' → '.join([*circle, circle[0]])}"
        raise InputInvalid(message, fix="let all streams come to them in the same order")


def members_of(syncs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the streams that name each point."""
    found: dict[str, list[str]] = {}
    for stream, points in syncs.items():
        for point in dict.fromkeys(points):
            found.setdefault(point, []).append(stream)
    return found


def circle_of(syncs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return points each of which some stream comes to only after the next one, all around; or none."""
    before: dict[str, set[str]] = {point: set() for points in syncs.values() for point in points}
    for points in syncs.values():
        for place, point in enumerate(points):
            before[point].update(other for other in points[:place] if other != point)
    while free := [point for point, others in before.items() if not others]:
        for point in free:
            del before[point]
        for others in before.values():
            others.difference_update(free)
    if not before:
        return []
    trail = [next(iter(before))]
    while (last := min(before[trail[-1]])) not in trail:
        trail.append(last)
    return trail[trail.index(last) :][::-1]


class _Point:
    """One point: who is to come, what those who came have brought, and who waits here.

    What happens here takes effect once it is known that nobody has met here before: until then the point is
    not open.
    """

    def __init__(self, members: Sequence[str]) -> None:
        self._members = members
        self._is_open = False
        self.passed: set[str] = set()
        self.brought: dict[str, Any] = {}
        self.waiting: dict[str, asyncio.Future[Any]] = {}
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.missed: SyncMissed | None = None
        self.met: dict[str, Any] | None = None

    def open(self) -> None:
        """Let the point be met from now on: nobody has met here before."""
        self._is_open = True
        self.check()

    def in_order(self) -> dict[str, Any]:
        """Return what was brought, in the order of the streams: that of the arrivals would be chance."""
        return {stream: self.brought[stream] for stream in self._members if stream in self.brought}

    def check(self) -> None:
        """Let the point be met when nobody is awaited any more, and let its waiters go on when they can."""
        if self.met is None and not self._is_open:
            return
        is_complete = self.passed.union(self.brought).issuperset(self._members)
        if is_complete and self.missed is None and not self.complete.done():
            self.complete.set_result(None)
        for future in self.waiting.values():
            if future.done():
                continue
            if self.met is not None:
                future.set_result(self.met)
            elif self.missed is not None:
                future.set_exception(_anew(self.missed))


def _anew(error: SyncMissed) -> SyncMissed:
    """Return the same error anew: each who raises it gives it a path of its own."""
    return SyncMissed(error.message, cause=error.cause, fix=error.fix, detail=error.detail)


class Meetings:
    """The points of one group of streams."""

    def __init__(self, core: RunCore, syncs: Mapping[str, Sequence[str]]) -> None:
        """Begin with nobody at any point."""
        self._core = core
        self._syncs = {stream: list(points) for stream, points in syncs.items()}
        self.points = {point: _Point(streams) for point, streams in members_of(syncs).items()}

    # --- the points' own scopes -----------------------------------------------------------------------

    async def keep(self, scope: Context) -> dict[str, Any]:
        """Record who meets at each point, as they are complete; in a scope beside the streams."""
        found: dict[str, Any] = {}
        async with Fan(scope) as fan:
            for point in self.points:
                fan.start(point, partial(self._complete, point=self.points[point]))
            async for settled in fan:
                if settled.error is not None:
                    raise settled.error
                found[settled.name] = settled.value
                self.restore({settled.name: settled.value})
        return {point: found[point] for point in self.points}

    async def _complete(self, scope: Context, *, point: _Point) -> Any:
        if scope.recorded("met") is None:
            point.open()
            await self._passively(point.complete)
        return await scope.decide("met", point.in_order, stored=True)

    def restore(self, met: Mapping[str, Any]) -> None:
        """Let those go on who wait at points that have been met, now or on record."""
        for point, brought in met.items():
            self.points[point].met = brought
            self.points[point].check()

    # --- the streams ----------------------------------------------------------------------------------

    async def arrive(self, stream: str, point: str, value: Any) -> Any:
        """Wait at a point for the others; return what each has brought.

        Raises:
            SyncMissed: One of them cannot come any more.
            UsageError: The stream has not declared the point, or is past it.
        """
        at = self.points.get(point)
        if at is None or point not in self._syncs[stream]:
            message = f"the stream `{stream}` has not declared the sync point `{point}`"
            raise UsageError(message, fix=f'declare it: `Stream(body, syncs=("{point}",))`')
        if stream in at.passed or _is_met(at.waiting.get(stream)):
            message = f"the stream `{stream}` is past the sync point `{point}`"
            raise UsageError(message, fix="come to the points in the order in which they are declared, once")
        points = self._syncs[stream]
        for earlier in points[: points.index(point)]:
            self.pass_by(stream, earlier)
        at.brought[stream] = to_plain(value)
        at.waiting[stream] = asyncio.get_running_loop().create_future()
        at.check()
        return await self._passively(at.waiting[stream])

    def pass_by(self, stream: str, point: str) -> None:
        """Note that a stream does not come to a point, if it has not: the others go on without it."""
        at = self.points[point]
        if stream not in at.brought:
            at.passed.add(stream)
            at.check()

    def has_ended(self, stream: str) -> None:
        """Note that a stream has ended: points that it has not come to it has passed by."""
        for point in self._syncs.get(stream, ()):
            self.pass_by(stream, point)

    def has_failed(self, stream: str, error: RunError) -> None:
        """Let those fail who wait for a stream that has failed, here and where it would have come."""
        for point in self._syncs.get(stream, ()):
            if stream not in self.points[point].passed:
                message = f"the stream `{stream}` failed before the streams met at `{point}`"
                fix = f"mend `{stream}`, then resume the run: the others wait for it again"
                self._miss(point, message, error, fix)

    def is_broken(self, error: RunError) -> None:
        """Let all fail who wait anywhere: nobody keeps a record of who meets any more."""
        for point in self.points:
            self._miss(point, f"nobody meets at `{point}` any more", error, "resume the run")

    def _miss(self, point: str, message: str, error: RunError, fix: str) -> None:
        at = self.points[point]
        if at.missed is None:
            cause = f"{error.code} at {error.path}: {error.message}"
            at.missed = SyncMissed(message, cause=cause, fix=fix, detail={"point": point})
        at.check()

    async def _passively(self, future: asyncio.Future[Any]) -> Any:
        """Wait as one who goes on by a word of others only, so that the run can be parked meanwhile."""
        waits = self._core.waits
        waits.enter()
        try:
            return await future
        finally:
            waits.leave()


def _is_met(future: asyncio.Future[Any] | None) -> bool:
    return future is not None and future.done() and not future.cancelled() and future.exception() is None


class Meet:
    """What a stream meets the others with: called in it, as one of its steps."""

    def __init__(self, meetings: Meetings, stream: str) -> None:
        """Speak for a stream."""
        self._meetings = meetings
        self._stream = stream

    async def __call__(self, ctx: Context, name: str, point: str, value: Any = None) -> Any:
        """Wait for the others at a point; return what each has brought, by the names of the streams.

        Args:
            ctx: A scope of the stream.
            name: The name of the step.
            point: The point.
            value: What this stream brings.

        Raises:
            SyncMissed: One of them failed before it came.
        """

        async def inside(_scope: Context) -> Any:
            return await self._meetings.arrive(self._stream, point, value)

        return await ctx.scope(name, inside, pattern="sync")

    def skip(self, point: str) -> None:
        """Do not come to a point; the others need not wait for this stream."""
        self._meetings.pass_by(self._stream, point)

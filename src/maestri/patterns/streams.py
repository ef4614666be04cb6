"""Run streams side by side that meet where they say so, then integrate what they have made.

Shape:    a ── contract ──┐      ┌── build ──┐
                          ├ sync ┤           ├── integrate
          b ── sketch ────┘      └── build ──┘      a stream that names no point is stopped by none
Journal:  <name>/<stream>/…, <name>/sync/<point> (who met, with what each has brought; stored before anybody
          goes on), <name>/integrate, and one seal for <name>
Cost:     the slowest stream, with its waits; a stream that waits holds no agent
When:     lines of work that are mostly independent, agree on something on the way, and come together
Not:      they never meet: `parallel`; they are not lines but single steps: `graph`
Source:   parallel with sync points: seed document 2.3; parallel pipelines: 4; the rendezvous of CSP
          (Hoare 1978)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from maestri.errors import InputInvalid, JoinFailed, RunError, SyncMissed
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan, Settled
from maestri.patterns._meetings import RESERVED, Meet, Meetings, check_points
from maestri.patterns._registry import Binds, BoundBody, Stream, Streams, bind, pattern

_SHOWN = 5  # causes in a message


@pattern("streams")
async def streams(
    ctx: Context,
    name: str,
    branches: Streams,
    *,
    integrate: Annotated[BoundBody, Binds(("streams",))] | None = None,
) -> Any:
    """Run streams at once, and let those that name the same sync point meet there.

    When one fails, the others go on; but those that it was to meet fail where they wait for it. A stream that
    passes a point by (its `sync` is skipped) is not waited for.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        branches: The streams by name. `sync: POINT` in one of them waits for the others that name the point,
            and gives what each has brought there: the output of its last step before, by the stream's name.
        integrate: A body that makes one output of all, with `streams`.

    Returns:
        The outputs by name, in the order in which the streams are written; or what `integrate` makes of them.

    Raises:
        JoinFailed: Several streams failed; one failure is raised as it is.
        SyncMissed: A stream waited for another that cannot come any more; raised with that one's failure.
        InputInvalid: The points cannot work: one is named by a single stream, or two in different orders.
    """
    syncs = {one: body.syncs for one, body in branches.items() if isinstance(body, Stream)}
    try:
        _check_names(branches)
        check_points(syncs)
    except InputInvalid as error:
        return await ctx.refuse(name, error)

    async def side_by_side(scope: Context) -> dict[str, Any]:
        meetings = Meetings(scope.core, syncs)
        ended = _Ended(meetings)
        async with Fan(scope, needs_all=True) as fan:
            if meetings.points:
                fan.start("sync", meetings.keep)
            for one, body in branches.items():
                fan.start(one, bind(body.body, Meet(meetings, one)) if isinstance(body, Stream) else body)
            async for settled in fan:
                ended.take_in(settled)
                if ended.errors and ended.streams == len(branches):
                    break  # a point that somebody has missed is never met, and is not waited for
        return ended.result(list(branches))

    async def inside(scope: Context) -> Any:
        outputs = await side_by_side(scope)
        return outputs if integrate is None else await scope.scope("integrate", bind(integrate, outputs))

    return await ctx.scope(name, inside, pattern="streams", total=len(branches))


def _check_names(branches: Streams) -> None:
    """Refuse the names under which streams keep records of their own.

    Raises:
        InputInvalid: Names it.
    """
    taken = sorted(RESERVED.intersection(branches))
    if taken:
        message = f"`{taken[0]}` cannot be the name of a stream: something else stands there"
        raise InputInvalid(message, fix="give the stream another name")


class _Ended:
    """The streams that have ended: the outputs and the failures, by name; with those of the meetings."""

    def __init__(self, meetings: Meetings) -> None:
        self._meetings = meetings
        self.streams = 0
        self.outputs: dict[str, Any] = {}
        self.errors: dict[str, RunError] = {}

    def take_in(self, settled: Settled) -> None:
        name, error = settled.name, settled.error
        is_stream = name != "sync"
        self.streams += is_stream
        if error is not None:
            self.errors[name] = error
            self._meetings.has_failed(name, error) if is_stream else self._meetings.is_broken(error)
        elif is_stream:
            self.outputs[name] = settled.value
            self._meetings.has_ended(name)
        else:
            self._meetings.restore(settled.value)

    def result(self, order: list[str]) -> dict[str, Any]:
        """Return the outputs in the order of the streams.

        Raises:
            RunError: A stream failed.
        """
        if not self.errors:
            return {name: self.outputs[name] for name in order}
        errors = [self.errors[name] for name in ["sync", *order] if name in self.errors]
        # Who only missed the others is no cause, but is to be done again with them.
        causes = [error for error in errors if not isinstance(error, SyncMissed)] or errors[:1]
        found = causes[0] if len(causes) == 1 else _several(causes)
        found.origins = tuple(dict.fromkeys(origin for error in errors for origin in error.origins))
        raise found


def _several(errors: list[RunError]) -> JoinFailed:
    causes = "; ".join(f"{error.path}: {error.message}" for error in errors[:_SHOWN])
    detail: Mapping[str, Any] = {"failed": [error.path for error in errors]}
    fix = "mend what failed and resume the run"
    return JoinFailed(f"{len(errors)} streams failed", cause=causes, fix=fix, detail=detail)

"""One step under way, and the short way of a step whose function does not wait.

Rule 1: a step can be stopped from the moment that it is made until it is closed.
Rule 2: a function of this process that ends without having waited has its start in its result. It would be
stored in the same transaction, so that a record of its own would tell nobody anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from functools import lru_cache
from inspect import CO_COROUTINE
from typing import Any, Final

from maestri.kernel import codec, state
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.path import join
from maestri.kernel.policy import DEFAULT
from maestri.kernel.ports import Task, Timer
from maestri.kernel.run import LIMIT, Live, RunCore, Stop
from maestri.kernel.typed import settle

_NOTABLE_S: Final = 0.001  # a shorter time is not kept with a result


class Step(Live):
    """One step under way: where it is, what it asks for, what state it is in, and why it is being stopped.

    `ahead` is the rest of a first attempt that was begun, at `begun_at`, before its start was on record.
    """

    __slots__ = (
        "ahead",
        "attempt",
        "begun",
        "begun_at",
        "digest",
        "earlier",
        "is_direct",
        "limit",
        "path",
        "run",
        "scope",
        "segment",
        "state",
        "task",
        "value",
    )

    def __init__(
        self, run: RunCore, scope: str, segment: str, task: Task, digest: str, owner: asyncio.Task[Any] | None
    ) -> None:
        """Begin a step in the asyncio task `owner`: from now on it can be stopped."""
        Live.__init__(self, owner, False)
        self.run = run
        self.scope = scope
        self.segment = segment
        self.path = join(scope, segment)
        self.task = task
        self.digest = digest
        self.attempt = 1
        self.begun = 0  # the last attempt that was begun: during a pause it is not `attempt`
        self.earlier = 0  # attempts that were made before the step was reopened
        self.is_direct = False
        self.ahead: Ahead | None = None
        self.begun_at = 0.0
        self.value: Any = None
        self.state = state.PENDING
        run.live[self.path] = self
        limit_s = task.policy.step_timeout_s
        self.limit = None if limit_s is None else limit_of(self, LIMIT, limit_s)

    def close(self) -> None:
        """Let nobody stop it any more: neither a request nor its time limit."""
        self.run.live.pop(self.path, None)
        if self.limit is not None:
            self.limit.cancel()

    def event(self, kind: int, body: str, at: float | None = None) -> Event:
        """Move to the state after an event, which happens now or was `at` a time, and return the event."""
        self.state = state.advance(self.state, kind)
        return Event(kind, self.scope, self.segment, at or self.run.clock.now(), self.digest, body)


def at_once(step: Step) -> Event | None:
    """Return the result of a new step whose function ends without having waited for anything.

    This is the short way of most steps that only compute: no coroutine, no record of a start, no time limit
    that could matter. In all other cases `perform` goes on from where the function stands, `step.ahead`.
    """
    task = step.task
    function = task.function
    if function is None or task.policy is not DEFAULT or task.returns is not None or not is_async(function):
        return None
    now = step.run.clock.now
    step.begun_at = begun_at = now()
    try:
        rest: Coroutine[Any, Any, Any] = function()
        waits_for = rest.send(None)
    except StopIteration as end:
        found = end.value
    except BaseException as error:  # noqa: BLE001 - raised again where attempts are judged
        step.ahead = Ahead(error=error)
        return None
    else:
        step.ahead = Ahead(rest, waits_for)
        return None
    try:
        text, step.value = settle(found)
    except BaseException as error:  # noqa: BLE001 - as above
        step.ahead = Ahead(error=error)
        return None
    if step.is_interrupted:
        step.ahead = Ahead(value=found)
        return None
    step.close()
    step.state = state.SUCCEEDED
    ended_at = now()
    body = _told_at_once(task, text, ended_at - begun_at)
    return Event(ev.SUCCEEDED, step.scope, step.segment, ended_at, step.digest, body)


class Ahead:
    """What is left of a call that was begun by hand: the wait it is in and all behind it, or its end."""

    __slots__ = ("_error", "_rest", "_value", "_waits_for")

    def __init__(
        self,
        rest: Coroutine[Any, Any, Any] | None = None,
        waits_for: Any = None,
        *,
        value: Any = None,
        error: BaseException | None = None,
    ) -> None:
        self._rest = rest
        self._waits_for = waits_for
        self._value = value
        self._error = error

    def __await__(self) -> Generator[Any, Any, Any]:
        if self._error is not None:
            raise self._error
        rest, waits_for = self._rest, self._waits_for
        if rest is None:
            return self._value
        while True:
            try:
                yield waits_for
            except GeneratorExit:
                rest.close()
                raise
            except BaseException as error:  # noqa: BLE001 - it is for the function
                try:
                    waits_for = rest.throw(error)
                except StopIteration as end:
                    return end.value
            else:
                return (yield from rest.__await__())


def limit_of(step: Step, kind: str, limit_s: float | None) -> Timer | None:
    """Start the clock of a limit of time, if there is one; `kind` says which, for the one who is stopped."""
    if limit_s is None:
        return None
    why = Stop(kind, limit_s=limit_s)
    return step.run.clock.call_later(limit_s, lambda: step.stop(why))


def _told_at_once(task: Task, text: str, took_s: float) -> str:
    """Return the body of a result that has the start in it."""
    if not task.source and took_s < _NOTABLE_S:
        return f'{{"output":{text},{_plain_start(task.agent)[1:]}'
    fields: dict[str, Any] = {"agent": task.agent}
    if task.source:
        fields["source"] = task.source
    if took_s >= _NOTABLE_S:
        fields["took_s"] = round(took_s, 3)
    return f'{{"output":{text},{codec.encode(fields)[1:]}'


def start_body(step: Step) -> str:
    """Return the body of the event with which an attempt is begun."""
    task = step.task
    if step.attempt == 1 and not task.source:
        return _plain_start(task.agent)
    fields: dict[str, Any] = {"agent": task.agent}
    if step.attempt > 1:
        fields["attempt"] = step.attempt
    if task.source:
        fields["source"] = task.source
    return codec.encode(fields)


@lru_cache(maxsize=256)
def _plain_start(agent: str) -> str:
    return codec.encode({"agent": agent})


def is_async(function: Callable[[], Any]) -> bool:
    """Tell whether a function can be awaited on this loop; a sync one needs an agent's own thread."""
    code = getattr(getattr(function, "func", function), "__code__", None)
    return code is not None and bool(code.co_flags & CO_COROUTINE)

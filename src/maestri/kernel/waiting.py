"""Waits that outlive a process: for a time, for a signal, for a person.

Rule 1: what is waited for is a value at a path; once it is journaled, the wait is over for ever.
Rule 2: a message that nobody waits for stays in the mailbox, which is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.past import SLEEP, WAIT, WITH_SCOPE, cancelled_error, cancelled_fields, check, give_back
from maestri.kernel.path import join
from maestri.kernel.run import REQUEST, Live, RunCore, Stop, Waiter
from maestri.records import NamedTuple
from maestri.values import Json

# What a wait asks for: its verb, so that a replay tells one from another and from a step.
SLEEP_DIGEST: Final = codec.digest("sleep")
SIGNAL_DIGEST: Final = codec.digest("signal")
ASK_DIGEST: Final = codec.digest("ask")

OnTimeout: TypeAlias = Literal["fail", "skip", "default"]
TOO_LATE: Final = object()  # the value of a wait whose time was up
_MOMENT_S = 0.05


class Awaited(NamedTuple):
    """What is waited for.

    `key` is what a message is addressed to (`signal:NAME` or `answer:PATH`), `words` tell a person whom or
    what the run waits for, `fields` are more to show (a question, its options). `digest` is of the verb.
    `also` are more keys, for one who listens for several signals. `refuses` says what is wrong with a value.
    After `timeout_s` the wait fails, is skipped or gives the `default`, as `on_timeout` says.
    """

    key: str
    words: str
    digest: str
    fields: Mapping[str, Any] = {}
    also: tuple[str, ...] | None = None
    refuses: Callable[[Any], str] | None = None
    timeout_s: float | None = None
    on_timeout: OnTimeout = "fail"
    default: Json = None


class Wait(NamedTuple):
    """A wait at its place; every record of it bears the digest."""

    run: RunCore
    scope: str
    segment: str
    digest: str

    def append(self, kind: int, body: str) -> None:
        """Add a record of the wait, which rides with the next commit."""
        now = self.run.clock.now()
        self.run.journal.append(Event(kind, self.scope, self.segment, now, self.digest, body))


async def sleep(run: RunCore, scope: str, segment: str, known: Stored | None, delay_s: float) -> None:
    """Wait for a time that is journaled, or for what is left of it; cancellable by its path.

    Raises:
        StepCancelled: It was cancelled by request.
        StepChanged: The journal has something else at this place.
        ValueRefused: The time is not finite.
    """
    wait = Wait(run, scope, segment, SLEEP_DIGEST)
    if known is not None:
        is_time = type(known.body.get("value")) is float  # of earlier versions the digest does not tell
        check(run, known, SLEEP if is_time else WAIT, SLEEP_DIGEST)
        if known.kind != ev.DECIDED:
            give_back(known, None)
            return
    due = run.clock.now() + delay_s if known is None else known.body["value"]
    if known is None:
        wait.append(ev.DECIDED, codec.encode({"value": due}))
    rest_s = min(due - run.clock.now(), delay_s)  # a clock that was set back must not lengthen the wait
    if rest_s > 0:
        wait.append(ev.BLOCKED, codec.encode({"reason": "timer", "until": due}))
        await _under_way(wait, run.clock.sleep(rest_s))
    wait.append(ev.SUCCEEDED, '{"output":null}')


async def word(run: RunCore, scope: str, segment: str, known: Stored | None, what: Awaited) -> Any:
    """Wait for a message, and return its value or that on record; the run may be parked meanwhile.

    Raises:
        StepCancelled: It was cancelled by request.
        StepChanged: The journal has something else at this place.
    """
    if known is not None and (known.kind != ev.DECIDED or known.digest != what.digest):
        check(run, known, WAIT, what.digest)
        return give_back(known, None)
    return await hear(Wait(run, scope, segment, what.digest), what)


async def hear(wait: Wait, what: Awaited, due: float | None = None) -> Any:
    """Wait for a message, at the longest until `due` (seconds since 1970); then the value is `TOO_LATE`.

    Raises:
        StepCancelled: It was cancelled by request.
    """
    run, path = wait.run, join(wait.scope, wait.segment)
    until = {} if due is None else {"until": due}
    wait.append(ev.BLOCKED, codec.encode({"reason": what.words, **until, **what.fields}))
    heard = asyncio.get_running_loop().create_future()
    waiter = Waiter(path, what.digest, heard, what.refuses, what.also is not None)
    waits, keys = run.waits, (what.key, *(what.also or ()))
    for key in keys:
        waits.waiters.setdefault(key, []).append(waiter)
    waits.people[path] = what.words
    for key in keys if run.on_wait is not None else ():
        run.on_wait(key)  # type: ignore[misc]
    end = _passively(run) if due is None else _up_to(run, waiter, due)
    try:
        return await _under_way(wait, heard)
    finally:
        end()
        waits.people.pop(path, None)
        waits.answered.discard(path)
        for key in keys:
            waits.waiters[key].remove(waiter)


def _passively(run: RunCore) -> Callable[[], None]:
    """Count this asyncio task as one that only waits; returns how to stop."""
    run.waits.enter()
    return run.waits.leave


def _up_to(run: RunCore, waiter: Waiter, due: float) -> Callable[[], None]:
    """Let a wait end at a time; returns how to stop. A timer keeps the run busy."""

    def ring() -> None:
        if not waiter.heard.done() and waiter.path not in run.waits.answered:
            waiter.heard.set_result(TOO_LATE)

    def end() -> None:
        run.waits.timed -= 1
        timer.cancel()

    # What came in time may still lie in the mailbox when a run is resumed late.
    timer = run.clock.call_later(max(due - run.clock.now(), _MOMENT_S), ring)
    run.waits.timed += 1
    return end


async def _under_way(wait: Wait, ended: Awaitable[Any]) -> Any:
    run, path = wait.run, join(wait.scope, wait.segment)
    live = Live(asyncio.current_task(), is_scope=False)
    run.begin(path, live)
    try:
        return await ended
    except asyncio.CancelledError:
        if run.is_parking or path in run.waits.answered:
            raise
        if not live.take_back():
            wait.append(ev.CANCELLED, codec.encode({"reason": WITH_SCOPE}))
            raise
        words = (live.stopping or Stop(REQUEST)).words
        wait.append(ev.CANCELLED, codec.encode(cancelled_fields(words)))
        raise cancelled_error(path, words) from None
    finally:
        run.live.pop(path, None)

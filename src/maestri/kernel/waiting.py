"""Waits that outlive a process: for a time, for a signal, for a person.

Rule 1: what is waited for is a value at a path; once it is journaled, the wait is over for ever.
Rule 2: a message that nobody waits for stays in the mailbox, which is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.past import SLEEP, WAIT, WITH_SCOPE, cancelled_error, cancelled_fields, check, give_back
from maestri.kernel.path import join
from maestri.kernel.run import REQUEST, Live, RunCore, Stop, Waiter
from maestri.records import NamedTuple

# What a wait asks for: its verb, so that a replay tells one from another and from a step.
SLEEP_DIGEST: Final = codec.digest("sleep")
SIGNAL_DIGEST: Final = codec.digest("signal")
ASK_DIGEST: Final = codec.digest("ask")


class Awaited(NamedTuple):
    """What is waited for.

    `key` is what a message is addressed to (`signal:NAME` or `answer:PATH`), `words` tell a person whom or
    what the run waits for, `fields` are more to show (a question, its options). `digest` is of the verb.
    """

    key: str
    words: str
    digest: str
    fields: Mapping[str, Any] = {}


class _Wait(NamedTuple):
    """A wait at its place; every record of it bears the digest."""

    run: RunCore
    scope: str
    segment: str
    digest: str

    def append(self, kind: int, body: str) -> None:
        now = self.run.clock.now()
        self.run.journal.append(Event(kind, self.scope, self.segment, now, self.digest, body))


async def sleep(run: RunCore, scope: str, segment: str, known: Stored | None, delay_s: float) -> None:
    """Wait for a time that is journaled, or for what is left of it; cancellable by its path.

    Raises:
        StepCancelled: It was cancelled by request.
        StepChanged: The journal has something else at this place.
        ValueRefused: The time is not finite.
    """
    wait = _Wait(run, scope, segment, SLEEP_DIGEST)
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
    if known is not None:
        check(run, known, WAIT, what.digest)
        return give_back(known, None)
    wait = _Wait(run, scope, segment, what.digest)
    wait.append(ev.BLOCKED, codec.encode({"reason": what.words, **what.fields}))
    waits, path = run.waits, join(scope, segment)
    waiter = Waiter(path, what.digest, asyncio.get_running_loop().create_future())
    waits.waiters.setdefault(what.key, []).append(waiter)
    waits.people[path] = what.words
    if run.on_wait is not None:
        run.on_wait(what.key)
    waits.enter()
    try:
        return await _under_way(wait, waiter.heard)
    finally:
        waits.leave()
        waits.people.pop(path, None)
        waits.answered.discard(path)
        waits.waiters[what.key].remove(waiter)


async def _under_way(wait: _Wait, ended: Awaitable[Any]) -> Any:
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

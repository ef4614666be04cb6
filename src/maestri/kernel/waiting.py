"""Waits that outlive a process: for a time, for a signal, for a person.

Rule 1: what is waited for is a value at a path; once it is journaled, the wait is over for ever.
Rule 2: a message that nobody waits for stays in the mailbox, which is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from maestri.errors import StepCancelled
from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.past import WITH_SCOPE, replay_scope
from maestri.kernel.path import join
from maestri.kernel.run import Live, RunCore


class Awaited(NamedTuple):
    """What is waited for.

    `key` is what a message is addressed to (`signal:NAME` or `answer:PATH`), `words` tell a person whom or
    what the run waits for, `fields` are more to show (a question, its options).
    """

    key: str
    words: str
    fields: Mapping[str, Any] = {}


async def sleep(run: RunCore, scope: str, segment: str, known: Stored | None, delay_s: float) -> None:
    """Wait for a time that is journaled, or for what is left of it; cancellable by its path.

    Raises:
        StepCancelled: It was cancelled by request.
        ValueRefused: The time is not finite.
    """
    if known is not None and known.kind != ev.DECIDED:
        replay_scope(known, _ended)
        return
    due = run.clock.now() + delay_s if known is None else known.body["value"]
    if known is None:
        body = codec.encode({"value": due})
        run.journal.append(Event(ev.DECIDED, scope, segment, run.clock.now(), "", body))
    rest_s = min(due - run.clock.now(), delay_s)  # a clock that was set back must not lengthen the wait
    if rest_s <= 0:
        _ended(run, scope, segment)
        return
    body = codec.encode({"reason": "timer", "until": due})
    run.journal.append(Event(ev.BLOCKED, scope, segment, run.clock.now(), "", body))
    await _under_way(run, scope, segment, run.clock.sleep(rest_s))
    _ended(run, scope, segment)


def _ended(run: RunCore, scope: str, segment: str) -> None:
    run.journal.append(Event(ev.SUCCEEDED, scope, segment, run.clock.now(), "", '{"output":null}'))


async def word(run: RunCore, scope: str, segment: str, known: Stored | None, what: Awaited) -> Any:
    """Wait for a message, and return its value or that on record; the run may be parked meanwhile.

    Raises:
        StepCancelled: It was cancelled by request.
    """
    if known is not None:
        return replay_scope(known, _ended)
    path, key = join(scope, segment), what.key
    body = codec.encode({"reason": what.words, **what.fields})
    run.journal.append(Event(ev.BLOCKED, scope, segment, run.clock.now(), "", body))
    heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    waits = run.waits
    waits.signals.setdefault(key, []).append((path, heard))
    waits.people[path] = what.words
    if run.on_wait is not None:
        run.on_wait()
    waits.enter()
    try:
        return await _under_way(run, scope, segment, heard)
    finally:
        waits.leave()
        waits.people.pop(path, None)
        waits.answered.discard(path)
        waits.signals[key] = [entry for entry in waits.signals[key] if entry[1] is not heard]


async def _under_way(run: RunCore, scope: str, segment: str, wait: Any) -> Any:
    path = join(scope, segment)
    live = Live(asyncio.current_task(), is_scope=False)
    run.begin(path, live)
    try:
        return await wait
    except asyncio.CancelledError:
        if run.is_parking or path in run.waits.answered:
            raise
        ours = live.is_ours()
        reason = (live.reason or "request") if ours else WITH_SCOPE
        body = codec.encode({"reason": reason})
        run.journal.append(Event(ev.CANCELLED, scope, segment, run.clock.now(), "", body))
        if not ours:
            raise
        error = StepCancelled(f"`{path}` was cancelled: {reason}", path=path)
        error.origins = (path,)
        raise error from None
    finally:
        run.live.pop(path, None)

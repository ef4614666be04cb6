"""Waits that outlive a process: for a time, for a signal, for a person.

Rule 1: what is waited for is a value at a path; once it is journaled, the wait is over for ever.
Rule 2: a message that nobody waits for stays in the mailbox, which is durable.
"""

from __future__ import annotations

import asyncio
from typing import Any

from maestri.errors import StepCancelled
from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.past import WITH_SCOPE
from maestri.kernel.path import join
from maestri.kernel.run import RunCore


async def until(run: RunCore, scope: str, segment: str, due: float) -> None:
    """Wait until a time in seconds since 1970; cancellable by its path.

    Raises:
        StepCancelled: It was cancelled by request.
    """
    rest_s = due - run.clock.now()
    if rest_s <= 0:
        _ended(run, scope, segment)
        return
    body = codec.encode({"reason": "timer", "until": due})
    run.journal.append(Event(ev.BLOCKED, scope, segment, run.clock.now(), "", body))
    await _under_way(run, scope, segment, run.clock.sleep(rest_s))
    _ended(run, scope, segment)


def _ended(run: RunCore, scope: str, segment: str) -> None:
    run.journal.append(Event(ev.SUCCEEDED, scope, segment, run.clock.now(), "", '{"output":null}'))


async def word(run: RunCore, scope: str, segment: str, key: str, what: str, fields: dict[str, Any]) -> Any:
    """Wait for a message under a key and return its value; the run may be parked meanwhile.

    Args:
        run: The run.
        scope: The scope of the wait.
        segment: Its claimed segment.
        key: What a message is addressed to: `signal:NAME` or `answer:PATH`.
        what: Whom or what it waits for, in words.
        fields: More to show of the wait (a question, its options).

    Raises:
        StepCancelled: It was cancelled by request.
    """
    path = join(scope, segment)
    body = codec.encode({"reason": what, **fields})
    run.journal.append(Event(ev.BLOCKED, scope, segment, run.clock.now(), "", body))
    heard: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    waits = run.waits
    waits.signals.setdefault(key, []).append((path, heard))
    waits.people[path] = what
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
    live = run.begin(path, is_scope=False)
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

"""Words within a run, and words that come in time or too late: time limits of waits, events, `emit`.

Rule 1: what an event said is the record of the step that took it, in the transaction that takes the message.
Rule 2: an emitted event goes through the mailbox of the run, like a word from outside; so it waits there for
whoever asks for it later, and is delivered once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from maestri.errors import Timeout, to_failure
from maestri.kernel import attempts, codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.past import Verb, check, give_back
from maestri.kernel.path import join
from maestri.kernel.ports import Message
from maestri.kernel.run import RunCore
from maestri.kernel.waiting import TOO_LATE, Awaited, Wait, hear
from maestri.values import Json

ANY_SIGNAL: Final = "signal:*"
EVENT_DIGEST: Final = codec.digest("event")
_WAIT_KINDS = frozenset({ev.SUCCEEDED, ev.FAILED, ev.SKIPPED, ev.CANCELLED, ev.DECIDED})
_LIMITED: Final = Verb("a wait with a time limit", _WAIT_KINDS)
_EVENT: Final = Verb("a wait for events", frozenset({ev.SUCCEEDED, ev.CANCELLED}))
_EMIT: Final = Verb("an event that is emitted", frozenset({ev.SUCCEEDED}))


async def limited(run: RunCore, scope: str, segment: str, known: Stored | None, what: Awaited) -> Any:
    """Wait for a message up to a time, which is journaled: a resume waits for what is left of it.

    Raises:
        Timeout: The time was up, and `on_timeout` says `fail`.
        StepCancelled: It was cancelled by request.
        StepChanged: The journal has something else at this place.
    """
    wait, due = Wait(run, scope, segment, what.digest), run.clock.now() + (what.timeout_s or 0.0)
    if known is not None:
        check(run, known, _LIMITED, what.digest)
        if known.kind != ev.DECIDED:
            return give_back(known, None)
        due = min(due, known.body["value"])  # a clock that was set back must not lengthen the wait
    else:
        wait.append(ev.DECIDED, codec.encode({"value": due}))
    found = await hear(wait, what, due)
    return await _end_late(wait, what) if found is TOO_LATE else found


async def _end_late(wait: Wait, what: Awaited) -> Any:
    """Record what becomes of a wait whose time was up.

    Raises:
        Timeout: It fails.
    """
    if what.on_timeout == "skip":
        wait.append(ev.SKIPPED, '{"reason":"timeout"}')
        return None
    if what.on_timeout == "default":
        text, value = codec.settle(what.default)
        wait.append(ev.SUCCEEDED, f'{{"output":{text}}}')
        return value
    path = join(wait.scope, wait.segment)
    message = f"nothing came within {what.timeout_s:g} s: {what.words}"
    fix = "resume the run to wait as long again; or say `on_timeout`, or raise `timeout`"
    error = Timeout(message, path=path, fix=fix)
    error.origins = (path,)
    error.run = wait.run.info.name
    body = codec.encode({"failure": to_failure(error).as_json()})
    now = wait.run.clock.now()
    event = Event(ev.FAILED, wait.scope, wait.segment, now, wait.digest, body)
    await attempts.store_failure(wait.run, event)
    raise error


async def event(
    run: RunCore,
    scope: str,
    segment: str,
    known: Stored | None,
    names: Sequence[str],
    due: float | None,
) -> Any:
    """Wait for any of several signals; return its `name` and `data`, or None when nothing came in time.

    Args:
        run: The run.
        scope: Where the step is.
        segment: Its place there.
        known: What is on record of it.
        names: The signals; none stands for every one that nobody else waits for.
        due: Until when, in seconds since 1970.

    Raises:
        StepCancelled: It was cancelled by request.
        StepChanged: The journal has something else at this place.
    """
    if known is not None:
        check(run, known, _EVENT, EVENT_DIGEST)
        return give_back(known, None)
    key, *also = [f"signal:{name}" for name in names] or [ANY_SIGNAL]
    words = f"one of the signals {', '.join(f'`{name}`' for name in names)}" if names else "any signal"
    wait = Wait(run, scope, segment, EVENT_DIGEST)
    fields = {"signals": list(names)} if names else {}
    found = await hear(wait, Awaited(key, words, EVENT_DIGEST, fields, tuple(also)), due)
    if found is not TOO_LATE:
        return found
    wait.append(ev.SUCCEEDED, '{"output":null}')
    return None


async def emit(
    run: RunCore, scope: str, segment: str, known: Stored | None, name: str, data: Json, digest: str
) -> dict[str, Any]:
    """Give an event to whoever in this run waits for the signal of that name, now or later, once.

    Raises:
        StepChanged: The journal has something else at this place.
        ValueRefused: The data do not survive JSON.
    """
    if known is not None:
        check(run, known, _EMIT, digest)
        return give_back(known, None)  # type: ignore[no-any-return]
    path = join(scope, segment)
    text, value = codec.settle({"name": name, "data": data})
    # The same message when it is posted again after a crash: the mailbox takes each id once.
    message_id = f"emit-{codec.digest(path)}"
    run.post(Message(message_id, "signal", {"name": name, "value": value["data"]}))
    done = Event(ev.SUCCEEDED, scope, segment, run.clock.now(), digest, f'{{"output":{text}}}')
    await run.journal.commit(done)
    return value  # type: ignore[no-any-return]

"""What comes in from outside while a run is executed: cancel, signals, answers, decisions by hand.

Rule: a message is recorded in the transaction that takes it, once; then it is acted upon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from maestri.errors import PathNotFound
from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.path import ROOT, RUN, ancestors, parent
from maestri.kernel.ports import Clock, Engine, Journal, Message
from maestri.kernel.run import RunCore

_ENDS = ev.STEP_ENDS | ev.SCOPE_ENDS
_SUCCESSES = frozenset({ev.SUCCEEDED, ev.SEALED})


class Mail:
    """Takes the messages of one run in, as they arrive."""

    def __init__(self, core: RunCore, engine: Engine, on_failure: Callable[[BaseException], None]) -> None:
        """Listen for the run of `core`; `on_failure` hears of a message that could not be taken in."""
        self._core = core
        self._engine = engine
        self._on_failure = on_failure
        self._stop: Callable[[], None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._again = False

    async def open(self) -> None:
        """Take in what is there, and from now on what comes."""
        self._stop = self._engine.on_mail(self._core.info.id, self._heard)
        self._core.on_wait = self._heard
        if self._core.is_resumed:
            self._heard()

    @property
    def is_busy(self) -> bool:
        """Whether messages are being taken in at this moment."""
        return self._reading is not None and not self._reading.done()

    async def close(self) -> None:
        """Stop listening; what has not been taken stays in the mailbox."""
        if self._stop is not None:
            self._stop()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _heard(self) -> None:
        if self.is_busy:
            self._again = True
            return
        self._reading = asyncio.get_running_loop().create_task(self._read())
        self._reading.add_done_callback(self._has_read)

    def _has_read(self, reading: asyncio.Task[None]) -> None:
        if not reading.cancelled() and (error := reading.exception()) is not None:
            self._on_failure(error)  # whoever waits for the word would wait for ever
        self._core.waits.check_idle()

    async def _read(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            for message in await self._core.journal.messages():
                await self._take(message)

    async def _take(self, message: Message) -> None:
        core = self._core
        data = message.data
        if message.verb == "cancel":
            path = data.get("path") or ROOT
            body = codec.encode({"path": path, "id": message.id, "by": data.get("by", "")})
            await core.journal.take(message, self._event(ev.CANCEL_REQUESTED, RUN, "", body))
            core.on_wake()
            self._cancel(path, str(data.get("by") or "request"))
        elif message.verb in {"signal", "answer"}:
            await self._deliver(message)
        else:
            body = codec.encode({"verb": message.verb, "id": message.id, **data})
            await core.journal.take(message, self._event(ev.DIRECTED, RUN, "", body))

    def _cancel(self, path: str, reason: str) -> None:
        try:
            self._core.cancel(path, reason)
        except PathNotFound:
            return  # it ended while the message was under way; the request is on record

    async def _deliver(self, message: Message) -> None:
        """Give a word to the one who has waited for it longest; if nobody does, leave it where it is."""
        core = self._core
        data = message.data
        key = f"{message.verb}:{data.get('name') or data.get('path')}"
        waiting = [(path, f) for path, f in core.waits.signals.get(key, ()) if not f.done()]
        if not waiting:
            return
        path, heard = waiting[0]
        scope, segment = parent(path)
        text, value = codec.settle(data.get("value"))
        event = self._event(ev.SUCCEEDED, scope, segment, f'{{"output":{text}}}')
        core.on_wake()
        core.live.pop(path, None)  # from here on nobody can stop it any more
        core.waits.answered.add(path)
        await core.journal.take(message, event)
        if not heard.done():
            heard.set_result(value)

    def _event(self, kind: int, scope: str, name: str, body: str) -> Event:
        return Event(kind, scope, name, self._core.clock.now(), "", body)


async def apply_directions(journal: Journal, clock: Clock, history: Sequence[Stored]) -> Sequence[Stored]:
    """Carry out what people decided about steps while the run was under way; returns the history after it."""
    pending = [
        event.body
        for event in history
        if event.kind == ev.DIRECTED and "id" in event.body and not _is_applied(event, history)
    ]
    for body in pending:
        try:
            end = await failed_end(journal, body["path"], history)
        except PathNotFound:
            continue  # the step has not ended, so there was nothing to decide
        await direct(journal, clock, body["verb"], end, body.get("output"))
    return await journal.settled(RUN) if pending else history


def _is_applied(direction: Stored, history: Sequence[Stored]) -> bool:
    path = direction.body["path"]
    return any(
        e.kind == ev.DIRECTED and e.seq > direction.seq and e.body["path"] == path and "id" not in e.body
        for e in history
    )


async def failed_end(journal: Journal, path: str, history: Sequence[Stored]) -> Stored:
    """Return how a step or scope ended that did not succeed, or was taken back since.

    Raises:
        PathNotFound: It has not ended, or it has succeeded.
    """
    scope, segment = parent(path)
    reopened_at = {p: e.seq for e in history if e.kind == ev.RUN_REOPENED for p in e.body["paths"]}
    ends = [e for e in await journal.settled(scope) if e.name == segment and e.kind in _ENDS]
    if ends and (ends[-1].kind not in _SUCCESSES or ends[-1].seq < reopened_at.get(path, 0)):
        return ends[-1]
    what = "has succeeded" if ends else "has not ended"
    message = f"`{path}` {what} in this run"
    fix = f"give the path of a step that has failed; `maestri show {journal.info.name}` lists them"
    raise PathNotFound(message, fix=fix, run=journal.info.name, path=path)


async def direct(journal: Journal, clock: Clock, verb: str, end: Stored, output: Any) -> None:
    """Record what a person has decided about a step or scope that ended like this.

    A scope that is to be retried is reopened together with what it failed of.
    """
    scope, segment, path, now = end.scope, end.name, end.path, clock.now()
    fields = {"verb": verb, "path": path, **({"output": output} if verb == "accept" else {})}
    journal.append(Event(ev.DIRECTED, RUN, "", now, "", codec.encode(fields)))
    failed_of = end.body.get("because", ()) if verb == "retry" else ()
    above = [p for one in (path, *failed_of) for p in (*ancestors(one), one) if p != ROOT]
    taken_back = list(dict.fromkeys(above))
    await journal.commit(Event(ev.RUN_REOPENED, RUN, "", now, "", codec.encode({"paths": taken_back})))
    if verb == "accept":
        body = codec.encode({"output": output})
        await journal.commit(Event(ev.SUCCEEDED, scope, segment, now, "", body))
    elif verb == "skip":
        await journal.commit(Event(ev.SKIPPED, scope, segment, now, "", codec.encode({"reason": "by-hand"})))

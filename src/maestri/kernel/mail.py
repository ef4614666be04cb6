"""What comes in from outside while a run is executed: cancel, signals, answers, decisions by hand.

Rule 1: a message is recorded in the transaction that takes it, once; then it is acted upon.
Rule 2: nothing in a message is trusted: one that is not what its verb asks for is recorded as refused, and
does not stand in the way of the others.
Rule 3: a run that is being left takes nothing; the message waits in the mailbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from maestri.errors import PathNotFound, UsageError, ValueRefused
from maestri.kernel import codec, reports
from maestri.kernel import events as ev
from maestri.kernel.directions import VERBS
from maestri.kernel.events import Event
from maestri.kernel.path import ROOT, RUN, parent, parse
from maestri.kernel.ports import Clock, Engine, Journal, Message
from maestri.kernel.run import REQUEST, UNWINDING, RunCore, Waiter
from maestri.records import NamedTuple

CANCEL: Final = "cancel"
_LONGEST = 200  # characters of a refused message that are kept


class Word(NamedTuple):
    """A message that is what its verb asks for.

    `place` is the path that it is about, or the name of a signal; `value` is JSON text, `words` say who, or
    which blocker is meant.
    """

    verb: str
    place: str
    value: str = "null"
    words: str = ""

    @property
    def key(self) -> str:
        """What somebody must wait for to get it; empty for what nobody waits for."""
        return f"{self.verb}:{self.place}" if self.verb in {"signal", "answer"} else ""


def read(message: Message) -> Word:
    """Return what a message says.

    Raises:
        UsageError: It is not what its verb asks for, or its verb is not known.
        ValueRefused: Its value does not survive JSON.
    """
    verb, data = message.verb, message.data
    if verb == CANCEL:
        words = data.get("by")
        return Word(verb, parse(_text(data, "path", ROOT)), words=words if isinstance(words, str) else "")
    if verb == "signal":
        return Word(verb, _text(data, "name"), codec.encode(data.get("value")))
    if verb == "answer":
        return Word(verb, parse(_text(data, "path")), codec.encode(data.get("value")))
    if verb == reports.UNBLOCK:
        note, hold = data.get("note"), data.get("hold")
        said, wanted = (one if isinstance(one, str) else "" for one in (note, hold))
        return Word(verb, parse(_text(data, "path")), codec.encode(said), words=wanted)
    if verb not in VERBS:
        message_text = f"`{verb[:_LONGEST]}` is no verb of a message"
        raise UsageError(message_text, fix="use cancel, signal, answer, unblock, retry, skip or accept")
    return Word(verb, parse(_text(data, "path")), codec.encode(data.get("output")))


def _text(data: Any, field: str, otherwise: str = "") -> str:
    found = data.get(field) or otherwise
    if not isinstance(found, str) or not found:
        message = f"the message has no text as its `{field}`"
        raise UsageError(message, fix=f"give `{field}`")
    return found


def request(clock: Clock, path: str, words: str = "", **more: Any) -> Event:
    """Return the record of a request to cancel."""
    fields = {"path": path, **more, "by": words or REQUEST}
    return Event(ev.CANCEL_REQUESTED, RUN, "", clock.now(), "", codec.encode(fields))


class Mail:
    """Takes the messages of one run in, as they arrive."""

    def __init__(self, core: RunCore, engine: Engine, on_failure: Callable[[BaseException], None]) -> None:
        """Listen for the run of `core`; `on_failure` hears of it when the engine takes nothing more."""
        self._core = core
        self._engine = engine
        self._on_failure = on_failure
        self._stop: Callable[[], None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._again = False
        self._left: dict[str, str] = {}  # messages that nobody waits for yet: what for, by their ids

    async def open(self) -> None:
        """Take in what is there, and from now on what comes."""
        self._stop = self._engine.on_mail(self._core.info.id, self._heard)
        self._core.on_wait = self._awaited
        self._core.post = self._post
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

    def _post(self, message: Message) -> None:
        """Put a word of the run itself into its mailbox; it is stored when this returns."""
        self._engine.post(self._core.info.id, message)
        self._heard()  # at once: the run must not be parked before it has heard of it

    def _awaited(self, key: str) -> None:
        """Somebody waits for a message: look again at those that nobody waited for."""
        self._left = {one: other for one, other in self._left.items() if key not in (other, _any_like(other))}
        self._heard()

    def _heard(self) -> None:
        if self._core.phase == UNWINDING:
            return
        if self.is_busy:
            self._again = True
            return
        self._reading = asyncio.get_running_loop().create_task(self._read())
        self._reading.add_done_callback(self._has_read)

    def _has_read(self, reading: asyncio.Task[None]) -> None:
        if reading is self._reading:
            self._reading = None  # a task that has ended is not to be kept in each of thousands of runs
        if not reading.cancelled() and (error := reading.exception()) is not None:
            self._on_failure(error)  # whoever waits for the word would wait for ever
        self._core.waits.check_idle()

    async def _read(self) -> None:
        """Take page after page, so that what nobody waits for does not hide what comes behind it."""
        self._again = True
        while self._again:
            self._again = False
            while page := await self._core.journal.messages(self._left):
                for message in page:
                    if self._core.phase == UNWINDING:
                        return
                    await self._take(message)

    async def _take(self, message: Message) -> None:
        core = self._core
        try:
            word = read(message)
        except (UsageError, ValueRefused) as error:
            fields = {"verb": message.verb[:_LONGEST], "path": "", "id": message.id}
            refused = {**fields, "refused": error.message[:_LONGEST]}
            await core.journal.take(message, self._event(ev.DIRECTED, codec.encode(refused)))
            return
        if word.verb == CANCEL:
            await core.journal.take(message, request(core.clock, word.place, word.words, id=message.id))
            core.on_wake()
            self._cancel(word)
        elif word.verb == reports.UNBLOCK:
            note = codec.decode(word.value)
            if not await reports.unblock(core, message, word.place, note, word.words):
                self._left[message.id] = reports.key_of(word.place)
        elif word.key:
            await self._deliver(message, word)
        else:
            body = codec.encode({"verb": word.verb, "path": word.place, "id": message.id})
            if word.verb == "accept":
                body = f'{body[:-1]},"output":{word.value}}}'
            await core.journal.take(message, self._event(ev.DIRECTED, body))

    def _cancel(self, word: Word) -> None:
        try:
            self._core.cancel(word.place, word.words)
        except PathNotFound:
            return  # it ended while the message was under way; the request is on record

    async def _deliver(self, message: Message, word: Word) -> None:
        """Give a word to the one who has waited for it longest; if nobody does, leave it where it is."""
        core = self._core
        waiters = core.waits.waiters
        waiting = (*waiters.get(word.key, ()), *waiters.get(_any_like(word.key), ()))
        waiter = next((one for one in waiting if not one.heard.done()), None)
        if waiter is None:
            self._left[message.id] = word.key
            for hear in core.waits.strays if word.verb == "signal" else ():
                hear(message.id, word.place, codec.decode(word.value))
            return
        refused = waiter.refuses(codec.decode(word.value)) if waiter.refuses is not None else ""
        if refused:
            fields = {"verb": word.verb, "path": waiter.path, "id": message.id}
            body = codec.encode({**fields, "refused": refused[:_LONGEST]})
            await core.journal.take(message, self._event(ev.DIRECTED, body))
            return
        word = _said_to(waiter, word)
        core.on_wake()
        live = core.live.pop(waiter.path, None)  # from here on nobody can stop it any more
        core.waits.answered.add(waiter.path)
        try:
            await core.journal.take(message, _answered(core.clock, waiter, word))
        except BaseException:
            core.waits.answered.discard(waiter.path)
            if live is not None and not waiter.heard.done():
                core.live[waiter.path] = live
            raise
        if not waiter.heard.done():
            waiter.heard.set_result(codec.decode(word.value))

    def _event(self, kind: int, body: str) -> Event:
        return Event(kind, RUN, "", self._core.clock.now(), "", body)


def _any_like(key: str) -> str:
    """Return the key of whoever waits for anything of this kind, whatever its name."""
    return f"{key.partition(':')[0]}:*"


def _said_to(waiter: Waiter, word: Word) -> Word:
    """Return a word as its waiter takes it: one who listens for several signals wants to know which."""
    if not waiter.is_listener:
        return word
    return word._replace(value=f'{{"name":{codec.encode(word.place)},"data":{word.value}}}')


def _answered(clock: Clock, waiter: Waiter, word: Word) -> Event:
    scope, segment = parent(waiter.path)
    body = f'{{"output":{word.value}}}'
    return Event(ev.SUCCEEDED, scope, segment, clock.now(), waiter.digest, body)


async def drop_stale(journal: Journal, clock: Clock) -> None:
    """Record the requests to cancel that came too late: the run had ended, and is being reopened."""
    seen: set[str] = set()
    while page := await journal.messages(seen):
        for message in page:
            seen.add(message.id)
            if message.verb == CANCEL:
                words = message.data.get("by")
                by = words if isinstance(words, str) else ""
                await journal.take(message, request(clock, ROOT, by, id=message.id, stale=True))

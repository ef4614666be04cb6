"""What a step says of itself from inside: reports, and blockers that hold it until they are settled.

Rule 1: a report is recorded once, in the transaction that takes it, and before the end of its step.
Rule 2: a step that has reported a blocker neither completes, nor begins again after a restart, before that is
settled: by a person, or by the step itself.
Rule 3: where its process has ended well meanwhile, the result is on record beside the blocker: it is not done
again.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from maestri.kernel import codec, state
from maestri.kernel import events as ev
from maestri.kernel.events import Event, Stored
from maestri.kernel.holds import Hold
from maestri.kernel.inside import BLOCKED, UNBLOCKED, Left, Report, StepLog, StepMailbox
from maestri.kernel.path import RUN, parent
from maestri.kernel.ports import Answer, Engine, Message, Notice
from maestri.kernel.run import UNWINDING, RunCore
from maestri.kernel.step import Step

UNBLOCK: Final = "unblock"  # the verb of a message
BY_STEP: Final = "step"
_PAGE: Final = 1000  # events
_MOVES = frozenset({ev.STARTED, ev.RETRIED, *ev.STEP_ENDS})


def key_of(path: str) -> str:
    """Return what a word about the blockers of a step is addressed to."""
    return f"{UNBLOCK}:{path}"


async def performed(step: Step, beat: Callable[[], None]) -> Answer:
    """Make an attempt by whoever the dispatcher finds; its processes may report meanwhile."""
    run, path, number = step.run, step.path, step.attempt
    services = run.services
    log = services.open_log(run.info.id, path, number)
    attempt = run.attempt(path, number, beat, log)._replace(record=partial(_record, step))
    listener = _Listener(step, log)
    if services.mailboxes is not None:
        attempt = attempt._replace(mailbox=listener)
    try:
        return await services.dispatcher.perform(step.task, attempt)
    finally:
        listener.close()
        log.close()


def _record(step: Step, what: str, text: str, data: Any) -> None:
    """Put a fact about an attempt into the journal; it rides with the next commit."""
    if step.run.phase != UNWINDING:
        step.run.journal.append(_reported(step.run, step.path, Report("", what, text, data), step.attempt))


class _Listener:
    """Records what the processes of one attempt report; its mailbox is opened when an agent asks for it."""

    def __init__(self, step: Step, log: StepLog) -> None:
        self._step = step
        self._log = log
        self._opened: StepMailbox | None = None

    @property
    def place(self) -> str:
        return self._mailbox.place

    @property
    def command(self) -> str:
        return self._mailbox.command

    def begin(self) -> None:
        self._mailbox.begin()

    def make(self) -> None:
        self._mailbox.make()

    def tell(self, reports: Sequence[str], note: str) -> None:
        self._mailbox.tell(reports, note)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _mailbox(self) -> StepMailbox:
        if self._opened is None:
            step, run = self._step, self._step.run
            settled = run.waits.settled.pop(step.path, ())
            mailboxes = run.services.mailboxes()  # type: ignore[misc]  # there are some, else it is not asked
            self._opened = mailboxes.open(run.info.id, step.path, step.attempt, self.hear, settled)
        return self._opened

    def hear(self, report: Report) -> Awaitable[None] | None:
        step, run = self._step, self._step.run
        if run.phase == UNWINDING:
            return None
        hold = run.waits.holds.get(step.path)
        if report.what == BLOCKED:
            self._hold(report.id, report.text)
            event = step.event(ev.HELD, _held_body(report, step.attempt))
        elif report.what == UNBLOCKED and hold is not None:
            del run.waits.holds[step.path]
            event = step.event(ev.RELEASED, _fields(note=report.text, by=BY_STEP, id=report.id))
        else:
            hold, event = None, _reported(run, step.path, report, step.attempt)
        stored = asyncio.ensure_future(run.journal.take(Message(report.id, "report", {}), event))
        self._show(report.words)
        if report.what == BLOCKED:
            _look_again(run, step.path)
        elif hold is not None:
            stored.add_done_callback(partial(_tell, hold, report.text))
        return stored

    def _show(self, words: str) -> None:
        run, path = self._step.run, self._step.path
        run.services.notice(run.info.id, Notice(path, "progress", words))
        with suppress(OSError):  # no room: the journal has it, and says so louder
            self._log(words.encode(errors="replace") + b"\n", "report")

    def _hold(self, report: str, reason: str) -> None:
        holds, path = self._step.run.waits.holds, self._step.path
        hold = holds.setdefault(path, Hold(reason))
        hold.take(report, reason)
        hold.tell = self.tell


def _tell(hold: Hold, note: str, stored: Future[None]) -> None:
    """Tell the processes of a step that its blockers are settled, now that this is on record."""
    if hold.tell is not None and not stored.cancelled() and stored.exception() is None:
        hold.tell(hold.ids, note)


def _look_again(run: RunCore, path: str) -> None:
    """Have words looked at that came before anybody waited for them."""
    if run.on_wait is not None:
        run.on_wait(key_of(path))


def _reported(run: RunCore, path: str, report: Report, attempt: int) -> Event:
    scope, segment = parent(path)
    more = {} if report.data is None else {"data": report.data}
    body = _fields(what=report.what, text=report.text, **more, attempt=attempt, id=report.id)
    return Event(ev.REPORTED, scope, segment, run.clock.now(), "", body)


def _held_body(report: Report, attempt: int) -> str:
    more = {} if report.data is None else {"data": report.data}
    return _fields(reason=report.text, **more, attempt=attempt, id=report.id)


def _fields(**fields: Any) -> str:
    return codec.encode({key: value for key, value in fields.items() if value != ""})


async def until_released(step: Step, body: str) -> None:
    """Keep a step from completing while a blocker holds it; `body` is that of the success which waits."""
    hold = step.run.waits.holds.get(step.path)
    if hold is None:
        return
    fields = codec.encode({"reason": hold.reason, "attempt": step.attempt, "id": hold.ids[-1]})
    await step.run.journal.commit(step.event(ev.HELD, f'{fields[:-1]},"result":{body}}}'))
    hold.tell = None  # its processes have ended
    await _wait(step, hold)


async def _wait(step: Step, hold: Hold) -> None:
    """Wait until a blocker is settled; the run may be parked meanwhile."""
    waits, path = step.run.waits, step.path
    if waits.holds.get(path) is not hold:
        return  # settled while its result was being stored
    hold.released = asyncio.get_running_loop().create_future()
    waits.people[path] = hold.reason
    waits.enter()
    try:
        await hold.released
    finally:
        waits.leave()
        waits.people.pop(path, None)
        waits.answered.discard(path)
        if waits.holds.get(path) is hold:
            del waits.holds[path]


async def take_up(step: Step, held: Sequence[Stored]) -> str | None:
    """Take up a step that had reported blockers when its run was left: wait while one holds it.

    Returns:
        The body of its success, where it had ended well; None where it has to begin again.
    """
    if held[-1].digest not in {"", step.digest}:
        return None  # it asks for something else now
    last = next(event for event in reversed(held) if event.kind == ev.HELD)
    if held[-1].kind == ev.HELD:
        hold = step.run.waits.holds[step.path] = Hold(last.body.get("reason", ""))
        for event in _open(held):
            hold.take(event.body["id"], event.body.get("reason", ""))
        body = _fields(reason=hold.reason, hold=hold.ids[-1])
        step.run.journal.append(step.event(ev.BLOCKED, body))
        _look_again(step.run, step.path)
        await _wait(step, hold)
        settled = [*_settled(held), *((one.body.get("reason", ""), hold.note) for one in _open(held))]
    else:
        settled = _settled(held)
    if "result" in last.body:
        step.state = state.RUNNING  # as it was when it ended well
        return codec.encode(last.body["result"])
    step.run.waits.settled[step.path] = settled
    return None


def _open(held: Sequence[Stored]) -> list[Stored]:
    """Return the blockers that nobody has settled."""
    found: list[Stored] = []
    for event in held:
        found = [*found, event] if event.kind == ev.HELD else []
    return found


def _settled(held: Sequence[Stored]) -> list[tuple[str, str]]:
    """Return the blockers that were settled, each with the note about it."""
    found: list[tuple[str, str]] = []
    reasons: list[str] = []
    for event in held:
        if event.kind == ev.HELD:
            reasons.append(event.body.get("reason", ""))
            continue
        found += [(reason, event.body.get("note", "")) for reason in reasons]
        reasons.clear()
    return found


async def unblock(run: RunCore, message: Message, path: str, note: str, wanted: str) -> bool:
    """Settle the blockers of a step, on the record; returns whether anything was held there.

    Args:
        run: The run.
        message: The word that asks for it.
        path: The step.
        note: What is said to the step.
        wanted: The id of the blocker that is meant, if one is: a word must not settle a later one.
    """
    hold = run.waits.holds.get(path)
    if hold is None:
        return False
    if wanted and wanted not in hold.ids:
        why = "its blocker was settled before"
        fields = {"verb": UNBLOCK, "path": path, "id": message.id, "refused": why}
        await run.journal.take(
            message, Event(ev.DIRECTED, RUN, "", run.clock.now(), "", codec.encode(fields))
        )
        return True
    step = run.live.get(path)
    if not isinstance(step, Step):
        return False
    run.on_wake()
    hold.note = note
    del run.waits.holds[path]
    if hold.released is not None:
        run.waits.answered.add(path)  # until the step goes on, the run must not be parked
    await run.journal.take(message, step.event(ev.RELEASED, _fields(note=note, id=message.id)))
    if hold.tell is not None:
        hold.tell(hold.ids, note)
    if hold.released is not None and not hold.released.done():
        hold.released.set_result(None)
    return True


async def take_left(run: RunCore, engine: Engine) -> None:
    """Take in what steps had reported when the process that executed the run was killed."""
    mailboxes = run.services.mailboxes
    begun = _begun(engine, run.info.id)
    for left in mailboxes().left(run.info.id, begun) if mailboxes is not None else ():
        await _take_left(run, engine, left)
        left.remove()


def _begun(engine: Engine, run_id: str) -> Iterator[str]:
    """Yield the steps that were begun, the last ones first: of a long journal mostly its end is read."""
    reader = engine.read(run_id)
    try:
        after = reader.last_seq()
        while after > 0:
            after, end = max(0, after - _PAGE), after
            found = reader.events(after, end - after)
            yield from dict.fromkeys(event.path for event in reversed(found) if event.kind == ev.STARTED)
    finally:
        reader.close()


async def _take_left(run: RunCore, engine: Engine, left: Left) -> None:
    reader = engine.read(run.info.id)
    try:
        own = reader.step(left.path)
    finally:
        reader.close()
    moves = [event for event in own if event.kind in _MOVES]
    is_open = moves[-1].kind == ev.STARTED and moves[-1].body.get("attempt", 1) == left.attempt
    is_held = [event.kind for event in own if event.kind in {ev.HELD, ev.RELEASED}][-1:] == [ev.HELD]
    scope, segment = parent(left.path)
    for report in left.reports:
        event = _reported(run, left.path, report, left.attempt)
        if is_open and report.what == BLOCKED:
            is_held = True
            event = event._replace(kind=ev.HELD, body=_held_body(report, left.attempt))
        elif is_open and is_held and report.what == UNBLOCKED:
            is_held = False
            body = _fields(note=report.text, by=BY_STEP, id=report.id)
            event = Event(ev.RELEASED, scope, segment, event.at, "", body)
        await run.journal.take(Message(report.id, "report", {}), event)

"""What every engine promises, as checks that can fail: run them against an engine of your own.

    from maestri.testing.check_engine import ENGINE_CHECKS, check_engine

    asyncio.run(check_engine(make))                       # all of them, or, with pytest:

    @pytest.mark.parametrize("check", ENGINE_CHECKS)
    def test_my_engine_keeps_its_promises(check): asyncio.run(check(make))

`make()` opens the engine, each time on the same store: that is how a check reopens it.

Rule 1: a check uses runs of its own, so that all of them may share one store.
Rule 2: a check that fails raises AssertionError with the promise in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, closing
from typing import Any

from maestri.errors import EngineError, MaestriError, RunInUse, RunNotFound, StaleOwner
from maestri.kernel import events as ev
from maestri.kernel.codec import encode
from maestri.kernel.events import Event, Stored
from maestri.kernel.path import ROOT, RUN
from maestri.kernel.ports import Engine, Journal, Message, RunInfo

MakeEngine = Callable[[], AbstractAsyncContextManager[Engine]]
Check = Callable[[MakeEngine], Coroutine[Any, Any, None]]


def _expect(holds: bool, promise: str, found: object = "") -> None:
    if not holds:
        raise AssertionError(f"{promise}; found {found!r}" if found != "" else promise)


async def _refused(error: type[MaestriError], attempt: Awaitable[Any], promise: str) -> None:
    try:
        await attempt
    except error:
        return
    raise AssertionError(promise)


def _info(run_id: str, created: float = 1000.0) -> RunInfo:
    return RunInfo(run_id, f"name-{run_id}", "flow", "/somewhere", created, 0)


def _event(kind: int, name: str = "", scope: str = ROOT, at: float = 1001.0, **body: Any) -> Event:
    digest = "0123456789abcdef" if kind == ev.SUCCEEDED else ""
    return Event(kind, RUN if kind >= ev.RUN_STARTED else scope, name, at, digest, encode(body))


def _done(name: str, output: Any = None, scope: str = ROOT) -> Event:
    return _event(ev.SUCCEEDED, name, scope, output=output)


async def _born(engine: Engine, run_id: str, created: float = 1000.0) -> Journal:
    first = _event(ev.RUN_STARTED, at=created, workflow="flow", inputs={})
    return await engine.create(_info(run_id, created), first)


def _events(engine: Engine, run_id: str, after: int = 0) -> Sequence[Stored]:
    with closing(engine.read(run_id)) as reader:
        return reader.events(after)


def _listed(engine: Engine, run_id: str) -> RunInfo:
    with closing(engine.read(run_id)) as reader:
        return reader.info()


def _seen(events: Sequence[Stored]) -> list[tuple[int, str]]:
    return [(event.kind, event.name) for event in events]


async def acknowledged_is_stored(make: MakeEngine) -> None:
    """What was awaited is there after the engine was opened anew."""
    async with make() as engine:
        journal = await _born(engine, "stored")
        await journal.commit(_done("a", {"x": [1, None, "é"]}))
        await journal.close()
    async with make() as engine:
        found = _events(engine, "stored")
    _expect([e.seq for e in found] == [1, 2], "events are numbered from 1 without gaps", found)
    _expect(found[1].body == {"output": {"x": [1, None, "é"]}}, "a body comes back as it was", found)
    _expect(found[1].digest == "0123456789abcdef" and found[1].at == 1001.0, "so do its columns", found)


async def order_is_kept(make: MakeEngine) -> None:
    """Events are stored in the order in which they were added, riding or awaited."""
    async with make() as engine:
        journal = await _born(engine, "order")
        for index in range(0, 250, 2):
            journal.append(_event(ev.STARTED, f"s{index}"))
            last = journal.commit(_done(f"s{index + 1}"))
        await last
        found = [event.name for event in _events(engine, "order", 1)]
        await journal.close()
    _expect(found == [f"s{index}" for index in range(250)], "the order of adding is kept", found)


async def a_ride_is_stored_before_its_commit(make: MakeEngine) -> None:
    """When a commit completes, what rode before it is stored too; so it is when the journal is closed."""
    async with make() as engine:
        journal = await _born(engine, "ride")
        journal.append(_event(ev.STARTED, "a"))
        await journal.commit(_done("a"))
        found = _seen(_events(engine, "ride", 1))
        journal.append(_done("b"))
        await journal.close()
        after = _seen(_events(engine, "ride", 3))
    _expect(found == [(ev.STARTED, "a"), (ev.SUCCEEDED, "a")], "what rode is stored", found)
    _expect(after == [(ev.SUCCEEDED, "b")], "closing stores what rode", after)


async def giving_up_harms_no_other(make: MakeEngine) -> None:
    """One of several waiters is cancelled: the others complete, and every event is stored."""
    async with make() as engine:
        journal = await _born(engine, "cancel")
        waiters = [asyncio.ensure_future(journal.commit(_done(f"s{index}"))) for index in range(5)]
        waiters[2].cancel()
        ends = await asyncio.gather(*waiters, return_exceptions=True)
        await journal.close()
        found = _events(engine, "cancel", 1)
    _expect([end for end in ends if end is not None] == [ends[2]], "only the cancelled one ends badly", ends)
    _expect(len(found) == 5, "an event is stored though nobody waits for it any more", found)


async def a_stale_owner_cannot_write(make: MakeEngine) -> None:
    """After the run was leased again, the journal of before is refused."""
    async with make() as engine:
        old = await _born(engine, "stale")
        await old.close()
        new = await engine.lease("stale")
        await _refused(StaleOwner, old.commit(_done("late")), "a stale owner is told at its next commit")
        await new.commit(_done("fresh"))
        await new.close()
        found = _seen(_events(engine, "stale", 1))
    _expect(found == [(ev.SUCCEEDED, "fresh")], "what a stale owner writes is not stored", found)


async def a_run_has_one_owner(make: MakeEngine) -> None:
    """A run that is executed cannot be leased, and can be once its lease was given back."""
    async with make() as engine:
        journal = await _born(engine, "owner")
        _expect(_listed(engine, "owner").alive, "a run under lease is alive")
        await _refused(RunInUse, engine.lease("owner"), "a second lease is refused")
        await journal.close()
        _expect(not _listed(engine, "owner").alive, "a run without an owner is not alive")
        again = await engine.lease("owner")
        _expect(again.info.epoch == journal.info.epoch + 1, "the epoch grows by one", again.info)
        await again.close()


async def a_resume_reads_one_scope(make: MakeEngine) -> None:
    """`settled` and `last` return what a resume needs of one scope, in order, and nothing else."""
    async with make() as engine:
        journal = await _born(engine, "scope")
        for name in ("a", "b", "c"):
            journal.append(_event(ev.STARTED, name))
            journal.append(_done(name, scope="/loop"))
            await journal.commit(_done(name))
        await journal.close()
        journal = await engine.lease("scope")
        settled, last = await journal.settled(ROOT), await journal.last(ROOT, 2)
        of_run, empty = await journal.settled(RUN), await journal.settled("/none")
        await journal.close()
    _expect(
        [e.name for e in settled] == ["a", "b", "c"], "`settled` is the scope without what passes", settled
    )
    _expect([e.name for e in last] == ["b", "c"], "`last` is the end of it, in order", last)
    _expect([e.kind for e in of_run] == [ev.RUN_STARTED], "the run's own events are a scope too", of_run)
    _expect(not empty, "a scope without events is empty", empty)


async def own_commits_are_visible(make: MakeEngine) -> None:
    """What this process has committed is in the answers of the journal, also in a new run."""
    async with make() as engine:
        journal = await _born(engine, "own")
        await journal.commit(_done("a"))
        found = await journal.settled(ROOT)
        await journal.close()
    _expect([e.name for e in found] == ["a"], "`settled` shows what was committed", found)


async def a_reader_sees_everything(make: MakeEngine) -> None:
    """A reader pages through all events, shows one scope of every kind, and the run as a whole."""
    async with make() as engine:
        journal = await _born(engine, "reader")
        for index in range(6):
            journal.append(_event(ev.STARTED, f"s{index}"))
            await journal.commit(_done(f"s{index}"))
        await journal.commit(_event(ev.RUN_SUCCEEDED, at=1002.0, output=None))
        reader = engine.read("reader")
        page, rest = reader.events(after=3, limit=4), reader.events(after=14)
        scope, of_run = reader.scope(ROOT, limit=3), reader.run_events()
        reader.close()
        await journal.close()
    _expect([e.seq for e in page] == [4, 5, 6, 7], "a page begins after a number", page)
    _expect(not rest, "after the last event there is none", rest)
    _expect(
        _seen(scope) == [(ev.SUCCEEDED, "s4"), (ev.STARTED, "s5"), (ev.SUCCEEDED, "s5")], "a scope", scope
    )
    _expect([e.kind for e in of_run] == [ev.RUN_STARTED, ev.RUN_SUCCEEDED], "the run's own events", of_run)


async def a_reader_counts_without_reading(make: MakeEngine) -> None:
    """Ends are counted once a child, failures are found wherever they are, a step is found by its path."""
    failure = {"code": "S100", "message": "no"}
    async with make() as engine:
        journal = await _born(engine, "counts")
        journal.append(_event(ev.RETRIED, "a", failure=failure, attempt=1))
        journal.append(_event(ev.FAILED, "a", failure=failure, attempt=1))
        journal.append(_event(ev.DECIDED, "now", value=1))
        journal.append(_event(ev.SKIPPED, "c", reason="when"))
        await journal.commit(_done("b"))
        reader = engine.read("counts")
        first, failures = reader.ended(ROOT), reader.failures(limit=5)
        journal.append(_event(ev.RUN_REOPENED, "", paths=["/a"]))
        await journal.commit(_done("a"))
        again, step, last = reader.ended(ROOT), reader.step("/a"), reader.last_seq()
        reader.close()
        await journal.close()
    _expect((first, again) == (3, 3), "only ends are counted, each child once", (first, again))
    _expect(_seen(failures) == [(ev.FAILED, "a")], "what failed is found", failures)
    _expect([e.seq for e in step] == [2, 3, 8] and last == 8, "a step is found by its path", step)


async def large_texts_come_back(make: MakeEngine) -> None:
    """Large texts, also twice the same, and mappings that look like the engine's own come back unchanged."""
    output = {
        "big": "x" * 5000,
        "again": ["x" * 5000],
        "$blob": "mine",
        "one": {"$blob": "no"},
        "nul": "a\x00b",
    }
    async with make() as engine:
        journal = await _born(engine, "large")
        await journal.commit(_done("a", output))
        await journal.commit(_done("b", {"$blob": "short"}))
        await journal.close()
        journal = await engine.lease("large")
        settled = await journal.settled(ROOT)
        await journal.close()
        read = _events(engine, "large", 1)
    _expect(settled[0].body["output"] == output, "a resume gets a large value back", settled[0].body)
    _expect(settled[1].body["output"] == {"$blob": "short"}, "a user may write `$blob`", settled[1].body)
    _expect(read[0].body["output"] == output, "so does a reader", read[0].body)


async def a_run_is_listed_as_it_stands(make: MakeEngine) -> None:
    """End, waiting and the time of the last change follow the events of the run."""
    async with make() as engine:
        journal = await _born(engine, "listed")
        await journal.commit(_event(ev.RUN_PARKED, at=1010.0, waiting=["/ask"]))
        parked = _listed(engine, "listed")
        await journal.commit(_event(ev.RUN_RESUMED, at=1020.0, epoch=1))
        await journal.commit(_event(ev.RUN_FAILED, at=1030.0, failure={}))
        failed = _listed(engine, "listed")
        await journal.commit(_event(ev.RUN_REOPENED, at=1040.0, paths=[]))
        await journal.commit(_done("a"))
        await journal.close()
        (reopened,) = [info for info in engine.runs() if info.id == "listed"]
    _expect(parked.waiting == "/ask" and parked.end is None, "a parked run says for what", parked)
    _expect(failed.waiting == "" and failed.end == ev.RUN_FAILED, "an ended run says how", failed)
    _expect(failed.changed == 1030.0, "the last change is known", failed)
    _expect(reopened.end is None and not reopened.alive, "a reopened run has no end", reopened)
    _expect(reopened[1:5] == _info("listed")[1:5], "name, workflow, folder and time of creation", reopened)


async def a_message_is_recorded_once(make: MakeEngine) -> None:
    """A message posted twice, or taken twice, or found again later, is one event."""
    message = Message("m-1", "signal", {"name": "go", "data": [1]})
    async with make() as engine:
        journal = await _born(engine, "mail")
        engine.post("mail", message)
        engine.post("mail", message)
        found = await journal.messages()
        both = [journal.take(message, _event(ev.SIGNALLED, "go", id="m-1")) for _ in range(2)]
        await asyncio.gather(*both)
        engine.post("mail", message)
        again = await journal.messages()
        await journal.close()
        journal = await engine.lease("mail")
        engine.post("mail", message)
        later = await journal.messages()
        await journal.close()
        events = _events(engine, "mail", 1)
    _expect(found[0] == message, "a message comes as it was sent", found)
    _expect(not again and not later, "what was taken is not offered again", (again, later))
    _expect(_seen(events) == [(ev.SIGNALLED, "go")], "one message is one event", events)


async def mail_is_heard(make: MakeEngine) -> None:
    """A listener hears mail that was there before it, and mail that comes."""
    async with make() as engine:
        journal = await _born(engine, "bell")
        engine.post("bell", Message("m-1", "cancel", {}))
        heard = asyncio.Event()
        stop = engine.on_mail("bell", heard.set)
        await asyncio.wait_for(heard.wait(), 5)
        heard.clear()
        engine.post("bell", Message("m-2", "cancel", {}))
        await asyncio.wait_for(heard.wait(), 5)
        found = [message.id for message in await journal.messages()]
        rest = [message.id for message in await journal.messages({"m-1"})]
        stop()
        await journal.close()
    _expect(found == ["m-1", "m-2"], "messages are in the order of posting", found)
    _expect(rest == ["m-2"], "those that are left there can be passed over", rest)


async def watchers_see_what_is_stored(make: MakeEngine) -> None:
    """A watcher gets every stored event, in order and with its number, and none after it has stopped."""
    seen: list[tuple[str, int]] = []
    async with make() as engine:
        stop = engine.watch(lambda run_id, events: seen.extend((run_id, event.seq) for event in events))
        journal = await _born(engine, "watch")
        journal.append(_event(ev.STARTED, "a"))
        await journal.commit(_done("a"))
        stop()
        await journal.commit(_done("b"))
        await journal.close()
    _expect(seen == [("watch", 1), ("watch", 2), ("watch", 3)], "stored events in order", seen)


async def runs_are_listed_by_age(make: MakeEngine) -> None:
    """`runs` lists the oldest run first, whatever the order of creation."""
    async with make() as engine:
        for run_id, created in (("age-3", 3003.0), ("age-1", 3001.0), ("age-2", 3002.0)):
            await (await _born(engine, run_id, created)).close()
        found = [info.id for info in engine.runs() if info.id.startswith("age-")]
    _expect(found == ["age-1", "age-2", "age-3"], "the oldest run comes first", found)


async def unknown_and_known_runs_are_refused(make: MakeEngine) -> None:
    """What is not there is `RunNotFound`; what is there cannot be created again."""
    async with make() as engine:
        journal = await _born(engine, "known")
        await journal.close()
        await _refused(RunNotFound, engine.lease("unknown"), "leasing an unknown run is refused")
        await _refused(EngineError, _born(engine, "known"), "creating a known run is refused")
        for use in (engine.read, lambda run_id: engine.post(run_id, Message("m", "cancel", {}))):
            try:
                use("unknown")
            except RunNotFound:
                continue
            raise AssertionError("reading or posting to an unknown run is refused")
        found = _events(engine, "known")
    _expect(len(found) == 1, "the known run is unharmed", found)


async def a_crowd_commits(make: MakeEngine) -> None:
    """1,000 commits at once, of several runs, all complete and are all stored."""
    async with make() as engine:
        journals = [await _born(engine, f"crowd-{index}") for index in range(4)]
        await asyncio.gather(*(journals[index % 4].commit(_done(f"s{index}")) for index in range(1000)))
        for journal in journals:
            await journal.close()
        counts = [len(_events(engine, f"crowd-{index}", 1)) for index in range(4)]
    _expect(counts == [250] * 4, "every event of a crowd is stored", counts)


ENGINE_CHECKS: list[Check] = [
    acknowledged_is_stored,
    order_is_kept,
    a_ride_is_stored_before_its_commit,
    giving_up_harms_no_other,
    a_stale_owner_cannot_write,
    a_run_has_one_owner,
    a_resume_reads_one_scope,
    own_commits_are_visible,
    a_reader_sees_everything,
    a_reader_counts_without_reading,
    large_texts_come_back,
    a_run_is_listed_as_it_stands,
    a_message_is_recorded_once,
    mail_is_heard,
    watchers_see_what_is_stored,
    runs_are_listed_by_age,
    unknown_and_known_runs_are_refused,
    a_crowd_commits,
]


async def check_engine(make: MakeEngine) -> None:
    """Run all checks, one after the other, on one store.

    Raises:
        AssertionError: The engine breaks a promise; the message says which.
    """
    for check in ENGINE_CHECKS:
        try:
            await check(make)
        except AssertionError as error:
            raise AssertionError(f"{check.__name__}: {error}") from error

"""A workflow with every construct, killed at every event and resumed: nothing finished is done again."""

import asyncio
import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.crash.constructs import COPIES, Constructs

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.errors import RunEnded, RunError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.events import STARTED, SUCCEEDED, Stored
from maestri.kernel.policy import Policy, Retry
from maestri.kernel.state import fold
from maestri.patterns import branch, each, graph, loop, parallel, sequence, workflow
from maestri.patterns._registry import Arm, Need
from maestri.project import Project
from maestri.testing import ScriptedAgent
from maestri.testing.crashing import Crash, CrashingEngine
from maestri.testing.play import Stage
from tally import tally

RETRY = Policy(Retry(max_attempts=3, delay_s=5, jitter=0))


class Outside:
    """What was really done, kept where no crash can reach it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def note(self, name: str, value: Any) -> Any:
        async def noted() -> Any:
            self.done.append(name)
            return value

        return noted


class Everything:
    """A workflow with every pattern, and with each verb of `Context` that needs no person."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    def step(self, name: str, value: Any) -> OneStep[Any]:
        return OneStep(lambda c: c.step(name, self.outside.note(name, value)))

    async def fails(self) -> None:
        self.outside.done.append("fails")
        message = "always"
        raise ValueError(message)

    async def fails_once(self) -> str:
        self.outside.done.append("flaky")
        if self.outside.done.count("flaky") == 1:
            message = "the first time"
            raise ValueError(message)
        return "at last"

    async def two_steps(self, ctx: Context) -> Any:
        note = self.outside.note
        return [await ctx.step("s", note("s1", 1)), await ctx.step("s", note("s2", 2))]

    async def a_round(self, ctx: Context, number: int, last: Any) -> Any:
        return await ctx.step("r", self.outside.note(f"r{number}", (last or 0) + number))

    async def an_item(self, ctx: Context, item: int, index: int) -> Any:
        if item == 2:
            return await ctx.step("bad", self.fails)
        return await ctx.step("it", self.outside.note(f"item{index}", item * 10))

    async def a_sum(self, ctx: Context, results: list[Any]) -> Any:
        return await ctx.step("sum", self.outside.note("sum", len(results)))

    async def after(self, ctx: Context, needed: Any) -> Any:
        return await ctx.step("x", self.outside.note("after", sorted(needed)))

    async def inner(self, ctx: Context, inputs: Any) -> Any:
        return await ctx.step("in", self.outside.note("in", inputs["n"] + 1))

    async def report(self, ctx: Context, result: Any) -> Any:
        return await ctx.step("tell", self.outside.note(f"tell-{result['name']}", 1))

    async def crowds(self, ctx: Context) -> dict[str, Any]:
        found: dict[str, Any] = {}
        bad = OneStep(lambda c: c.step("b", self.fails))
        branches: dict[str, Any] = {"one": self.step("one", 1), "two": self.two_steps, "bad": bad}
        found["parallel"] = await parallel(ctx, "p", branches, join="settled", on_result=self.report)
        found["any"] = sorted(await parallel(ctx, "any", {"fast": self.step("fast", 1)}, join="any"))
        found["each"] = await each(ctx, "e", [1, 2, 3], self.an_item, max_concurrent=2)
        found["reduce"] = await each(ctx, "m", [5, 6], self.an_item, reduce=self.a_sum)
        needs = {
            "a": Need(self.step("ga", 1)),
            "b": Need(self.step("gb", 2)),
            "c": Need(self.after, ("a", "b")),
        }
        found["graph"] = await graph(ctx, "g", needs)
        return found

    async def flow(self, ctx: Context) -> Any:
        found: dict[str, Any] = {"sequence": await sequence(ctx, "q", self.two_steps)}
        found["crowds"] = await self.crowds(ctx)
        found |= await Constructs(self.outside).all(ctx)
        found["loop"] = await loop(ctx, "l", self.a_round, until=lambda _c, _n, out: out >= 6)
        arms = {"no": Arm(self.two_steps, lambda: False), "yes": Arm(self.two_steps)}
        found["branch"] = await branch(ctx, "b", arms)
        given: Any = {"n": 1}
        found["workflow"] = await workflow(ctx, "w", self.inner, inputs=given)
        found["retried"] = await ctx.step("flaky", self.fails_once, policy=RETRY)
        try:
            await ctx.step("handled", self.fails)
        except RunError as error:
            found["handled"] = error.message
        await ctx.random()
        await ctx.sleep(30)
        await ctx.skip("skipped")
        return found


def everything(outside: Outside) -> Any:
    return Everything(outside).flow


def finished(stage: Stage) -> set[str]:
    return set(stage.paths("step.succeeded", "step.failed"))


def staged(outside: Outside) -> Stage:
    return Stage(everything(outside), agent=ScriptedAgent(COPIES))


def reference(outside: Outside) -> Stage:
    stage = staged(outside)
    assert stage.play().status == "succeeded"
    return stage


def cut_at(whole: Stage, count: int, outside: Outside) -> Stage:
    """Return the run cut off after some events; the world outside has seen what the journal has."""
    cut = whole.cut(count)
    outside.done[:] = ["flaky"] if "/flaky" in cut.paths("step.retried") else []
    return cut


# A seal folds in what one execution has asked for. Whoever goes on behind an early end asks for less: for the
# winner and not for the voters, for the undo and not for the step that had failed.
EARLY = {"/saga", "/vote"}


def shape(stage: Stage) -> Counter[tuple[int, str, str, Any]]:
    """Return what two journals of one workflow must have in common."""
    return Counter(
        (event.kind, event.path, event.digest * (event.path not in EARLY), repr(event.body.get("output")))
        for event in stage.events
        if 9 < event.kind < 40
    )


def test_the_workflow_has_every_construct() -> None:
    used = {event.body.get("pattern") for event in reference(Outside()).events}
    # Landing is done with commands, and has a workflow of its own in tests/conformance/constructs/land.py.
    assert set(Project().patterns) - used == {"land"}


def test_a_journal_cut_after_every_event_gives_the_same_result_and_repeats_nothing_finished() -> None:
    whole = reference(outside := Outside())
    counts = Counter(rounds=0, acknowledged=0, lost=0, repeated=0)
    for count in range(1, len(whole.events)):
        cut = cut_at(whole, count, outside)
        before = finished(cut)
        ended = cut.resume()
        started = {e.path for e in cut.events if e.kind == STARTED and e.seq > count}
        counts.update(rounds=1, acknowledged=len(before), lost=len(before - finished(cut)))
        counts.update(repeated=len(before & started))
        assert (count, ended.output, ended.handled) == (count, whole.state.output, whole.state.handled)
    tally("cut after every event", 1, **counts)
    assert (counts["lost"], counts["repeated"]) == (0, 0)


def test_a_resumed_journal_holds_the_same_facts_as_one_that_was_never_cut() -> None:
    whole = reference(outside := Outside())
    for count in range(1, len(whole.events)):
        cut = cut_at(whole, count, outside)
        cut.resume()
        missing, extra = shape(whole) - shape(cut), shape(cut) - shape(whole)
        assert (count, missing, extra) == (count, Counter(), Counter())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_at_every_event_does_nothing_twice_that_is_on_record(when: Any) -> None:
    counts = Counter(rounds=0, acknowledged=0, lost=0, repeated=0)
    for count in range(1, len(reference(Outside()).events)):
        stage = staged(outside := Outside())
        kept, stage.engine = stage.engine, CrashingEngine(stage.engine, count, when)
        with contextlib.suppress(Crash):
            stage.play()
        stage.engine = kept
        known, already = finished(stage), len(outside.done)
        if stage.state.status != "succeeded":
            stage.resume()
        started = [e.path for e in stage.events if e.kind == STARTED]
        again = {path for path in known if started.count(path) > 1 and path != "/flaky"}
        assert already <= len(outside.done)
        counts.update(rounds=1, acknowledged=len(known), lost=len(known - finished(stage)))
        counts.update(repeated=len(again))
    tally(f"killed {when} every event", 1, **counts)
    assert (counts["lost"], counts["repeated"]) == (0, 0)


def test_a_run_killed_every_few_events_comes_to_its_end() -> None:
    stage = staged(Outside())
    kept, stage.engine = stage.engine, CrashingEngine(stage.engine, 5)
    with pytest.raises(Crash):
        stage.play()
    lives = 1
    while stage.state.status != "succeeded":
        lives += 1
        assert lives < len(stage.events) < 10_000
        with contextlib.suppress(Crash):
            stage.resume()
    stage.engine = kept
    assert lives > 10
    assert [p for p, n in Counter(stage.paths("step.succeeded")).items() if n > 1] == []


def test_every_prefix_of_a_journal_can_be_folded() -> None:
    events = reference(Outside()).events
    statuses = {fold(events[:count]).status for count in range(len(events) + 1)}
    assert statuses == {"pending", "running", "succeeded"}


async def lives(folder: Path, stage: Stage, kill_at: int) -> list[Stored]:
    """Live through a crash on real files: one engine is killed, another one goes on with what it left."""
    stage.engine = CrashingEngine(SqliteEngine(StateDir(folder)), kill_at)
    with contextlib.suppress(Crash):
        await (await stage.start()).wait()
    await stage.engine.close()
    stage.engine = SqliteEngine(StateDir(folder))
    with contextlib.suppress(RunEnded):
        await (await stage.restart()).wait()
    events = stage.events
    await stage.engine.close()
    return events


@pytest.mark.parametrize("kill_at", range(2, 300, 33))
def test_a_crash_on_real_files_loses_nothing_that_was_stored(tmp_path: Path, kill_at: int) -> None:
    whole = reference(Outside())
    events = asyncio.run(lives(tmp_path / "state", staged(Outside()), kill_at))
    succeeded = Counter(event.path for event in events if event.kind == SUCCEEDED)
    assert fold(events).output == whole.state.output
    assert [path for path, times in succeeded.items() if times > 1] == []

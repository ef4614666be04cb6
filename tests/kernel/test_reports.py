"""What steps report from inside: recorded before their end; a reported blocker holds its step."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any, ClassVar

import pytest

from maestri.engines.memory import MemoryEngine
from maestri.kernel.context import Context
from maestri.kernel.inside import Heard, Left, Report
from maestri.kernel.policy import DEFAULT, Policy, Retry
from maestri.kernel.ports import Attempt, Task
from maestri.kernel.run import Services
from maestri.kernel.runner import Ended, Execution
from maestri.patterns import parallel
from maestri.testing.play import Direct, Stage
from maestri.testing.scripted import ScriptedAgent


class Box:
    """A mailbox in memory."""

    place = command = "/mailbox"
    last: ClassVar["Box"]

    def __init__(self, path: str, heard: Heard, settled: Sequence[tuple[str, str]]) -> None:
        self.path = path
        self.settled = list(settled)
        self.told: list[tuple[str, ...]] = []
        self._heard = heard
        self._count = 0

    def begin(self) -> None:
        Box.last = self

    def make(self) -> None:
        """It is there."""

    def report(self, what: str, text: str = "", data: Any = None, id_: str = "") -> Awaitable[None] | None:
        self._count += 1
        if what == "blocked" and any(text == known for known, _ in self.settled):
            return None  # told so at once, it goes on
        return self._heard(Report(id_ or f"{self.path}-{self._count}", what, text, data))

    def tell(self, reports: Sequence[str], note: str) -> None:
        self.told.append((*reports, note))

    def close(self) -> None:
        """Everything was handed on at once."""


class Boxes:
    """Mailboxes in memory, and what a killed process has left in some."""

    def __init__(self) -> None:
        self.opened: list[Box] = []
        self.lost: list[Left] = []

    def open(
        self, run: str, path: str, attempt: int, heard: Heard, settled: Sequence[tuple[str, str]] = ()
    ) -> Box:
        self.opened.append(Box(path, heard, settled))
        return self.opened[-1]

    def left(self, run: str, paths: Iterable[str]) -> Iterable[Left]:
        lost, self.lost = self.lost, []
        begun = list(paths)
        return [one for one in lost if one.path in begun]


class Reporting(Stage):
    """A stage whose steps may report; shared by the stages that are cut from it."""

    boxes: Boxes

    @property
    def services(self) -> Services:
        agent = Direct(self._agent)
        return Services(dispatcher=agent, clock=self.clock, random=Random(1), mailboxes=lambda: self.boxes)


def box_of(attempt: Attempt) -> Box:
    assert attempt.mailbox is not None
    attempt.mailbox.begin()
    return Box.last


def stage_of(play: Callable[[Task, Attempt], Any], policy: Policy | None = None) -> Reporting:
    async def flow(ctx: Context) -> Any:
        return await ctx.run("build", "true", policy=policy or DEFAULT)

    stage = Reporting(flow, agent=ScriptedAgent({"*": play}))
    stage.boxes = Boxes()
    return stage


def says(*reports: tuple[str, str], then: Any = "built") -> Callable[[Task, Attempt], Any]:
    def play(_task: Task, attempt: Attempt) -> Any:
        box = box_of(attempt)
        for what, text in reports:
            box.report(what, text)
        return then

    return play


def kinds(stage: Stage) -> list[str]:
    return [event.kind_name for event in stage.events if event.scope]


def test_reports_are_recorded_in_order_and_before_the_end_of_their_step() -> None:
    stage = stage_of(says(("task-started", "one"), ("checkpoint", "half"), ("task-completed", "one")))
    assert stage.play().output == "built"
    assert kinds(stage) == ["step.started", *["step.reported"] * 3, "step.succeeded"]
    assert [e.body["text"] for e in stage.events if e.kind_name == "step.reported"] == ["one", "half", "one"]


def test_a_report_is_recorded_once_by_its_id() -> None:
    def play(_task: Task, attempt: Attempt) -> str:
        box = box_of(attempt)
        box.report("checkpoint", "half", id_="same")
        box.report("checkpoint", "half", {"n": 1}, id_="same")
        return "built"

    stage = stage_of(play)
    stage.play()
    assert kinds(stage).count("step.reported") == 1


def test_a_step_that_ends_while_it_is_blocked_waits_until_it_is_unblocked() -> None:
    stage = stage_of(says(("blocked", "no key")))
    waiting = stage.play()
    assert (waiting.status, waiting.waiting, stage.state.steps["/build"].state) == (
        "waiting",
        ("/build",),
        "blocked",
    )
    stage.post("unblock", path="/build", note="it is there now")
    assert stage.resume().output == "built"
    assert (len(stage.boxes.opened), kinds(stage)[-2:]) == (1, ["step.released", "step.succeeded"])


def test_wherever_the_run_is_cut_off_a_blocked_step_stays_blocked_and_comes_out_the_same() -> None:
    stage = stage_of(says(("checkpoint", "half"), ("blocked", "no key")))
    stage.play()
    stage.post("unblock", path="/build", note="now")
    stage.resume()
    for events in range(1, len(stage.events)):
        cut = stage.cut(events)
        was_released = "step.released" in kinds(cut)
        ended = cut.resume()
        if ended.status == "waiting":
            assert not was_released
            cut.post("unblock", path="/build")
            ended = cut.resume()
        assert (ended.status, ended.output) == ("succeeded", "built"), events


def test_a_step_may_unblock_itself() -> None:
    stage = stage_of(says(("blocked", "no key"), ("unblocked", "found one")))
    assert stage.play().output == "built"
    assert kinds(stage) == ["step.started", "step.held", "step.released", "step.succeeded"]


def test_a_step_that_goes_on_is_told_the_note_while_it_runs() -> None:
    async def play(_task: Task, attempt: Attempt) -> str:
        box = box_of(attempt)
        box.report("blocked", "no key", id_="b1")
        for _ in range(5000):
            if box.told:
                break
            await asyncio.sleep(0)
        return box.told[0][-1]

    stage = stage_of(play)

    async def meanwhile() -> Ended:
        execution = await stage.start()
        await until(execution, lambda: "/build" in execution.core.waits.holds)
        stage.post("unblock", path="/build", note="in the vault", hold="b1")
        return await execution.wait()

    assert asyncio.run(meanwhile()).output == "in the vault"
    assert stage.boxes.opened[0].told == [("b1", "in the vault")]


async def until(execution: Execution, holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0)
    pytest.fail(f"it never came to that: {execution.core.live}")


def test_a_failure_ends_what_was_blocked_and_the_next_attempt_is_free() -> None:
    def play(_task: Task, attempt: Attempt) -> str:
        if attempt.number == 1:
            says(("blocked", "no key"))(_task, attempt)
            message = "gave up"
            raise ValueError(message)
        return "built"

    stage = stage_of(play, Policy(Retry(max_attempts=2, delay_s=1)))
    assert stage.play().output == "built"
    assert kinds(stage)[1:3] == ["step.held", "step.retried"]


def test_a_word_about_an_earlier_blocker_does_not_settle_a_later_one() -> None:
    stage = stage_of(says(("blocked", "no key")))
    stage.play()
    stage.post("unblock", path="/build", hold="another")
    assert stage.resume().status == "waiting"
    refused = next(event for event in stage.events if event.kind_name == "run.directed").body["refused"]
    assert refused == "its blocker was settled before"


def test_a_blocked_step_can_be_cancelled() -> None:
    stage = stage_of(says(("blocked", "no key")))
    stage.play()
    stage.post("cancel", path="/build")
    assert (stage.resume().status, kinds(stage)[-1]) == ("failed", "step.cancelled")


def test_a_blocked_step_is_not_silent_in_the_sense_of_its_idle_limit() -> None:
    async def play(_task: Task, attempt: Attempt) -> str:
        box = box_of(attempt)
        box.report("blocked", "no key")
        await stage.clock.sleep(100)
        box.report("unblocked")
        return "built"

    stage = stage_of(play, Policy(idle_timeout_s=10))
    assert stage.play().output == "built"


def test_branches_are_blocked_and_unblocked_each_by_itself() -> None:
    async def flow(ctx: Context) -> Any:
        def branch(name: str) -> Callable[[Context], Awaitable[Any]]:
            return lambda inner: inner.run("do", name)

        return await parallel(ctx, "all", {name: branch(name) for name in "abc"})

    stage = Reporting(flow, agent=ScriptedAgent({"*": says(("blocked", "no key"))}))
    stage.boxes = Boxes()
    assert stage.play().waiting == ("/all/a/do", "/all/b/do", "/all/c/do")
    stage.post("unblock", path="/all/b/do")
    assert stage.resume().waiting == ("/all/a/do", "/all/c/do")
    stage.post("unblock", path="/all/c/do")
    stage.post("unblock", path="/all/a/do")
    assert stage.resume().output == dict.fromkeys("abc", "built")


def interrupted(stage: Reporting) -> Reporting:
    """Return the run as it is when its process was killed while the step ran."""
    stage.play()
    return stage.cut(2)


def test_what_a_killed_process_has_not_taken_in_is_taken_at_the_resume_and_blocks() -> None:
    stage = interrupted(stage_of(says()))
    reports = [Report("r1", "checkpoint", "half"), Report("r2", "blocked", "no key")]
    stage.boxes.lost = [Left("/build", 1, reports, lambda: None)]
    assert (stage.resume().status, len(stage.boxes.opened)) == ("waiting", 1)
    assert kinds(stage) == ["step.started", "step.reported", "step.held", "step.blocked"]
    stage.post("unblock", path="/build", note="now")
    assert stage.resume().output == "built"
    assert stage.boxes.opened[-1].settled == [("no key", "now")]


def test_what_is_left_for_a_step_that_never_began_is_dropped() -> None:
    stage = interrupted(stage_of(says()))
    stage.boxes.lost = [Left("/other", 1, [Report("r1", "blocked", "no key")], lambda: None)]
    assert stage.resume().output == "built"
    assert {"step.held", "step.reported"}.isdisjoint(kinds(stage))


def test_what_is_left_of_an_ended_step_is_recorded_and_blocks_nothing() -> None:
    stage = stage_of(says())
    stage.play()
    cut = stage.cut(3)
    assert isinstance(cut.engine, MemoryEngine)
    stage.boxes.lost = [Left("/build", 1, [Report("r1", "blocked", "no key")], lambda: None)]
    assert cut.resume().output == "built"
    assert kinds(cut) == ["step.started", "step.succeeded", "step.reported"]

"""Attempts that are made again: when, how often, under which key."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from maestri.errors import ExitFailed, InputInvalid, RunError, StepFailed, Timeout
from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.kernel.ports import Task
from maestri.testing.play import Stage, check_resume
from maestri.testing.scripted import ScriptedAgent, fails_first

PATIENT = Retry(max_attempts=4, delay_s=10, jitter=0)


async def forever() -> None:
    await asyncio.Event().wait()


def asked(agent: ScriptedAgent, retry: Retry = PATIENT) -> Stage:
    async def flow(ctx: Context) -> Any:
        return await ctx.perform("a", Task("writer", {"prompt": "go"}, Policy(retry)))

    return Stage(flow, agent=agent)


def test_a_failed_attempt_is_made_again_after_a_growing_delay() -> None:
    agent = ScriptedAgent({"/a": fails_first(2, "done")})
    stage = asked(agent)
    assert stage.play().output == "done"
    started = [event.at - 1_000_000_000 for event in stage.events if event.path == "/a" and event.kind == 1]
    assert started == [0, 10, 30]
    check_resume(stage)


def test_the_failures_of_the_attempts_are_on_record_with_their_delays() -> None:
    stage = asked(ScriptedAgent({"/a": fails_first(2, "done")}))
    stage.play()
    retried = [e.body for e in stage.events if e.as_json()["kind"] == "step.retried"]
    assert [(body["attempt"], body["delay_s"]) for body in retried] == [(1, 10), (2, 20)]
    assert retried[0]["failure"]["message"] == "failed by script"


def test_the_last_failure_is_the_failure_of_the_step() -> None:
    stage = asked(ScriptedAgent({"/a": fails_first(99, "never")}))
    ended = stage.play()
    assert ended.failure and (ended.failure.attempt, ended.status) == (4, "failed")


@pytest.mark.parametrize(
    ("error", "retry", "attempts"),
    [
        (ExitFailed("exit 1"), Retry(3, 1, on=("exit",)), 3),
        (ExitFailed("exit 1"), Retry(3, 1, on=("timeout",)), 1),
        (ExitFailed("exit 1"), Retry(3, 1, not_on=("exit",)), 1),
        (InputInvalid("bad"), Retry(3, 1), 1),
        (InputInvalid("bad"), Retry(3, 1, on=("input",)), 3),
        (StepFailed("bad"), Retry(3, 1, on=("S100",)), 3),
        (Timeout("slow"), Retry(3, 1), 3),
        (ValueError("a bug"), Retry(3, 1), 3),
    ],
)
def test_the_kind_of_a_failure_decides_whether_it_is_retried(
    error: Exception, retry: Retry, attempts: int
) -> None:
    agent = ScriptedAgent({"/a": fails_first(99, None, error)})
    asked(agent, retry).play()
    assert len(agent.attempts) == attempts


def test_each_attempt_has_a_number_and_a_key_of_its_own() -> None:
    agent = ScriptedAgent({"/a": fails_first(2, "done")})
    asked(agent).play()
    assert [(a.number, a.key) for a in agent.attempts] == [
        (1, "run-1/a/1"),
        (2, "run-1/a/2"),
        (3, "run-1/a/3"),
    ]


def test_an_attempt_that_a_crash_cut_off_is_made_again_under_the_same_key() -> None:
    agent = ScriptedAgent({"/a": fails_first(1, "done")})
    stage = asked(agent)
    stage.play()
    second = [e.seq for e in stage.events if e.path == "/a" and e.kind == 1][1]
    agent.attempts.clear()
    stage.cut(second).resume()
    assert [a.key for a in agent.attempts] == ["run-1/a/2"]


def test_an_attempt_after_a_reopening_has_a_new_key_and_all_its_retries() -> None:
    agent = ScriptedAgent({"/a": fails_first(6, "done")})
    stage = asked(agent)
    assert stage.play().status == "failed"
    assert stage.resume().output == "done"
    assert [a.number for a in agent.attempts] == [1, 2, 3, 4, 5, 6, 7]


def test_a_resume_waits_for_the_rest_of_the_delay_only() -> None:
    agent = ScriptedAgent({"/a": fails_first(1, "done")})
    stage = asked(agent, Retry(2, 100, jitter=0))
    stage.play()
    cut = stage.cut(next(e.seq for e in stage.events if e.as_json()["kind"] == "step.retried"))
    cut.clock = type(stage.clock)(1_000_000_070.0)  # type: ignore[call-arg]
    cut.resume()
    assert [e.at for e in cut.events if e.path == "/a"][-1] == 1_000_000_100.0


def test_the_jitter_is_bounded_and_the_delay_capped() -> None:
    agent = ScriptedAgent({"/a": fails_first(9, "done")})
    stage = asked(agent, Retry(10, 1, factor=100, max_delay_s=50, jitter=0.1))
    stage.play()
    delays = [e.body["delay_s"] for e in stage.events if "delay_s" in e.body]
    assert all(0.9 <= delays[0] <= 1.1 and 45 <= delay <= 55 for delay in delays[1:])


def test_a_handled_failure_is_counted_and_the_run_goes_on() -> None:
    async def flow(ctx: Context) -> Any:
        try:
            return await ctx.step("bad", lambda: 1 // 0)
        except RunError as error:
            return [error.message, error.path, await ctx.step("after", lambda: 1)]

    stage = Stage(flow)
    ended = stage.play()
    assert (ended.output, ended.handled) == (
        ["ZeroDivisionError: integer division or modulo by zero", "/bad", 1],
        1,
    )
    check_resume(stage)


def limited(function: Callable[[], Any], policy: Policy) -> Stage:
    return Stage(lambda ctx: ctx.step("a", function, policy=policy))


def test_an_attempt_that_takes_too_long_is_stopped_and_made_again() -> None:
    calls: list[int] = []

    async def slow_once() -> str:
        calls.append(1)
        if len(calls) == 1:
            await forever()
        return "done"

    stage = limited(slow_once, Policy(PATIENT, attempt_timeout_s=60))
    assert stage.play().output == "done"
    failure = next(e.body["failure"] for e in stage.events if "delay_s" in e.body)
    assert (failure["type"], failure["message"]) == ("Timeout", "the attempt took longer than 60 s")


def test_the_limit_of_a_step_counts_over_all_attempts_and_waits() -> None:
    stage = limited(lambda: 1 // 0, Policy(Retry(100, 10, factor=1, jitter=0), step_timeout_s=35))
    ended = stage.play()
    assert ended.failure and ended.failure.message == "the step took longer than 35 s"
    assert (stage.paths("step.started").count("/a"), stage.clock.now()) == (4, 1_000_000_035.0)


def test_the_limit_of_a_step_stops_an_attempt_under_way() -> None:
    ended = limited(forever, Policy(PATIENT, step_timeout_s=35)).play()
    assert ended.failure and (ended.failure.type, ended.failure.attempt) == ("Timeout", 1)


def test_a_limit_that_passes_while_the_success_is_stored_changes_nothing() -> None:
    async def just_in_time() -> str:
        asyncio.get_running_loop().call_soon(stage.clock.jump, 100)  # type: ignore[attr-defined]
        return "in time"

    stage = limited(just_in_time, Policy(step_timeout_s=50, attempt_timeout_s=50))
    assert stage.play().output == "in time"


def test_silence_is_limited_and_a_beat_puts_the_limit_off() -> None:
    class Talks:
        async def perform(self, _task: Any, attempt: Any) -> Any:
            for _ in range(3):
                await stage.clock.sleep(20)
                attempt.beat()
            await forever()

    async def flow(ctx: Context) -> Any:
        return await ctx.perform("a", Task("writer", {}, Policy(idle_timeout_s=30)))

    stage = Stage(flow, agent=Talks())
    ended = stage.play()
    assert ended.failure and ended.failure.message == "there was no output for 30 s"
    assert 90 <= stage.clock.now() - 1_000_000_000 < 95


def test_an_agent_that_turns_its_time_limit_into_an_error_has_timed_out() -> None:
    async def stubborn() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            message = "killed"
            raise ExitFailed(message) from None

    ended = limited(stubborn, Policy(attempt_timeout_s=60)).play()
    assert (ended.failure and ended.failure.type) == "Timeout"


def test_the_limit_of_a_run_ends_it_as_failed_and_a_resume_gives_it_the_time_again() -> None:
    calls: list[int] = []

    async def slow_once() -> str:
        calls.append(1)
        if len(calls) == 1:
            await forever()
        return "done"

    stage = Stage(lambda ctx: ctx.step("a", slow_once), timeout_s=3600)
    ended = stage.play()
    assert ended.failure and ended.failure.type == "Timeout"
    assert stage.resume().output == "done"


def test_a_step_limit_that_passes_during_the_clean_up_of_an_attempt_ends_the_step() -> None:
    async def slow_to_die() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await stage.clock.sleep(30)
            raise

    stage = limited(slow_to_die, Policy(PATIENT, attempt_timeout_s=60, step_timeout_s=80))
    ended = stage.play()
    assert ended.failure and ended.failure.message == "the step took longer than 80 s"
    assert stage.paths("step.started") == ["/a"]

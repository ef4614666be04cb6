"""Bugs planted in the kernel: each is one line that somebody could have written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulation.mutants.mutant import Mutant

from maestri.kernel import attempts, closing, context, past, runner
from maestri.kernel import events as ev
from maestri.kernel.context import Context
from maestri.kernel.events import Stored
from maestri.kernel.fan import Fan
from maestri.kernel.past import Known
from maestri.kernel.ports import Attempt, Task
from maestri.kernel.run import RunCore, Waits


def does_not_wait_for_cancelled_children(patch: pytest.MonkeyPatch) -> None:
    async def mutated(self: Fan) -> None:
        for running in self._running.values():
            running.cancel()

    patch.setattr(Fan, "cancel", mutated)


def replays_the_record_of_another_request(patch: pytest.MonkeyPatch) -> None:
    replay = past.replay_step

    def mutated(run: RunCore, end: Stored, digest: str, task: Task) -> Any:
        return replay(run, end._replace(digest=""), digest, task)

    patch.setattr(context, "replay_step", mutated)


def counts_attempts_anew_after_a_reopening(patch: pytest.MonkeyPatch) -> None:
    fold = past._with

    def mutated(known: Known, event: Stored, *, is_current: bool) -> Known:
        return fold(known, event, is_current=True) if is_current else Known()

    patch.setattr(past, "_with", mutated)


def does_not_wait_until_a_decision_is_stored(patch: pytest.MonkeyPatch) -> None:
    decide = Context.decide

    async def mutated(self: Context, name: str, make: Callable[[], Any], *, stored: bool = False) -> Any:
        return await decide(self, name, make)

    patch.setattr(Context, "decide", mutated)


def keeps_no_record_of_who_won(patch: pytest.MonkeyPatch) -> None:
    decide = Context.decide

    async def mutated(self: Context, name: str, make: Callable[[], Any], *, stored: bool = False) -> Any:
        return make() if name == "join" else await decide(self, name, make, stored=stored)

    patch.setattr(Context, "decide", mutated)


def takes_what_was_cancelled_along_for_final(patch: pytest.MonkeyPatch) -> None:
    is_final = past.is_final
    cancelled = {ev.CANCELLED, ev.SCOPE_CANCELLED}
    patch.setattr(past, "is_final", lambda event: event.kind in cancelled or is_final(event))


def takes_what_was_skipped_along_for_final(patch: pytest.MonkeyPatch) -> None:
    is_final = past.is_final
    patch.setattr(past, "is_final", lambda event: event.kind == ev.SKIPPED or is_final(event))


def sends_a_retry_with_the_key_of_the_first_attempt(patch: pytest.MonkeyPatch) -> None:
    attempt = RunCore.attempt

    def mutated(self: RunCore, path: str, number: int, beat: Callable[[], None]) -> Attempt:
        return attempt(self, path, number, beat)._replace(key=f"{self.info.id}{path}/1")

    patch.setattr(RunCore, "attempt", mutated)


def forgets_the_failures_below_a_seal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(closing, "_seal_body", lambda _scope, outcome: f'{{"output":{outcome.text}}}')


def does_not_wait_for_the_time_of_a_retry(patch: pytest.MonkeyPatch) -> None:
    take_up = attempts._take_up

    async def mutated(step: Any, known: Known) -> None:
        await take_up(step, known._replace(retry_at=None))

    patch.setattr(attempts, "_take_up", mutated)


def sends_what_costs_money_before_its_start_is_stored(patch: pytest.MonkeyPatch) -> None:
    perform = Context.perform

    async def mutated(self: Context, name: str, task: Task) -> Any:
        return await perform(self, name, task._replace(costs=False))

    patch.setattr(Context, "perform", mutated)


def reopens_no_scope_above_a_failure(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(runner, "unhandled", lambda end: list(end.body.get("because", ())))


def parks_while_work_is_under_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Waits, "is_idle", lambda self: bool(self.people))


def never_parks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Waits, "is_idle", lambda _self: False)


def forgets_a_failure_on_record(patch: pytest.MonkeyPatch) -> None:
    replay = past.replay_step

    def mutated(run: RunCore, end: Stored, digest: str, task: Task) -> Any:
        return None if end.kind == ev.FAILED else replay(run, end, digest, task)

    patch.setattr(context, "replay_step", mutated)


def resumes_a_loop_one_round_too_early(patch: pytest.MonkeyPatch) -> None:
    last = past.last_ended

    async def mutated(run: RunCore, scope: str) -> Stored | None:
        found = await last(run, scope)
        before = await run.journal.last(scope, 2)
        return before[0] if found is not None and len(before) == 2 else found

    patch.setattr(context, "last_ended", mutated)


def draws_a_decision_anew(patch: pytest.MonkeyPatch) -> None:
    async def mutated(self: Context, name: str = "random") -> float:
        await self.decide(name, self.core.random.random)
        return self.core.random.random()

    patch.setattr(Context, "random", mutated)


KERNEL = [
    Mutant(plant.__name__, plant)
    for plant in (
        does_not_wait_for_cancelled_children,
        replays_the_record_of_another_request,
        counts_attempts_anew_after_a_reopening,
        does_not_wait_until_a_decision_is_stored,
        keeps_no_record_of_who_won,
        takes_what_was_cancelled_along_for_final,
        takes_what_was_skipped_along_for_final,
        sends_a_retry_with_the_key_of_the_first_attempt,
        forgets_the_failures_below_a_seal,
        does_not_wait_for_the_time_of_a_retry,
        sends_what_costs_money_before_its_start_is_stored,
        reopens_no_scope_above_a_failure,
        parks_while_work_is_under_way,
        never_parks,
        forgets_a_failure_on_record,
        resumes_a_loop_one_round_too_early,
        draws_a_decision_anew,
    )
]

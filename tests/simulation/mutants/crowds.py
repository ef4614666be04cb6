"""Bugs planted in what happens at once and in what is waited for: names, fans, timers and messages."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from tests.simulation.mutants.mutant import Mutant

from maestri.kernel import waiting
from maestri.kernel.context import Context
from maestri.kernel.events import Event, Stored
from maestri.kernel.fan import Fan
from maestri.kernel.mail import Mail
from maestri.kernel.ports import Message
from maestri.kernel.run import RunCore
from maestri.testing.simulated_engine import SimulatedJournal


def ends_a_wait_before_its_time(patch: pytest.MonkeyPatch) -> None:
    sleep = waiting.sleep

    async def mutated(run: RunCore, scope: str, segment: str, known: Stored | None, delay_s: float) -> None:
        await sleep(run, scope, segment, known, delay_s / 2 if known is not None else delay_s)

    patch.setattr(waiting, "sleep", mutated)


def waits_anew_after_every_crash(patch: pytest.MonkeyPatch) -> None:
    sleep = waiting.sleep

    async def mutated(run: RunCore, scope: str, segment: str, _known: Stored | None, delay_s: float) -> None:
        await sleep(run, scope, segment, None, delay_s)

    patch.setattr(waiting, "sleep", mutated)


def begins_what_waited_for_room_after_the_end(patch: pytest.MonkeyPatch) -> None:
    cancel = Fan.cancel

    async def mutated(self: Fan) -> None:
        queue = list(self._queue)
        await cancel(self)
        for segment, body in queue:
            self._begin(segment, body)

    patch.setattr(Fan, "cancel", mutated)


def loses_a_message_that_nobody_waits_for_yet(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Mail, "_awaited", lambda _self, _key: None)


def takes_a_message_without_its_record(patch: pytest.MonkeyPatch) -> None:
    take = SimulatedJournal.take

    def mutated(self: SimulatedJournal, message: Message, event: Event) -> Awaitable[None]:
        return take(self, message, event._replace(body="{}"))

    patch.setattr(SimulatedJournal, "take", mutated)


def hears_nothing_after_a_resume(patch: pytest.MonkeyPatch) -> None:
    async def mutated(self: Mail) -> None:
        self._core.on_wait = self._awaited

    patch.setattr(Mail, "open", mutated)


def gives_the_same_name_to_two_steps(patch: pytest.MonkeyPatch) -> None:
    claim = Context.claim

    def mutated(self: Any, name: str, number: int | None = None) -> str:
        return claim(self, name, 1 if number == 3 else number)

    patch.setattr(Context, "claim", mutated)


CROWDS = [
    Mutant(plant.__name__, plant)
    for plant in (
        ends_a_wait_before_its_time,
        waits_anew_after_every_crash,
        begins_what_waited_for_room_after_the_end,
        loses_a_message_that_nobody_waits_for_yet,
        takes_a_message_without_its_record,
        hears_nothing_after_a_resume,
        gives_the_same_name_to_two_steps,
    )
]

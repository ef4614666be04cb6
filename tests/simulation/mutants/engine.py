"""Bugs planted in the engine of a simulation: what a journal on a disk must not do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.simulation.mutants.mutant import Mutant

from maestri.kernel.events import Event
from maestri.kernel.ports import Message
from maestri.testing.simulated_disk import SimulatedDisk
from maestri.testing.simulated_engine import SimulatedEngine, SimulatedJournal


def acknowledges_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    write = SimulatedJournal._write

    def mutated(self: SimulatedJournal) -> None:
        for entry, waiter in self._under_way:
            self.acknowledge(entry.event, waiter)
        self._later(lambda: write(self))

    patch.setattr(SimulatedJournal, "_write", mutated)


def does_not_ask_for_the_epoch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SimulatedDisk, "may_write", lambda _self, _epoch: True)


def takes_a_lease_without_a_new_epoch(patch: pytest.MonkeyPatch) -> None:
    lease = SimulatedEngine.lease

    async def mutated(self: SimulatedEngine, run_id: str) -> SimulatedJournal:
        journal = await lease(self, run_id)
        disk = self._place.disk
        disk.info = disk.held._replace(epoch=disk.held.epoch - 1)
        journal.epoch -= 1
        return journal

    patch.setattr(SimulatedEngine, "lease", mutated)


def keeps_rows_of_a_torn_transaction(patch: pytest.MonkeyPatch) -> None:
    def mutated(self: SimulatedJournal, waiting: list[Any], count: int) -> None:
        self.store(waiting[len(waiting) // 2 :])

    patch.setattr(SimulatedJournal, "keep", mutated)


def forgets_that_a_message_was_taken(patch: pytest.MonkeyPatch) -> None:
    def mutated(self: SimulatedJournal, message: Message, event: Event) -> Awaitable[None]:
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(event, stored, None)
        return stored

    patch.setattr(SimulatedJournal, "take", mutated)


def goes_on_after_a_failure_of_the_disk(patch: pytest.MonkeyPatch) -> None:
    def mutated(self: SimulatedJournal) -> None:
        self._under_way = [one for one in self._under_way if one.waiter is not None]

    patch.setattr(SimulatedJournal, "_break", mutated)


ENGINE = [
    Mutant(plant.__name__, plant)
    for plant in (
        acknowledges_before_the_commit,
        does_not_ask_for_the_epoch,
        takes_a_lease_without_a_new_epoch,
        keeps_rows_of_a_torn_transaction,
        forgets_that_a_message_was_taken,
        goes_on_after_a_failure_of_the_disk,
    )
]

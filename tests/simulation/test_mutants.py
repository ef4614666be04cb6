"""Bugs that were planted on purpose are found, and the same seeds find nothing without them."""

from __future__ import annotations

import pytest
from tests.simulation.mutants.engine import ENGINE
from tests.simulation.mutants.kernel import KERNEL
from tests.simulation.mutants.mutant import Mutant

from maestri.testing.simulation import search

MUTANTS = [*ENGINE, *KERNEL]
SEEDS = range(400)  # the most that it may take to find one; far fewer than every change is tested with


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        mutant.plant(patch)
        report = search(SEEDS)
    assert report is not None
    assert f"replay: python -m maestri.testing.simulation --seed {report.seed}" in report.text()
    assert search([report.seed]) is None


def test_there_are_as_many_planted_bugs_as_were_promised() -> None:
    assert len({mutant.name for mutant in MUTANTS}) >= 10

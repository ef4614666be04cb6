"""Bugs that were planted on purpose are found, and the same seeds find nothing without them."""

from __future__ import annotations

import pytest
from tests.simulation.mutants.crowds import CROWDS
from tests.simulation.mutants.engine import ENGINE
from tests.simulation.mutants.kernel import KERNEL
from tests.simulation.mutants.mutant import Mutant

from maestri.testing.simulation import search
from tally import tally

MUTANTS = [*ENGINE, *KERNEL, *CROWDS]
SEEDS = range(400)  # the most that it may take to find one; far fewer than every change is tested with


# What a planted bug begins and never ends is part of the bug.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        mutant.plant(patch)
        report = search(SEEDS)
    found = report is not None
    tally("planted bugs", 0, planted=1, found=int(found), simulations=report.seed + 1 if report else 0)
    assert report is not None
    assert f"replay: python -m maestri.testing.simulation --seed {report.seed}" in report.text()
    assert search([report.seed]) is None


def test_there_are_as_many_planted_bugs_as_were_promised() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == 30

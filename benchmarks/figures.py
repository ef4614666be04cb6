"""What a benchmark yields, and how it takes the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number; `unit` says whether more is better (`/s`) or less (`ms`)."""

    what: str
    value: float
    unit: str


def per_second(work: Callable[[], int], rounds: int = 5) -> float:
    """Return how much work is done in a second, in the best of some rounds.

    The best and not the mean: other programs can only make a round slower.

    Args:
        work: Does some work and returns how many units of it.
        rounds: How often.
    """
    best = 0.0
    for _ in range(rounds):
        begun = time.perf_counter()
        done = work()
        best = max(best, done / (time.perf_counter() - begun))
    return best

"""Finds the smallest set of branches that break together, with few verifications, several of them at once.

The branches have an order, and `n` of them together fail. The shortest beginning of the list that fails ends
with one of the culprits; with this one kept, the shortest beginning that still fails ends with the next; and
so on until those that are kept fail by themselves. Each beginning is found by cutting what is left into
pieces: with `width` verifications at once, that takes `culprits x log(n) / log(width + 1)` turns.

Source: bisection (`git bisect`); QuickXplain (Junker, 2004), of which this is the form for a line of merges.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from maestri.records import NamedTuple


class Subset(NamedTuple):
    """The first `first` branches of the line, and some further ones by their places from 0."""

    first: int
    further: tuple[int, ...] = ()


Probe: TypeAlias = Callable[[Sequence[Subset]], Awaitable[Sequence[bool]]]


async def culprits(count: int, fails: Probe, width: int = 1, passing: int = 0) -> tuple[int, ...]:
    """Return the places of branches that fail together while no one of them can be taken away.

    It is taken for granted that a set that fails goes on failing with more in it. Where that is not so (a
    verification that is not steady), what comes back is still a set that was seen to fail.

    Args:
        count: How many branches there are; all of them together fail.
        fails: Tells of some subsets at once which of them fail.
        width: How many subsets to ask for at once.
        passing: How many of the first branches are known to pass together.
    """
    found: tuple[int, ...] = ()
    shortest = count
    while True:
        shortest = await _shortest(shortest, found, fails, width, passing) - 1
        found, passing = (shortest, *found), 0
        if not shortest or (await fails([Subset(0, found)]))[0]:
            return found


async def _shortest(high: int, further: tuple[int, ...], fails: Probe, width: int, passing: int) -> int:
    """Return the length of the shortest beginning that fails with some others, from `passing` on."""
    low = passing + 1
    while low < high:
        lengths = _cuts(low, high, width)
        failed = await fails([Subset(length, further) for length in lengths])
        first = next((at for at, is_failure in enumerate(failed) if is_failure), None)
        if first is None:
            low = lengths[-1] + 1
        else:
            low = lengths[first - 1] + 1 if first else low
            high = lengths[first]
    return high


def _cuts(low: int, high: int, width: int) -> list[int]:
    """Return up to `width` lengths that cut `low` to `high - 1` into even pieces."""
    room = high - low
    pieces = min(max(1, width), room) + 1
    return sorted({low + (room * piece) // pieces for piece in range(1, pieces)})

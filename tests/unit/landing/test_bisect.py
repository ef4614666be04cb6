"""The smallest set that breaks, by a script that knows it."""

import asyncio
from collections.abc import Sequence
from math import ceil, log2
from random import Random

import pytest

from maestri.landing.bisect import Subset, culprits


class Oracle:
    """Says of subsets whether they hold all of some culprits; `asked` counts them, `turns` the calls."""

    def __init__(self, *bad: set[int]) -> None:
        """Fail where all of one of these sets are there."""
        self.bad, self.asked, self.turns = bad, 0, 0

    async def fails(self, subsets: Sequence[Subset]) -> list[bool]:
        """Answer."""
        self.asked += len(subsets)
        self.turns += 1
        return [any(bad <= {*range(one.first), *one.further} for bad in self.bad) for one in subsets]


@pytest.mark.parametrize("width", [1, 2, 4])
def test_every_set_of_up_to_three_is_found_exactly_whatever_the_width(width: int) -> None:
    random = Random(1)
    for _ in range(200):
        count = random.randint(1, 60)
        bad = set(random.sample(range(count), min(count, random.randint(1, 3))))
        assert asyncio.run(culprits(count, Oracle(bad).fails, width)) == tuple(sorted(bad))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_it_takes_about_as_many_verifications_as_the_set_is_large_times_the_logarithm(size: int) -> None:
    random = Random(2)
    for count in (8, 20, 100):
        oracle = Oracle(set(random.sample(range(count), size)))
        asyncio.run(culprits(count, oracle.fails))
        assert oracle.asked <= size * (ceil(log2(count)) + 1)


def test_several_at_once_take_fewer_turns() -> None:
    one, four = Oracle({17, 63}), Oracle({17, 63})
    asyncio.run(culprits(100, one.fails, 1))
    asyncio.run(culprits(100, four.fails, 4))
    assert four.turns < one.turns


def test_what_is_known_to_pass_is_not_asked_for_again() -> None:
    oracle = Oracle({17, 63})
    assert asyncio.run(culprits(64, oracle.fails, 1, 63)) == (17, 63)
    assert oracle.asked <= 8


def test_of_several_sets_one_is_found_whole() -> None:
    found = asyncio.run(culprits(20, Oracle({3, 9}, {5, 14}).fails))
    assert found == (3, 9)


def test_it_ends_also_where_nothing_that_is_asked_fails() -> None:
    assert asyncio.run(culprits(5, Oracle().fails)) == (0, 1, 2, 3, 4)

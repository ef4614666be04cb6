"""Ids that sort by time, and names that are free."""

from __future__ import annotations

import random
import re

from maestri.engines.names import new_id, new_name


def test_id_sorts_by_time_whatever_the_random_bits() -> None:
    early, late = (
        new_id(1_700_000_000.0, lambda bits: (1 << bits) - 1),
        new_id(1_700_000_000.001, lambda _: 0),
    )
    assert early < late
    assert len(early) == len(late) == 26


def test_id_has_letters_that_cannot_be_confused() -> None:
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", new_id(1.7e9, random.Random(1).getrandbits))


def test_ids_of_one_moment_differ() -> None:
    draw = random.Random(1).getrandbits
    assert len({new_id(1.7e9, draw) for _ in range(1000)}) == 1000


def test_name_is_easy_to_type() -> None:
    draw = random.Random(1).getrandbits
    assert all(re.fullmatch(r"[a-z]{3,7}-[a-z]{3,7}-\d{1,2}", new_name((), draw)) for _ in range(1000))


def test_name_that_is_taken_is_not_given_again() -> None:
    taken: set[str] = set()
    draw = random.Random(1).getrandbits
    for _ in range(5000):
        taken.add(new_name(taken, draw))
    assert len(taken) == 5000


def test_numbers_grow_when_all_names_are_taken() -> None:
    class AllSmall:
        def __contains__(self, name: object) -> bool:
            return int(str(name).rsplit("-", 1)[1]) <= 1000

    assert int(new_name(AllSmall(), random.Random(1).getrandbits).rsplit("-", 1)[1]) > 1000

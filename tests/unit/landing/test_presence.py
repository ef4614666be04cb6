"""How texts differ, and whether the edits of one are in another: pure, on lists of lines."""

from itertools import pairwise
from random import Random

import pytest

from maestri.landing.difference import edits
from maestri.landing.presence import seen

BASE = [b"a\n", b"b\n", b"c\n", b"d\n", b"e\n", b"f\n"]


def lines(words: str) -> list[bytes]:
    return [word.encode() + b"\n" for word in words.split()]


def there(base: str, tip: str, result: str) -> list[bool]:
    return [one.is_there for one in seen(lines(base), lines(tip), lines(result))]


def altered(random: Random, old: list[bytes]) -> list[bytes]:
    new = list(old)
    for _ in range(random.randrange(6)):
        at, words = random.randrange(len(new) + 1), random.choices(b"xyz", k=random.randrange(3))
        new[at : at + random.randrange(3)] = [bytes([word]) for word in words]
    return new


@pytest.mark.parametrize("seed", range(20))
def test_the_edits_of_two_texts_make_one_the_other_and_never_touch(seed: int) -> None:
    random = Random(seed)
    for _ in range(50):
        old = [
            bytes([word])
            for word in random.choices(b"xyzuvw"[: random.randint(1, 6)], k=random.randrange(30))
        ]
        new, made, at = altered(random, old), list[bytes](), 0
        found = edits(old, new)
        for edit in found:
            made += [*old[at : edit.start], *new[edit.new_start : edit.new_end]]
            at = edit.end
        assert [*made, *old[at:]] == new
        assert all(one.end < other.start for one, other in pairwise(found))


def test_an_edit_that_could_stand_in_several_places_stands_in_the_last() -> None:
    assert edits(lines("a x x b"), lines("a x x x b")) == [(3, 3, 3, 4)]
    assert edits(lines("a x x x b"), lines("a x x b")) == [(3, 4, 3, 3)]


def test_texts_without_a_line_in_common_replace_each_other() -> None:
    old, new = [b"%d" % n for n in range(3000)], [b"-%d" % n for n in range(3000)]
    assert edits(old, new) == [(0, 3000, 0, 3000)]


def test_every_edit_of_a_text_is_in_itself_and_none_in_what_it_was_made_from() -> None:
    random = Random(3)
    for _ in range(300):
        base = [bytes([word]) for word in random.choices(b"xyzuv", k=20)]
        tip = altered(random, base)
        assert all(one.is_there for one in seen(base, tip, tip))
        assert not any(one.is_there for one in seen(base, tip, base))


@pytest.mark.parametrize(
    ("tip", "result", "found"),
    [
        ("a B c d e f", "a B c d E f", [True]),  # another one has changed something else
        ("a B c d E f", "a B c d e f", [True, False]),
        ("a b x y c d e f", "a b x c d e f", [False]),  # a line of two is gone
        ("a b x c d e f", "a b x y c d e f", [True]),  # both have added there, and both are kept
        ("a c d e f", "a b c d e f", [False]),  # what was removed is back
        ("a c d e f", "a c D e f", [True]),
        ("a B c d e f", "a B C d e f", [True]),  # the neighbour was changed as well
        ("a B c d e f", "a b B c d e f", [False]),  # added, but what it replaces is still there
        ("x a b c d e f x", "x a b c d e f", [True, False]),  # a double does not stand in for it
    ],
)
def test_an_edit_is_there_where_it_belongs_or_it_is_not(tip: str, result: str, found: list[bool]) -> None:
    assert there("a b c d e f", tip, result) == found

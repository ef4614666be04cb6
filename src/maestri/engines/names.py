"""Ids and names of runs: an id to sort by, a name to say.

Rule 1: time and randomness are given in, so that a test can repeat them.
Rule 2: a name is easy to type: lower case ASCII, two short words and a number.
"""

from __future__ import annotations

from collections.abc import Callable, Container

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_ID_CHARS = 26

_ADJECTIVES = (  # noqa: SIM905 - 64 lines would say less
    "able amber ample apt brave brief bright brisk calm candid clear clever cool cosmic crisp daring "
    "deft eager early easy fair fancy fast fine firm fond free fresh gentle glad golden grand happy hardy "
    "honest humble jolly keen kind light lively loyal lucky mellow merry mild modest neat noble plain "
    "polite proud quick quiet ready rosy sharp shiny silver simple smart solid steady sunny"
).split()
_NOUNS = (  # noqa: SIM905 - 64 lines would say less
    "acorn anchor aspen badger basil beacon birch bison brook canyon cedar cello clover comet coral crane "
    "delta ember falcon fern finch fjord gecko glade harbor hazel heron ibis iris island jasper lagoon "
    "lark laurel lemon lily lynx maple marten meadow mesa moss nectar oak oboe olive orbit orchid otter "
    "owl pebble pine plover prairie quartz raven reef river robin sage sparrow spruce thyme willow"
).split()


def new_id(now_s: float, draw: Callable[[int], int]) -> str:
    """Return an id of 26 letters and digits that sorts by time: 48 bits of milliseconds, 80 random bits.

    Args:
        now_s: Seconds since 1970.
        draw: Returns a whole number of so many random bits, as `random.getrandbits` does.

    Source: ULID specification (github.com/ulid/spec).
    """
    number = (int(now_s * 1000) << _RANDOM_BITS) | draw(_RANDOM_BITS)
    digits = [_CROCKFORD[(number >> (5 * place)) & 31] for place in range(_ID_CHARS)]
    return "".join(reversed(digits))


def new_name(taken: Container[str], draw: Callable[[int], int]) -> str:
    """Return a name such as `brave-otter-7` that is not among those taken.

    Args:
        taken: The names of all runs there are.
        draw: Returns a whole number of so many random bits.
    """
    bits = 5
    while True:
        name = f"{_ADJECTIVES[draw(6)]}-{_NOUNS[draw(6)]}-{1 + draw(bits)}"
        if name not in taken:
            return name
        bits = min(bits + 1, 64)  # numbers grow as names run out

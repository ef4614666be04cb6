"""Claims as globs: what is in them, what is stray, which can meet."""

from __future__ import annotations

import random
import re

import pytest

from maestri.claims import Touched, can_meet, is_claimed, strays


@pytest.mark.parametrize(
    ("path", "claim", "expected"),
    [
        ("src/a.py", "src/**", True),
        ("src", "src/**", False),
        ("src/x/y", "src", True),
        ("srcx", "src", False),
        ("SRC/a", "src/**", False),
        ("a.py", "*.py", True),
        ("d/a.py", "*.py", False),
        ("d/a.py", "**/*.py", True),
        ("a.py", "**/*.py", True),
        ("src/a/b/test/x", "src/**/test", True),
        ("a-b", "a[!b]b", True),
        ("a/b", "a?b", False),
        ("a/b", "a[!x]b", False),
        ("a+b", "a+b", True),
        ("[x]", "[[]x]", True),
        ("x", "./x", True),
        ("a\nb", "a?b", True),
        ("b", "[b-a]", False),
    ],
)
def test_whether_a_path_is_claimed(path: str, claim: str, expected: bool) -> None:
    assert is_claimed(path, [claim]) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("src/**", "src/a.py", True),
        ("src/**", "docs/**", False),
        ("src/api/**", "src/ui/**", False),
        ("a/b", "a", True),
        ("*.py", "a*", True),
        ("*.py", "*.md", False),
        ("a?c", "abc", True),
        ("[ab]c", "cc", False),
        ("**/test", "src/**", True),
        ("**", "anything/at/all", True),
        ("a*b*c", "*x*", True),
        ("ab*", "*ba", True),
    ],
)
def test_whether_two_claims_can_meet(one: str, other: str, expected: bool) -> None:
    assert (can_meet([one], [other]) is not None) is expected
    assert (can_meet([other], [one]) is not None) is expected


def test_claims_that_a_path_is_in_both_of_can_meet() -> None:
    draw = random.Random(1)
    parts = ["a", "b", "ab", "*", "a*", "*b", "?", "**", "[ab]"]
    paths = ["/".join(draw.choices(["a", "b", "ab", "ba", "aab"], k=draw.randint(1, 4))) for _ in range(200)]
    for _ in range(300):
        one, other = ("/".join(draw.choices(parts, k=draw.randint(1, 4))) for _ in range(2))
        shared = [path for path in paths if is_claimed(path, [one]) and is_claimed(path, [other])]
        assert not shared or can_meet([one], [other]), (one, other, shared[0])


def test_no_claim_is_a_wrong_expression() -> None:
    draw = random.Random(2)
    for _ in range(2000):
        claim = "".join(draw.choices("ab*?[]!-/\\^&~|.(){}+$ \n", k=draw.randint(0, 8)))
        try:
            is_claimed("a/b", [claim])
            can_meet([claim], ["a/*"])
        except re.error as error:
            pytest.fail(f"{claim!r}: {error}")


def why(one: Touched, *claims: str, paths: tuple[str, ...] = ()) -> str:
    return strays([one], claims, (one.path, *paths)).get(one.path, "")


def test_what_is_outside_of_the_claims_is_stray_also_when_it_is_deleted() -> None:
    assert why(Touched("docs/x", is_deleted=True), "src") == "it is outside of the claims"
    assert why(Touched("src/x", is_deleted=True), "src") == ""


def test_without_claims_everything_is_claimed_but_what_leads_out() -> None:
    assert why(Touched("x")) == ""
    assert "leads out" in why(Touched("a/x", target="../../x"))
    assert why(Touched("a/x", target="../x")) == ""


@pytest.mark.parametrize(
    ("path", "there"), [("Docs/x", "docs/y"), ("straße", "STRASSE"), ("caf\u00e9", "cafe\u0301")]
)
def test_what_another_system_takes_for_the_same_path_is_stray(path: str, there: str) -> None:
    assert "the way of writing it" in why(Touched(path), paths=(there,))


def test_claims_may_start_from_a_folder() -> None:
    touched = [Touched("pkg/src/a"), Touched("src/a")]
    assert list(strays(touched, ["src"], ["pkg/src/a", "src/a"], "pkg")) == ["src/a"]

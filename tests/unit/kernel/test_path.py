"""Paths: names, numbers, parents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestri.errors import BadName
from maestri.kernel import path

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)
SEGMENTS = st.builds(path.numbered, NAMES, st.integers(1, 30))
PATHS = st.lists(SEGMENTS, max_size=6).map(lambda segments: "/" + "/".join(segments))


def test_the_first_use_of_a_name_has_no_number() -> None:
    assert [path.numbered("a", n) for n in (1, 2, 10)] == ["a", "a#2", "a#10"]


@pytest.mark.parametrize(
    ("name", "is_name"),
    [
        ("a", True),
        ("a-b_C9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("9a", False),
        ("-a", False),
        ("a b", False),
        ("a#2", False),
        ("a/b", False),
        ("a\n", False),
        ("é", False),
    ],
)
def test_what_is_a_name(name: str, is_name: bool) -> None:
    if is_name:
        path.check_name(name)
        return
    with pytest.raises(BadName) as caught:
        path.check_name(name)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("typed", "found"),
    [("a/b", "/a/b"), ("/a/b/", "/a/b"), ("a#1/b", "/a/b"), ("a#02", "/a#2"), ("", "/"), ("/", "/")],
)
def test_a_typed_path_is_brought_into_its_normal_form(typed: str, found: str) -> None:
    assert path.parse(typed) == found


@pytest.mark.parametrize("typed", ["a//b", "a#", "a#0", "a#x", "a#-1", "a#²", "#2", "a b", "a#1#2", ".."])
def test_what_is_no_path_is_refused(typed: str) -> None:
    with pytest.raises(BadName):
        path.parse(typed)


def test_the_root_is_its_own_scope() -> None:
    assert (path.parent("/"), path.ancestors("/"), path.join("/", "")) == (("/", ""), [], "/")


@given(PATHS)
def test_a_path_in_its_normal_form_stays_as_it_is(text: str) -> None:
    assert path.parse(text) == text


@given(PATHS, SEGMENTS)
def test_join_and_parent_are_each_other_s_inverse(scope: str, segment: str) -> None:
    assert path.parent(path.join(scope, segment)) == (scope, segment)


@given(PATHS, SEGMENTS)
def test_the_scopes_above_a_path_begin_with_the_root_and_end_with_its_scope(scope: str, segment: str) -> None:
    above = path.ancestors(path.join(scope, segment))
    assert (above[0], above[-1]) == ("/", scope)
    assert all(path.is_within(scope, one) for one in above)


@given(NAMES, st.integers(1, 1000))
def test_a_segment_is_split_into_what_it_was_made_of(name: str, number: int) -> None:
    assert path.split_segment(path.numbered(name, number)) == (name, number)


def test_a_path_is_not_within_another_that_only_begins_alike() -> None:
    assert not path.is_within("/ab", "/a")
    assert path.is_within("/a/b", "/a")
    assert path.is_within("/a", "/a")

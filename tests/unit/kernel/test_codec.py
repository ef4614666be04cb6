"""Values to text and back, digests, and large texts kept once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestri.errors import ValueRefused
from maestri.kernel import codec

KEYS = st.sampled_from(["$blob", "$quoted", "a", ""]) | st.text(max_size=5)
TEXTS = st.text(max_size=20) | st.sampled_from(["x" * 1025, "ü" * 1025, "y" * 5000, "x" * 1024])
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    text, seen = codec.settle(value)
    assert codec.decode(text) == value == seen


@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_large_texts_are_taken_out_and_put_back(body: dict[str, Any]) -> None:
    small, blobs = codec.shrink(codec.encode(body))
    assert codec.expand(small, blobs) == body
    assert codec.blobs_in(small) == set(blobs)


@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_nothing_large_is_left_in_a_shrunk_body(body: dict[str, Any]) -> None:
    small, _ = codec.shrink(codec.encode({"output": body}))
    assert "x" * 1025 not in small


def test_a_small_body_is_not_looked_into() -> None:
    body = codec.encode({"output": "small"})
    assert codec.shrink(body) == (body, {})


@pytest.mark.parametrize("texts", [["short"] * 500, ["with\nescapes"] * 500, list(range(2000))])
def test_a_large_body_of_small_parts_stays_as_it_is(texts: list[Any]) -> None:
    body = codec.encode({"output": texts})
    assert codec.shrink(body) == (body, {})


def test_a_large_text_is_found_whatever_it_is_written_with() -> None:
    for large in ("x" * 1025, '"' * 1025, "\n" * 1025, 'a"b' * 400):
        assert codec.shrink(codec.encode({"output": ["short", large]}))[1] != {}


def test_a_text_that_occurs_twice_is_kept_once() -> None:
    _, blobs = codec.shrink(codec.encode(["x" * 2000, {"again": "x" * 2000}]))
    assert len(blobs) == 1


@given(st.dictionaries(st.text(max_size=4), SCALARS, max_size=5))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert codec.digest(value) == codec.digest(turned)
    assert len(codec.digest(value)) == 16


@pytest.mark.parametrize(
    "value", [float("nan"), {1}, b"x", object(), "\ud800", {"a": float("inf")}, {(1,): 2}]
)
def test_what_json_cannot_carry_is_refused_everywhere(value: Any) -> None:
    for refused in (codec.encode, codec.settle, codec.digest):
        with pytest.raises(ValueRefused) as caught:
            refused(value)
        assert caught.value.fix


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueRefused):
        codec.encode(deep)


def test_what_can_be_encoded_can_also_be_shrunk() -> None:
    deep: Any = "x" * 2000
    while True:
        try:
            body = codec.encode({"output": deep})
        except ValueRefused:
            break
        small, blobs = codec.shrink(body)
        assert codec.expand(small, blobs) == codec.decode(body)
        for _ in range(50):
            deep = [deep]


@pytest.mark.parametrize("text", ["", " 1", "{", "nothing"])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting|delimiter|enclosed"):
        codec.decode(text)

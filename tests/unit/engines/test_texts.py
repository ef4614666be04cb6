"""Large texts as a journal file has them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maestri.engines.sqlite.texts import packed_text, unpacked_text


@given(st.text(st.characters(codec="utf-8"), max_size=3000))
def test_a_text_comes_back_and_never_takes_more(text: str) -> None:
    stored = packed_text(text)
    assert unpacked_text(stored) == text
    assert len(stored if isinstance(stored, bytes) else stored.encode()) <= len(text.encode())


def test_what_repeats_itself_takes_a_fraction() -> None:
    assert len(packed_text("ten letters" * 1000)) < 200


def test_what_cannot_be_unpacked_is_nothing() -> None:
    stored = packed_text("x" * 5000)
    assert isinstance(stored, bytes)
    assert [unpacked_text(wrong) for wrong in (stored[:-3], b"no", 7, None)] == [None] * 4

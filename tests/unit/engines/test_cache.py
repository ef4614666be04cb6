"""Outputs that are kept for other runs."""

from pathlib import Path

import pytest

from maestri.engines.cache import Cache, CacheEntry

KEY, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    found = Cache(tmp_path / "cache")
    found.keep(CacheEntry(KEY, 1.0, "run-1", "/a", "make", {"n": 1}))
    found.keep(CacheEntry(OTHER, 2.0, "run-2", "/b", "test", None))
    return found


def test_what_is_kept_is_found_by_its_key(cache: Cache) -> None:
    found = cache.find(KEY)
    assert found and (found.value, found.run, found.path) == ({"n": 1}, "run-1", "/a")
    assert cache.find("ef" * 32) is None


def test_a_text_that_is_no_key_names_no_file(cache: Cache) -> None:
    assert cache.find("../../etc/passwd") is None


def test_the_oldest_is_listed_first(cache: Cache) -> None:
    assert [entry.key for entry in cache.entries()] == [KEY, OTHER]


def test_a_later_entry_takes_the_place_of_an_earlier_one(cache: Cache) -> None:
    cache.keep(CacheEntry(KEY, 3.0, "run-3", "/a", "make", "new"))
    assert [entry.value for entry in cache.entries()] == [None, "new"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"key": 1}', "\0"])
def test_a_damaged_entry_counts_as_not_there(cache: Cache, damage: str) -> None:
    (cache.root / "ab" / f"{KEY}.json").write_text(damage)
    assert cache.find(KEY) is None
    assert len(cache.entries()) == 1


def test_some_or_all_are_removed(cache: Cache) -> None:
    assert cache.remove("ab") == 1
    assert cache.remove(before=2.0) == 0
    assert cache.remove() == 1
    assert cache.entries() == []


def test_nothing_is_left_aside(cache: Cache) -> None:
    assert sorted(file.name for file in cache.root.rglob("*") if file.is_file()) == [
        f"{KEY}.json",
        f"{OTHER}.json",
    ]

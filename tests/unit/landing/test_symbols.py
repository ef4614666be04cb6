"""Overlaps in the symbols of Python."""

from maestri.landing.symbols import FileChange, Overlap, file_change, overlaps

BASE = b"""LIMIT = 3

def area(width):
    return width * LIMIT

class Box:
    def open(self, key):
        return area(key)
"""


def change(path: str, before: bytes | None, after: bytes | None) -> list[FileChange]:
    found = file_change(path, before, after)
    assert found is not None
    return [found]


def edit(old: bytes, new: bytes, path: str = "shop/box.py") -> list[FileChange]:
    return change(path, BASE, BASE.replace(old, new))


def caller(text: bytes, path: str = "shop/use.py") -> list[FileChange]:
    return change(path, None, text)


def words(found: list[Overlap]) -> list[tuple[str, str, str, bool]]:
    return [(one.symbol, one.change, one.place, one.is_break) for one in found]


def test_symbols_are_told_apart_by_how_they_changed() -> None:
    assert edit(b"(width)", b"(width, height)")[0].changed == {"area": "signature"}
    assert edit(b"width * LIMIT", b"width + LIMIT")[0].changed == {"area": "body"}
    assert edit(b"def area", b"def surface")[0].changed == {"area": "removed", "surface": "added"}
    assert edit(b"self, key", b"self")[0].changed == {"Box.open": "signature"}
    assert edit(b"LIMIT = 3", b"LIMIT = 4")[0].changed == {"LIMIT": "body"}


def test_comments_and_layout_change_no_symbol() -> None:
    assert edit(b"return width", b"# why\n    return  width")[0].changed == {}


def test_a_function_that_is_gone_and_one_that_calls_it_anew_break_each_other() -> None:
    use = caller(b"from shop.box import area\n\ndef price(x):\n    return area(x)\n")
    found = overlaps({"one": edit(b"def area", b"def surface"), "two": use})
    assert words(found) == [("area", "removed", "shop/use.py:4", True)]
    assert (found[0].one, found[0].other) == ("one", "two")


def test_a_call_through_the_module_counts_and_one_of_another_function_of_that_name_does_not() -> None:
    gone = edit(b"(width)", b"(width, height)")
    through = caller(b"from shop import box\n\ndef price(x):\n    return box.area(x)\n")
    own = caller(b"def area(x):\n    return x\n\ndef price(x):\n    return area(x)\n")
    unknown = caller(b"def price(area):\n    return area(1)\n")
    assert len(overlaps({"one": gone, "two": through})) == 1
    assert overlaps({"one": gone, "two": own}) == overlaps({"one": gone, "two": unknown}) == []


def test_two_branches_that_change_one_symbol_meet_there() -> None:
    found = overlaps({"one": edit(b"width * LIMIT", b"width"), "two": edit(b"(width)", b"(width, height)")})
    assert [(one.symbol, one.is_use) for one in found] == [("area", False)]


def test_code_that_was_there_before_is_not_a_new_use() -> None:
    assert (
        overlaps({"one": edit(b"width * LIMIT", b"LIMIT * width"), "two": edit(b"LIMIT = 3", b"LIMIT = 4")})
        == []
    )


def test_what_breaks_comes_first() -> None:
    use = caller(b"from shop.box import area, LIMIT\n\ndef price(x):\n    return LIMIT + area(x)\n")
    one = edit(b"LIMIT = 3", b"LIMIT = 4") + edit(b"(width)", b"(width, height)")
    assert [found.is_break for found in overlaps({"one": one, "two": use})] == [True, False]


def test_what_this_python_cannot_read_has_no_symbols() -> None:
    for text in (b"def (", b"\xff\xfe", b"x = '" + b"a" * 500_000 + b"'", b"(" * 5000):
        assert file_change("a.py", None, text) is None


def test_a_deleted_module_takes_all_of_its_symbols() -> None:
    assert set(change("shop/box.py", BASE, None)[0].changed.values()) == {"removed"}

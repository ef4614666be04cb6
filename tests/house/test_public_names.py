"""The names that users may build on are pinned in public_names.txt."""

import public_names


def test_no_public_name_came_or_went_without_a_decision() -> None:
    pinned = public_names.PINNED.read_text(encoding="utf-8")
    found = [finding.text() for finding in public_names.objections(pinned, public_names.listing())]
    assert found == [], "after a decision: python tools/public_names.py --write"


def test_a_name_that_went_is_named_with_its_line() -> None:
    found = public_names.objections("[maestri]\nkept\ngone\n", "[maestri]\nkept\n")
    assert [(finding.line, finding.message) for finding in found] == [(3, "`maestri.gone` is gone")]


def test_a_name_that_came_is_refused_until_it_is_pinned() -> None:
    found = public_names.objections("[maestri]\n", "[maestri]\nfresh\n")
    assert [finding.message for finding in found] == ["`maestri.fresh` is new: pin it, or hide it"]


def test_one_name_in_two_modules_is_two_names() -> None:
    assert public_names.objections("[a]\nx\n", "[a]\nx\n\n[b]\nx\n")[0].message.startswith("`b.x` is new")

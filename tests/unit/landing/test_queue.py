"""The order of branches."""

from maestri.landing.queue import Branch, dependants, in_order


def branch(name: str, lines: int = 1, files: int = 1, needs: tuple[str, ...] = ()) -> Branch:
    return Branch(name, name, "base", files, lines, needs)


def names(*branches: Branch) -> list[str]:
    return [one.name for one in in_order(branches)]


def test_the_smallest_goes_first_and_equals_as_they_were_given() -> None:
    assert names(branch("c", 9), branch("b", 1, 2), branch("a", 1, 1), branch("d", 1, 1)) == [
        "a",
        "d",
        "b",
        "c",
    ]


def test_what_a_branch_contains_goes_before_it_however_large() -> None:
    assert names(branch("top", 1, needs=("big",)), branch("big", 99), branch("mid", 5)) == [
        "mid",
        "big",
        "top",
    ]


def test_a_need_that_is_not_to_be_landed_does_not_hold_up() -> None:
    assert names(branch("a", needs=("elsewhere",))) == ["a"]


def test_whatever_contains_a_branch_that_is_left_out_depends_on_it_through_others_too() -> None:
    line = [branch("a"), branch("b", needs=("a",)), branch("c"), branch("d", needs=("b",))]
    assert dependants(line, ["a"]) == {"b": "a", "d": "b"}


def test_a_branch_survives_json() -> None:
    one = branch("a", needs=("b",))
    assert Branch.from_json(one.as_json()) == one

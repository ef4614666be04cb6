"""The gate on docs/errors.md, on small pages that break it."""

import ast
from pathlib import Path

import errors_page
from sources import Finding, Source

PLACE = Finding(Path("some.py"), 7, "L201")
GOOD = "# Errors\n\n## L201 unknown key\n\n```yaml\nstep: {}\n```\n"


def messages(codes: list[str], text: str) -> list[str]:
    found = errors_page.objections(dict.fromkeys(codes, PLACE), text)
    return [finding.message for finding in found]


def test_codes_are_found_in_classes_and_calls_but_not_in_prose() -> None:
    text = (
        '"""About L999."""\nclass A:\n    """B: S998."""\n    code, kind = "S101", "exit"\n'
        'report("L201", "AL2010")\n'
    )
    found = errors_page.codes_in(Source(Path("some.py"), text, ast.parse(text)))
    assert {code: place.line for code, place in found.items()} == {"S101": 4, "L201": 5}


def test_the_source_has_codes_and_they_are_in_order() -> None:
    codes = list(errors_page.all_codes())
    assert "S101" in codes
    assert codes == sorted(codes)


def test_a_section_for_each_code_is_fine() -> None:
    assert messages(["L201"], GOOD) == []


def test_a_code_without_a_section_is_named_with_its_place() -> None:
    found = errors_page.objections({"L201": PLACE}, "")
    assert [finding.text() for finding in found] == [
        "some.py:7: L201 has no section in errors.md: add `## L201`"
    ]


def test_a_section_without_a_code_an_example_or_a_need_is_refused() -> None:
    assert messages([], GOOD) == ["L201 is not a code of the source"]
    assert messages(["L201"], "## L201\n\nOnly words.\n") == [
        "L201 shows no example: an input and its output"
    ]
    assert messages(["L201"], GOOD + GOOD) == ["L201 has a section already"]


def test_a_heading_inside_an_example_is_part_of_the_example() -> None:
    text = "## L201\n\n````md\n```yaml\n## S999\n```\n````\n"
    assert messages(["L201"], text) == []

"""The gate on sizes, on small files that break it."""

import ast
from pathlib import Path

import sizes
from sources import SRC, Source, python_sources


def source(text: str) -> Source:
    return Source(Path("some.py"), text, ast.parse(text))


def test_nothing_in_the_source_is_too_large() -> None:
    findings = sizes.gather([sizes.measure(one) for one in python_sources(SRC)]).findings
    assert [finding.text() for finding in findings] == []


def test_a_function_of_61_lines_is_refused_with_its_line() -> None:
    found = sizes.measure(source("\n\ndef long():\n" + "    x = 1\n" * 60))
    assert [finding.text() for finding in found.findings] == [
        "some.py:3: `long` has 61 lines; the limit is 60"
    ]


def test_a_docstring_does_not_count() -> None:
    doc = '    """One.\n' + "\n    More.\n" * 40 + '    """\n'
    assert sizes.measure(source("def f():\n" + doc + "    return 1\n")).functions == [2]


def test_an_inner_and_an_async_function_count_too() -> None:
    text = "async def outer():\n    def inner():\n        return 1\n    return inner\n"
    assert sizes.measure(source(text)).functions == [4, 2]


def test_a_file_of_401_lines_is_refused() -> None:
    found = sizes.measure(source("x = 1\n" * 401))
    assert [finding.line for finding in found.findings] == [1]
    assert sizes.measure(source("x = 1\n" * 401), file_limit=None).findings == []

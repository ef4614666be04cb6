"""Which tests cover what of each construct: the table of docs/reference/patterns.md, and the gate behind it.

Rule 1: the tests say it themselves, by `@pytest.mark.covers(part, ...)`, or by a phrase in their name; what
is read are the tests that pytest collects, so that a case that is not there covers nothing.
Rule 2: no cell is empty. A construct with a cap of its own (`max_rounds`, `deadline`) has a test of its own
for it: the time limit that every construct has is not enough.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from maestri.patterns._registry import PatternSpec
from maestri.project import Project
from sources import ROOT, Finding, conclude

KIT = ROOT / "tests" / "conformance" / "test_constructs.py"
OWN = ROOT / "tests" / "patterns"
LANDING = ROOT / "tests" / "landing"
PARTS = ("result", "order", "failure", "cancel", "limit", "resume", "nesting", "YAML", "Python")
# Phrases in the names of a pattern's own tests, and what such a test covers.
PHRASES = {"_cancelled": "cancel", "_resumes_at_every_": "resume", "_nests_": "nesting"}
# A file or a folder of tests that is not called by the keyword.
_KEYWORDS = {"sequence": "steps", LANDING.name: "land"}
_CAPS = ("max_", "deadline", "timeout")


class Test(NamedTuple):
    """A test without its parameters."""

    file: str
    name: str

    @property
    def is_kit(self) -> bool:
        """Whether every construct has it."""
        return self.file == KIT.name


Cells = Mapping[tuple[str, str], tuple[Test, ...]]


class _Collector:
    """A plug-in of pytest that keeps what it collects."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests."""
        self.items = list(items)


def collected(places: Iterable[Path] = (KIT, OWN, LANDING)) -> list[pytest.Item]:
    """Return the tests that pytest finds.

    Raises:
        RuntimeError: It cannot collect them; with what it says.
    """
    collector, said = _Collector(), io.StringIO()
    options = ["--collect-only", "-qq", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = pytest.main([*options, *map(str, places)], plugins=[collector])
    if code:
        raise RuntimeError(f"the tests cannot be collected:\n{said.getvalue()}")
    return collector.items


def cells(items: Iterable[pytest.Item], constructs: Iterable[str]) -> Cells:
    """Return the tests by construct and part, also where there is none."""
    found: dict[tuple[str, str], dict[Test, None]] = {(c, part): {} for c in constructs for part in PARTS}
    for item in items:
        test = Test(item.path.name, item.name.partition("[")[0])
        for part in _parts(item, test):
            tests = found.get((_construct(item), part))
            if tests is not None:
                tests[test] = None
    return {key: tuple(sorted(tests, key=lambda one: not one.is_kit)) for key, tests in found.items()}


def _construct(item: Any) -> str:
    """Return the keyword that a test is about: that of its case, or that of its file."""
    case = item.callspec.params.get("case") if hasattr(item, "callspec") else None
    if case is not None:
        return str(case.keyword)
    folder = item.path.parent.name
    name = folder if folder in _KEYWORDS else item.path.stem.removeprefix("test_")
    return _KEYWORDS.get(str(name), str(name))


def _parts(item: pytest.Item, test: Test) -> list[str]:
    marked = [part for mark in item.iter_markers("covers") for part in mark.args]
    unknown = ", ".join(sorted(set(marked) - set(PARTS)))
    if unknown:
        raise RuntimeError(f"{item.nodeid} covers {unknown}; there are: {', '.join(PARTS)}")
    return marked if test.is_kit else [*marked, *(PHRASES[one] for one in PHRASES if one in test.name)]


def missing(found: Cells, patterns: Mapping[str, PatternSpec]) -> list[Finding]:
    """Return a finding for each empty cell, and for each cap without a test of its own."""
    findings = [
        Finding(KIT, 1, f"nothing covers `{part}` of `{construct}`")
        for (construct, part), tests in found.items()
        if not tests
    ]
    for construct, spec in patterns.items():
        caps = [option.name for option in spec.options if option.name.startswith(_CAPS)]
        if caps and all(test.is_kit for test in found[construct, "limit"]):
            words = f'`{caps[0]}` of `{construct}` has no test of its own: mark it with `covers("limit")`'
            findings.append(Finding(OWN, 1, words))
    return findings


def table(found: Cells) -> list[str]:
    """Return the table as Markdown: a row for each construct with the numbers of its tests, and these."""
    every = sorted((test for tests in found.values() for test in tests), key=lambda one: not one.is_kit)
    numbers = {test: number for number, test in enumerate(dict.fromkeys(every), start=1)}
    rows = [f"| construct | {' | '.join(PARTS)} |", "|---" * (len(PARTS) + 1) + "|"]
    for construct in dict.fromkeys(construct for construct, _ in found):
        shown = [" ".join(str(numbers[test]) for test in found[construct, part]) for part in PARTS]
        rows.append(f"| [`{construct}`](patterns/{construct}.md) | {' | '.join(shown)} |")
    listed = [f"{number}. `{test.file}`: {_sentence(test)}" for test, number in numbers.items()]
    return [*rows, "", *listed]


def _sentence(test: Test) -> str:
    return test.name.removeprefix("test_").replace("_", " ")


def main() -> int:
    """Say what is not covered."""
    patterns = Project().patterns
    found = cells(collected(), patterns)
    count = len({test for tests in found.values() for test in tests})
    done = f"constructs: {len(patterns)}, each covered in {len(PARTS)} parts, by {count} tests"
    return conclude(missing(found, patterns), done)


if __name__ == "__main__":
    sys.exit(main())

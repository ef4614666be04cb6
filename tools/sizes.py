"""Gate: no file of the source above 400 lines, no function anywhere above 60 (docstring not counted)."""

from __future__ import annotations

import ast
import sys
from statistics import median
from typing import NamedTuple

from sources import ROOT, SRC, Finding, Function, Source, conclude, definitions, python_sources

FILE_LINES = 400
FUNCTION_LINES = 60


class Sizes(NamedTuple):
    """What was measured in some files, and what is too large among it."""

    files: list[int]
    functions: list[int]
    findings: list[Finding]


def function_lines(function: Function) -> int:
    """Return the lines of a function from `def` to its end, without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def measure(source: Source, file_limit: int | None = FILE_LINES) -> Sizes:
    """Return the sizes of one file; with a `file_limit` of None only its functions can be too large."""
    lines = len(source.text.splitlines())
    findings = []
    if file_limit is not None and lines > file_limit:
        what = f"{lines} lines; the limit is {file_limit}: split the file by concern"
        findings.append(Finding(source.file, 1, what))
    functions = []
    for part in definitions(source.tree):
        if isinstance(part, ast.ClassDef):
            continue
        size = function_lines(part)
        functions.append(size)
        if size > FUNCTION_LINES:
            what = f"`{part.name}` has {size} lines; the limit is {FUNCTION_LINES}"
            findings.append(Finding(source.file, part.lineno, what))
    return Sizes([lines], functions, findings)


def gather(sizes: list[Sizes]) -> Sizes:
    """Return the sizes of several files as one."""
    return Sizes(
        [lines for one in sizes for lines in one.files],
        [lines for one in sizes for lines in one.functions],
        [finding for one in sizes for finding in one.findings],
    )


def summary(name: str, sizes: Sizes) -> str:
    """Return medians and maxima of some files in one line."""
    functions = sizes.functions or [0]
    files = sizes.files or [0]
    return (
        f"{name:<10} {len(sizes.files):>4} files, median {median(files):.0f}, longest {max(files)}; "
        f"{len(sizes.functions):>5} functions, median {median(functions):.0f}, longest {max(functions)}"
    )


def main() -> int:
    """Measure the source, the tools and the tests."""
    findings = []
    for folder, limit in ((SRC, FILE_LINES), (ROOT / "tools", FILE_LINES), (ROOT / "tests", None)):
        sizes = gather([measure(source, limit) for source in python_sources(folder)])
        print(summary(folder.name, sizes))
        findings += sizes.findings
    return conclude(findings, "sizes: nothing is too large")


if __name__ == "__main__":
    sys.exit(main())

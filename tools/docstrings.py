"""Gate: what is public in the source says what it is.

Every module that holds anything has a docstring; so have at least 95% of the public classes, functions and
methods; every pattern says its Shape, Journal, Cost, When, Not and Source.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from sources import SRC, Definition, Finding, Source, conclude, python_sources

SHARE = 0.95
PATTERN_PARTS = ("Shape:", "Journal:", "Cost:", "When:", "Not:", "Source:")


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Yield name and definition of what is public in a module or a class, methods included."""
    for part in body:
        if isinstance(part, ast.If | ast.Try):
            yield from public(part.body, prefix)
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if part.name.startswith("_") or _needs_none(part):
            continue
        yield prefix + part.name, part
        if isinstance(part, ast.ClassDef):
            yield from public(part.body, f"{part.name}.")


def _needs_none(part: Definition) -> bool:
    """Tell whether a definition speaks through another one: an overload, a setter."""
    words = [ast.unparse(mark) for mark in part.decorator_list]
    return any(word.endswith(("overload", ".setter", ".deleter")) for word in words)


def missing(source: Source) -> tuple[int, list[Finding]]:
    """Return how many public definitions a file has, and those that say nothing."""
    found = list(public(source.tree.body))
    silent = [
        Finding(source.file, part.lineno, f"`{name}` has no docstring")
        for name, part in found
        if ast.get_docstring(part) is None
    ]
    return len(found), silent


def silent_modules(source: Source) -> list[Finding]:
    """Return a finding when a file holds something and says nothing about itself."""
    if not source.tree.body or ast.get_docstring(source.tree) is not None:
        return []
    return [Finding(source.file, 1, "the module has no docstring")]


def is_pattern(file: Path, root: Path = SRC) -> bool:
    """Tell whether a file holds a pattern (a public module of `patterns/`)."""
    return file.parent == root / "patterns" and not file.name.startswith("_")


def pattern_parts(source: Source) -> list[Finding]:
    """Return the parts that the docstrings of a pattern file lack."""
    texts = [ast.get_docstring(source.tree) or ""]
    texts += [ast.get_docstring(part) or "" for _, part in public(source.tree.body)]
    said = "\n".join(texts)
    return [
        Finding(source.file, 1, f"the docstring of a pattern needs `{part}`")
        for part in PATTERN_PARTS
        if part not in said
    ]


def main() -> int:
    """Check the whole source; below the share, every missing docstring is listed."""
    findings: list[Finding] = []
    silent: list[Finding] = []
    total = 0
    for source in python_sources(SRC):
        findings += silent_modules(source)
        if is_pattern(source.file):
            findings += pattern_parts(source)
        count, without = missing(source)
        total += count
        silent += without
    share = 1 - len(silent) / total if total else 1.0
    print(f"docstrings: {total - len(silent)} of {total} public definitions ({share:.1%})")
    if share < SHARE:
        findings += silent
    return conclude(findings, "docstrings: complete")


if __name__ == "__main__":
    sys.exit(main())

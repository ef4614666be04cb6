"""Gate: docs/errors.md has one section for each code that a user can meet, and none for any other.

The sections are written by hand (`## L201` and a title; an input; what Maestri says to it). This tool finds
the codes: the `code` of each class in errors.py, and every text like "L201" in the source.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path

from sources import ROOT, SRC, Finding, Source, conclude, docstrings, python_sources

PAGE = ROOT / "docs" / "errors.md"
_CODE = re.compile(r"\b[LCSPWGREUX]\d{3}\b")
_HEADING = re.compile(r"^## ([LCSPWGREUX]\d{3})\b")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def codes_in(source: Source) -> dict[str, Finding]:
    """Return the codes that a file mentions in texts (docstrings aside), each with its first place."""
    found: dict[str, Finding] = {}
    prose = docstrings(source.tree)
    for part in ast.walk(source.tree):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in prose:
            for code in _CODE.findall(part.value):
                found.setdefault(code, Finding(source.file, part.lineno, code))
    return found


def all_codes(root: Path = SRC) -> dict[str, Finding]:
    """Return every code of the source in order, each with the first place that mentions it."""
    found: dict[str, Finding] = {}
    for source in python_sources(root):
        for code, place in codes_in(source).items():
            found.setdefault(code, place)
    return dict(sorted(found.items()))


def sections(text: str) -> dict[str, list[tuple[int, str]]]:
    """Return the sections of the page: for each code its headings' lines, each with the text below it.

    A heading inside a fenced block is part of the example, not of the page.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    code, start, body, fence = "", 0, list[str](), ""
    for number, line in enumerate([*text.splitlines(), "## end"], start=1):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and line.strip().startswith(fence) else fence
        elif mark:
            fence = mark.group(1)
        elif line.startswith("## "):
            if code:
                found.setdefault(code, []).append((start, "\n".join(body)))
            heading = _HEADING.match(line)
            code, start, body = heading.group(1) if heading else "", number, []
            continue
        body.append(line)
    return found


def objections(codes: dict[str, Finding], text: str, page: Path = PAGE) -> list[Finding]:
    """Return what the page lacks and what it has too much."""
    written = sections(text)
    findings = [
        place._replace(message=f"{code} has no section in {page.name}: add `## {code}`")
        for code, place in codes.items()
        if code not in written
    ]
    for code, places in written.items():
        line, body = places[0]
        if code not in codes:
            findings.append(Finding(page, line, f"{code} is not a code of the source"))
        if "```" not in body:
            findings.append(Finding(page, line, f"{code} shows no example: an input and its output"))
        findings += [Finding(page, again, f"{code} has a section already") for again, _ in places[1:]]
    return findings


def main() -> int:
    """Check the page, or list what it lacks."""
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="fail when page and source differ (default)")
    choice.add_argument("--missing", action="store_true", help="list the codes that have no section yet")
    options = parser.parse_args()
    codes = all_codes()
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if options.missing:
        written = sections(text)
        for code, place in codes.items():
            if code not in written:
                print(place.text())
        return 0
    return conclude(objections(codes, text), f"errors: {len(codes)} codes, each with its section")


if __name__ == "__main__":
    sys.exit(main())

"""Change fragments: one small file per change that a user notices, folded into CHANGELOG.md at a release.

A fragment is `changes/<words-in-lower-case>.<added|changed|fixed|removed>.md`. Two people who change two
things write two files, so that their work never conflicts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from pathlib import Path
from typing import NamedTuple

from sources import ROOT, Finding, conclude

FOLDER = ROOT / "changes"
CHANGELOG = ROOT / "CHANGELOG.md"
KINDS = ("added", "changed", "fixed", "removed")
MARK = "<!-- releases below; the newest first -->"
_NAME = re.compile(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(KINDS)})\.md\Z")
_VERSION = re.compile(r"\d+\.\d+\.\d+([ab]|rc)?\d*\Z")


class Fragment(NamedTuple):
    """One change: its kind and its text."""

    file: Path
    kind: str
    text: str


def fragments(folder: Path = FOLDER) -> list[Path]:
    """Return the files that should be fragments, in the order of their names."""
    return sorted(file for file in folder.iterdir() if file.name != "README.md")


def read(file: Path) -> Fragment:
    """Return the fragment in a file whose name is in order."""
    return Fragment(file, file.name.split(".")[1], file.read_text(encoding="utf-8").strip())


def objections(folder: Path = FOLDER) -> list[Finding]:
    """Return what is wrong with the fragments of a folder."""
    found = []
    for file in fragments(folder):
        if _NAME.match(file.name) is None:
            what = f"not a name of a fragment: `<words-in-lower-case>.<{'|'.join(KINDS)}>.md`"
            found.append(Finding(file, 1, what))
            continue
        text = read(file).text
        if not text:
            found.append(Finding(file, 1, "the fragment is empty"))
        elif not text.endswith((".", "`", ")")):
            found.append(Finding(file, len(text.splitlines()), "write whole sentences, with a full stop"))
        elif text.startswith(("-", "*", "#")):
            found.append(Finding(file, 1, "write prose: list marks and headings are added when it is folded"))
    return found


def release(version: str, day: str, changes: list[Fragment]) -> str:
    """Return the section of a release."""
    lines = [f"## {version} ({day})", ""]
    for kind in KINDS:
        of_kind = [change for change in changes if change.kind == kind]
        if not of_kind:
            continue
        lines += [f"### {kind.capitalize()}", ""]
        lines += [f"- {change.text}".replace("\n", "\n  ") for change in of_kind]
        lines.append("")
    return "\n".join(lines)


def fold(version: str, day: str, folder: Path = FOLDER, changelog: Path = CHANGELOG) -> str:
    """Move the fragments of a folder into the changelog; returns what was added.

    Raises:
        ValueError: There is nothing to fold, a fragment is out of order, or the changelog has no mark.
    """
    wrong = objections(folder)
    if wrong:
        raise ValueError("\n".join(finding.text() for finding in wrong))
    changes = [read(file) for file in fragments(folder)]
    before, mark, after = changelog.read_text(encoding="utf-8").partition(MARK)
    if not changes or not mark:
        raise ValueError(f"nothing to fold in {folder}" if mark else f"{changelog} has no line `{MARK}`")
    section = release(version, day, changes)
    changelog.write_text(f"{before}{mark}\n\n{section.rstrip()}{after}", encoding="utf-8")
    for change in changes:
        change.file.unlink()
    return section


def main() -> int:
    """Check the fragments, or fold them into the changelog."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fold", metavar="VERSION", help="fold the fragments into a release of this version")
    options = parser.parse_args()
    if options.fold is None:
        return conclude(objections(), f"changes: {len(fragments())} fragments, all in order")
    if _VERSION.match(options.fold) is None:
        print(f"`{options.fold}` is not a version; write for example `VERSION=1.2.0`", file=sys.stderr)
        return 2
    try:
        print(fold(options.fold, dt.datetime.now(tz=dt.UTC).date().isoformat()))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

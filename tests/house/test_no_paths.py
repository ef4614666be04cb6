"""The project speaks of itself alone: no file names a machine, a registry or work left undone."""

import re
from pathlib import Path

import pytest

from sources import ROOT, tracked_files

# Written so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": (
        r"/[w]ork/(?:main|shared|\.)|/[r]oot/|/[h]ome/(?!user/|me/|you/)[a-z]+/|/[U]sers/[A-Za-z]+/"
    ),
    "a folder outside the project": r"\.\./[s]hared",
    "a host of a package registry": (
        r"[p]ypi\.(?:org|python)|[p]ythonhosted\.org|[n]pmjs\.(?:org|com)|[a]rtifactory|/[o]pt/(?:pypi|wheels)"
    ),
    "work left undone": r"\b(?:[T]ODO|[F]IXME|[X]XX|[H]ACK)\b",
}


def text_of(file: Path) -> str:
    data = file.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8", "replace")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in tracked_files()
        for number, line in enumerate(text_of(file).splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


def test_the_search_sees_the_files_of_the_project() -> None:
    names = {str(file.relative_to(ROOT)) for file in tracked_files()}
    assert {"pyproject.toml", "src/maestri/errors.py", "Makefile"} <= names
    assert not any(name.startswith(".venv/") for name in names)

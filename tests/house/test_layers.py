"""The rule of who imports whom: the part that is quick to check. `make check` runs all contracts."""

import ast
import configparser
import re
from pathlib import Path

import pytest

import imports
from sources import ROOT, SRC, Source, python_sources


def objections(place: str, text: str) -> list[str]:
    file = SRC / place
    return [finding.message for finding in imports.check(Source(file, text, ast.parse(text)))]


def test_every_import_of_the_source_is_where_it_belongs() -> None:
    found = [finding.text() for source in python_sources(SRC) for finding in imports.check(source)]
    assert found == []


def test_every_folder_has_its_place_among_the_layers() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    placed = set(re.findall(r"\w+", contracts["importlinter:contract:layers"]["layers"]))
    folders = {entry.parent.name for entry in SRC.glob("*/__init__.py")}
    modules = {entry.stem for entry in SRC.glob("*.py")} - {"__init__", "__main__"}
    assert folders | modules <= placed


@pytest.mark.parametrize(
    ("place", "text", "word"),
    [
        ("kernel/run.py", "import yaml", "belongs to lang/load.py"),
        ("kernel/run.py", "import rich.table", "not of the standard library"),
        ("cli/main.py", "from subprocess import run", "belongs to agents/process.py"),
        ("report/text.py", "def f():\n    import sqlite3", "belongs to engines/sqlite/"),
        ("patterns/each.py", "from pathlib import Path", "sees only `ctx`"),
        ("lang/compile.py", "from maestri import agents", "knows no adapter"),
        ("lang/compile.py", "from . import load", "write the whole name"),
        ("cli/main.py", "async def f():\n    from maestri.kernel import run", "inside a function"),
    ],
)
def test_an_import_in_the_wrong_place_is_refused(place: str, text: str, word: str) -> None:
    found = objections(place, text)
    assert len(found) == 1
    assert word in found[0]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("sandboxes/bubblewrap.py", "import subprocess"),
        ("engines/sqlite/files.py", "import sqlite3"),
        ("config.py", "import yaml"),
        ("patterns/each.py", "from maestri.kernel import context"),
        ("cli/main.py", "def f():\n    import json"),
    ],
)
def test_an_import_in_its_place_is_fine(place: str, text: str) -> None:
    assert objections(place, text) == []


def test_a_finding_names_file_and_line() -> None:
    source = Source(SRC / "cli" / "main.py", "", ast.parse("import json\nimport yaml"))
    assert imports.check(source)[0].text().startswith(str(Path("src/maestri/cli/main.py:2:")))

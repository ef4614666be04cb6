"""What a one-step run loads: a budget, because the time to a first step is that of what is imported."""

import ast
import json
import subprocess
import sys
from typing import Any

import pytest

from sources import SRC, python_sources

# A hundred of these classes are those of errors, each a plain class of some 6 us.
MOST_MODULES, MOST_OF_OURS, MOST_CLASSES = 380, 185, 345
# What costs milliseconds, and no ordinary run needs.
HEAVY = {"bz2", "decimal", "email", "http", "lzma", "platform", "rich", "shutil", "tempfile", "uuid", "xml"}

# The language takes something from the files of these: how circles are found, what a checked step is.
SHARED_PATTERNS = {"checked", "graph", "workflow"}

ONE_STEP = "workflow: one\nsteps:\n  only: {call: os:getpid}\n"
PROBE = """
import dataclasses, json, sys
from maestri.cli.main import main
assert main(["run", "one.yaml"]) == 0
modules = sorted(sys.modules)
ours = [name for name in modules if name.startswith("maestri")]
made = [one for name in ours for one in vars(sys.modules[name]).values()]
classes = {one for one in made if isinstance(one, type) and one.__module__ in ours}
slow = [one.__qualname__ for one in classes if dataclasses.is_dataclass(one)]
print(json.dumps({"modules": modules, "ours": ours, "classes": len(classes), "dataclasses": slow}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run one step in a fresh process, and return what it has loaded by then."""
    folder = tmp_path_factory.mktemp("cold")
    (folder / "one.yaml").write_text(ONE_STEP, encoding="utf-8")
    command = [sys.executable, "-c", PROBE]
    environment = {"MAESTRI_STATE": str(folder / "state"), "PATH": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_run_of_one_step_loads_few_modules(loaded: dict[str, Any]) -> None:
    assert len(loaded["modules"]) <= MOST_MODULES
    assert len(loaded["ours"]) <= MOST_OF_OURS


def test_a_run_of_one_step_makes_few_classes_and_no_dataclass(loaded: dict[str, Any]) -> None:
    assert loaded["classes"] <= MOST_CLASSES
    assert loaded["dataclasses"] == []


def test_a_run_of_one_step_loads_nothing_heavy(loaded: dict[str, Any]) -> None:
    assert HEAVY & set(loaded["modules"]) == set()


def test_a_run_loads_only_the_patterns_that_it_uses(loaded: dict[str, Any]) -> None:
    used = {name.rpartition(".")[2] for name in loaded["ours"] if name.startswith("maestri.patterns.")}
    assert "_registry" in used
    assert {name for name in used if not name.startswith("_")} <= SHARED_PATTERNS


def test_every_record_is_made_of_the_quick_named_tuple() -> None:
    slow = [
        f"{source.file.relative_to(SRC)}:{part.lineno}"
        for source in python_sources(SRC)
        for part in ast.walk(source.tree)
        if isinstance(part, ast.ImportFrom) and part.module == "typing" and source.file.name != "records.py"
        if any(name.name == "NamedTuple" for name in part.names)
    ]
    assert slow == []

"""`examples/harden.yaml` and its twin in Python do the same with real commands and write the same journal."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.same.playing import facts

from maestri.kernel.events import Stored
from maestri.project import Project

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BLANKS = 'def greet():  \n    return "hello" \n'
CLEAN = "WORLD = 42\n"
BROKEN = "def greet(:\n"


def package(folder: Path, *texts: str) -> Path:
    """Make a folder with a package in a repository of its own, and return the folder."""
    (folder / "small").mkdir(parents=True)
    for number, text in enumerate(texts):
        (folder / "small" / f"part{number}.py").write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


async def _hardened(form: str, folder: Path) -> tuple[Any, list[Stored]]:
    project = Project(state=str(folder / "state"), cwd=str(folder))
    loaded = project.load(str(EXAMPLES / form))
    execution = await project.start(loaded, project.inputs_for(loaded, {"package": "small"}))
    ended = await execution.wait()
    await project.close()
    with_reader = project.reader(project.find(ended.run.name))
    events = list(with_reader.events())
    with_reader.close()
    await project.close()
    return ended.output, events


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((BLANKS, CLEAN), "2 files with 3 lines, 0 commits, 1 changed: mended 1 files"),
        ((CLEAN,), "1 files with 1 lines, 0 commits, 1 changed: nothing to mend"),
        ((BROKEN,), "1 files with 1 lines, 0 commits, 1 changed: it does not compile; nothing is changed"),
    ],
    ids=["blanks", "clean", "broken"],
)
def test_both_forms_harden_a_package_alike(
    texts: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for form in ("harden.yaml", "harden.py"):
        monkeypatch.chdir(package(tmp_path / form, *texts))
        found.append(asyncio.run(_hardened(form, tmp_path / form)))
    (by_yaml, its_facts), (by_python, other_facts) = found
    assert by_yaml == by_python == {"summary": said, "accepted": "not asked"}
    assert facts(its_facts) == facts(other_facts)


def test_the_blanks_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(package(tmp_path, BLANKS))
    asyncio.run(_hardened("harden.yaml", tmp_path))
    assert (tmp_path / "small" / "part0.py").read_text(encoding="utf-8") == BLANKS.replace(
        " \n", "\n"
    ).replace(" \n", "\n")

"""Every example of the README and of docs/ works as it stands.

Rule 1: Python is compiled; with `run`, or in docs/tutorial/, it is executed.
Rule 2: YAML with `steps:` at the top passes `maestri check`.
Rule 3: a `console` block's commands are run in order; each ends with 0 and prints what is shown.
All of a page happens in one temporary folder that begins as a copy of examples/.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doc_blocks import Block, blocks, commands, matches
from sources import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_STEPS = re.compile(r"^steps:", re.MULTILINE)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the examples in it."""
    folder = tmp_path / "desk"
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", folder)
    folder.mkdir(exist_ok=True)
    (tmp_path / "home").mkdir()
    return folder


def run(command: list[str], desk: Path) -> tuple[int, str]:
    """Run a command as a user would who has just installed Maestri; returns exit code and output."""
    home = desk.parent / "home"
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "MAESTRI_STATE": str(home / "state"),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        command,
        cwd=desk,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def python_problems(block: Block, desk: Path) -> Iterator[str]:
    try:
        compile(block.text, "<block>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        yield f"line {error.lineno}: {error.msg}"
        return
    if "run" in block.words or block.page.parent.name == "tutorial":
        code, output = run([sys.executable, "-W", "error", "-c", block.text], desk)
        if code:
            yield f"ends with {code}:\n{output}"


def yaml_problems(block: Block, desk: Path) -> Iterator[str]:
    if not _STEPS.search(block.text):
        return
    name = block.file or "block.yaml"
    (desk / name).write_text(block.text, encoding="utf-8")
    code, output = run(["maestri", "check", name], desk)
    if code:
        yield f"`maestri check` ends with {code}:\n{output}"


def console_problems(block: Block, desk: Path) -> Iterator[str]:
    for shown in commands(block):
        code, output = run(["bash", "-c", shown.command], desk)
        if code or not matches(shown.output, output):
            yield f"`{shown.command}` ends with {code} and prints\n{output}\n--- shown is\n{shown.output}"


PROBLEMS = {"python": python_problems, "yaml": yaml_problems, "console": console_problems}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of(page: Path, desk: Path) -> None:
    found = []
    for block in blocks(page, page.read_text(encoding="utf-8")):
        if block.file:
            (desk / block.file).write_text(block.text, encoding="utf-8")
        problems = PROBLEMS.get(block.language)
        if problems:
            where = f"{page.relative_to(ROOT)}:{block.line}"
            found += [f"{where}: {problem}" for problem in problems(block, desk)]
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_lead_somewhere_in(page: Path) -> None:
    text = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    targets = [
        target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target
    ]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []

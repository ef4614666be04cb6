"""The files of the project, parsed, for the gates beside this file."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "maestri"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = Function | ast.ClassDef


class Finding(NamedTuple):
    """One thing that a gate objects to, with its place."""

    file: Path
    line: int
    message: str

    def text(self) -> str:
        """Return `file:line: message`, the file as seen from the root of the project."""
        shown = self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file
        return f"{shown}:{self.line}: {self.message}"


class Source(NamedTuple):
    """One Python file, parsed."""

    file: Path
    text: str
    tree: ast.Module


def python_sources(*roots: Path) -> Iterator[Source]:
    """Yield the Python files below some folders (or these files), in the order of their names."""
    for root in roots:
        files = [root] if root.is_file() else sorted(root.rglob("*.py"))
        for file in files:
            text = file.read_text(encoding="utf-8")
            yield Source(file, text, ast.parse(text, str(file)))


def definitions(tree: ast.AST) -> Iterator[Definition]:
    """Yield every function, method and class of a file, also the inner ones."""
    for part in ast.walk(tree):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield part


def docstrings(tree: ast.AST) -> set[int]:
    """Return the `id` of each constant that is a docstring, so that it is not taken for a value."""
    found = set()
    for part in ast.walk(tree):
        if not isinstance(part, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = part.body[0] if part.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            found.add(id(first.value))
    return found


def tracked_files() -> list[Path]:
    """Return the files that are, or would be, in the repository; ignored ones are left out.

    Raises:
        subprocess.CalledProcessError: This is not a git checkout.
    """
    # A checkout that belongs to somebody else (a container's volume) is read all the same.
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return sorted(file for file in files if file.is_file() and not file.is_symlink())


def conclude(findings: Sequence[Finding], good: str) -> int:
    """Print the findings, or one good sentence, and return the exit code."""
    for finding in findings:
        print(finding.text(), file=sys.stderr)
    if not findings:
        print(good)
    return 1 if findings else 0

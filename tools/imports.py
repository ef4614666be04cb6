"""Gate: imports that the layers of `.importlinter` cannot express, by file and line.

Rule 1: no import of Maestri inside a function: it would hide a cycle.
Rule 2: subprocess, sqlite3 and yaml are imported by the files that own them, and by no other.
Rule 3: the kernel and what is below it import the standard library only.
Rule 4: a pattern sees only `ctx`: no files, no processes, no clock of its own.
Rule 5: the language knows no adapter; names of agents and engines come in as data.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from sources import SRC, Finding, Source, conclude, python_sources

# Each word: who owns it. A path that ends in `/` stands for the whole folder.
OWNERS: dict[str, tuple[str, ...]] = {
    "subprocess": ("agents/process.py", "workspaces/running.py", "sandboxes/"),
    "sqlite3": ("engines/sqlite/",),
    "yaml": ("lang/load.py", "config.py"),
}
STDLIB_ONLY = (
    "kernel/",
    "values.py",
    "claims.py",
    "errors.py",
    "workspace_errors.py",
    "sandbox_errors.py",
    "landing_errors.py",
    "run_errors.py",
    "operator_errors.py",
    "diagnostics.py",
    "records.py",
)
# Each folder: what must not be imported there, and why.
CLOSED: dict[str, tuple[tuple[str, ...], str]] = {
    "patterns/": (
        ("os", "pathlib", "socket", "tempfile", "threading", "time", "random"),
        "a pattern sees only `ctx`",
    ),
    "lang/": (
        ("maestri.agents", "maestri.engines", "maestri.sandboxes", "maestri.workspaces"),
        "the language knows no adapter: take what it needs as data",
    ),
}


class Import(NamedTuple):
    """One imported module, and whether the import stands inside a function."""

    module: str
    line: int
    hidden: bool


def imports(tree: ast.AST, *, hidden: bool = False) -> Iterator[Import]:
    """Yield every imported module of a file; `from a import b` yields `a` and `a.b`."""
    for part in ast.iter_child_nodes(tree):
        inside = hidden or isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(part, ast.Import):
            yield from (Import(alias.name, part.lineno, hidden) for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            module = "." * part.level + (part.module or "")
            yield Import(module, part.lineno, hidden)
            yield from (Import(f"{module}.{alias.name}", part.lineno, hidden) for alias in part.names)
        yield from imports(part, hidden=inside)


def _is(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


def _lies_in(place: str, owners: tuple[str, ...]) -> bool:
    return any(place.startswith(owner) if owner.endswith("/") else place == owner for owner in owners)


def objection(place: str, found: Import) -> str:
    """Return what is wrong with an import in a file (`kernel/state.py`), or an empty text."""
    module = found.module
    if module.startswith("."):
        return f"relative import `{module}`: write the whole name"
    if found.hidden and _is(module, "maestri"):
        return f"`{module}` is imported inside a function: move it to the top, or the code to another layer"
    for word, owners in OWNERS.items():
        if _is(module, word) and not _lies_in(place, owners):
            return f"`{word}` belongs to {', '.join(owners)}"
    top = module.partition(".")[0]
    if _lies_in(place, STDLIB_ONLY) and top != "maestri" and top not in sys.stdlib_module_names:
        return f"`{top}` is not of the standard library, which is all that the kernel may use"
    for folder, (closed, why) in CLOSED.items():
        if place.startswith(folder) and any(_is(module, name) for name in closed):
            return f"`{module}` may not be imported in {folder}: {why}"
    return ""


def check(source: Source, root: Path = SRC) -> list[Finding]:
    """Return the objections to the imports of one file, one for each line."""
    place = str(PurePosixPath(source.file.relative_to(root)))
    by_line: dict[int, Finding] = {}
    for found in imports(source.tree):
        message = objection(place, found)
        if message:
            by_line.setdefault(found.line, Finding(source.file, found.line, message))
    return list(by_line.values())


def main() -> int:
    """Check the whole source."""
    findings = [finding for source in python_sources(SRC) for finding in check(source)]
    return conclude(findings, "imports: every one is where it belongs")


if __name__ == "__main__":
    sys.exit(main())

"""Gate: the names that users may build on are pinned in a text file; a change of them is a decision.

After a decision, `python tools/public_names.py --write` pins the names as they are now.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import sys
from pathlib import Path

from sources import ROOT, Finding, conclude, python_sources

MODULES = (
    "maestri",
    "maestri.compat",
    "maestri.patterns",
    "maestri.errors",
    "maestri.kernel.ports",
    "maestri.testing",
)
PINNED = ROOT / "tests" / "house" / "public_names.txt"


def _is_there(module: str) -> bool:
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.origin is not None


def _is_ours(part: ast.ImportFrom) -> bool:
    return (part.module or "").startswith("maestri")


def _defined(module: str) -> list[str]:
    """Return what a module without `__all__` defines; a package's own imports are its offer, too.

    So is what is imported `as` itself.
    """
    file = Path(importlib.import_module(module).__file__ or "")
    is_package = file.name == "__init__.py"
    found: set[str] = set()
    for part in next(python_sources(file)).tree.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(part.name)
        elif isinstance(part, ast.Assign):
            found.update(target.id for target in part.targets if isinstance(target, ast.Name))
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            found.add(part.target.id)
        elif isinstance(part, ast.ImportFrom) and is_package and _is_ours(part):
            found.update(alias.asname or alias.name for alias in part.names)
        elif isinstance(part, ast.ImportFrom):
            found.update(alias.name for alias in part.names if alias.asname == alias.name)
    return sorted(name for name in found if not name.startswith("_"))


def names(module: str) -> list[str]:
    """Return the public names of a module in order; each can really be got from it.

    Raises:
        AttributeError: `__all__` names what the module does not have.
    """
    loaded = importlib.import_module(module)
    found = sorted(loaded.__all__) if hasattr(loaded, "__all__") else _defined(module)
    for name in found:
        getattr(loaded, name)
    return found


def present() -> list[str]:
    """Return the public modules that exist."""
    return [module for module in MODULES if _is_there(module)]


def listing() -> str:
    """Return all public names in the form of the pinned file."""
    parts = [f"[{module}]\n" + "".join(f"{name}\n" for name in names(module)) for module in present()]
    return "\n".join(parts)


def _lines(text: str) -> dict[str, int]:
    """Return `module.name` for each pinned name, with its line."""
    found = {}
    module = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("["):
            module = line.strip("[]")
        elif line:
            found[f"{module}.{line}"] = number
    return found


def objections(pinned: str, now: str, file: Path = PINNED) -> list[Finding]:
    """Return the names that were added or removed without a decision."""
    before, after = _lines(pinned), _lines(now)
    gone = [Finding(file, line, f"`{name}` is gone") for name, line in before.items() if name not in after]
    new = [Finding(file, 1, f"`{name}` is new: pin it, or hide it") for name in after if name not in before]
    return gone + new


def main() -> int:
    """Check the pinned names, or pin them anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--check", action="store_true", help="fail when a name was added or removed (default)"
    )
    choice.add_argument("--write", action="store_true", help="pin the names as they are now")
    now = listing()
    if parser.parse_args().write:
        PINNED.write_text(now, encoding="utf-8")
        return 0
    pinned = PINNED.read_text(encoding="utf-8") if PINNED.exists() else ""
    return conclude(objections(pinned, now), f"public names: {len(_lines(now))}, as pinned")


if __name__ == "__main__":
    sys.exit(main())

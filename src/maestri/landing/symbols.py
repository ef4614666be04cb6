"""Overlaps of changes in the symbols of Python: what merges cleanly and yet may not work together. Pure.

Git sees lines. Two branches that change other lines still meet where one changes a function that the other
calls anew, or where both change the same class. This is read from the syntax trees of the files before and
after; nothing is imported.

Rule 1: a use counts where its file defines the symbol's module, or names it or its module in an import; of a
method, where its name is used as an attribute. So a finding is a place to look at, not a verdict.
Rule 2: a file that is no Python that this Python can read has no symbols.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, Literal, TypeAlias

from maestri.records import NamedTuple

SUFFIXES: Final = (".py", ".pyi")
LARGEST_BYTES: Final = 400_000
_MOST: Final = 200

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Change: TypeAlias = Literal["removed", "signature", "body", "added"]


class Symbol(NamedTuple):
    """A function, class, method or constant of a module: what it promises, what it does, where it stands."""

    promise: str
    content: str
    line: int


class FileChange(NamedTuple):
    """What a branch did to one module: its symbols by how they changed, and the names its new code uses."""

    path: str
    changed: Mapping[str, Change]
    uses: Mapping[str, int]
    imports: frozenset[str]


class Overlap(NamedTuple):
    """Two branches that meet in a symbol: `one` changes it, and `other` changes it too, or uses it."""

    symbol: str
    path: str
    one: str
    other: str
    change: Change
    is_use: bool
    place: str

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return dict(self._asdict())

    @property
    def is_break(self) -> bool:
        """Tell whether it cannot work as it is: what is used is gone, or is called in another way."""
        return self.is_use and self.change in {"removed", "signature"}


def file_change(path: str, before: bytes | None, after: bytes | None) -> FileChange | None:
    """Return what was done to a module, from its texts before and after; None where it cannot be read."""
    old, new = _parsed(before), _parsed(after)
    if old is None or new is None:
        return None
    were, are = dict(_symbols(old)), dict(_symbols(new))
    changed: dict[str, Change] = {name: "removed" for name in were if name not in are}
    for name, symbol in are.items():
        if name not in were:
            changed[name] = "added"
        elif symbol.promise != were[name].promise:
            changed[name] = "signature"
        elif symbol.content != were[name].content:
            changed[name] = "body"
    uses = dict(_uses(new, changed, old))
    return FileChange(path, changed, uses, frozenset(_imports(new)))


def overlaps(changes: Mapping[str, Sequence[FileChange]]) -> list[Overlap]:
    """Return where branches meet in symbols, those that cannot work first.

    Args:
        changes: What each branch did, by its name, in the order of the branches.
    """
    found = [*_both(changes), *_used(changes)]
    return sorted(found, key=lambda overlap: not overlap.is_break)[:_MOST]


def _both(changes: Mapping[str, Sequence[FileChange]]) -> Iterator[Overlap]:
    """Yield the symbols that two branches change."""
    first: dict[tuple[str, str], tuple[str, Change]] = {}
    for branch, files in changes.items():
        for file in files:
            for name, change in file.changed.items():
                one, how = first.setdefault((file.path, name), (branch, change))
                if one != branch:
                    yield Overlap(name, file.path, one, branch, how, is_use=False, place=file.path)


def _used(changes: Mapping[str, Sequence[FileChange]]) -> Iterator[Overlap]:
    """Yield what one branch changes and the new code of another one uses."""
    users: dict[str, list[tuple[str, FileChange, int]]] = {}
    for branch, files in changes.items():
        for file in files:
            for word, line in file.uses.items():
                users.setdefault(word, []).append((branch, file, line))
    for one, files in changes.items():
        for mine in files:
            for name, change in mine.changed.items():
                for other, theirs, line in () if change == "added" else _users(users, name):
                    if other != one and name not in theirs.changed and _knows(theirs, mine.path, name):
                        place = f"{theirs.path}:{line}"
                        yield Overlap(name, mine.path, one, other, change, is_use=True, place=place)


def _users(
    users: Mapping[str, list[tuple[str, FileChange, int]]], name: str
) -> Iterator[tuple[str, FileChange, int]]:
    """Yield the files that use a name, each once: by itself or, of a class or a module, as `.name`."""
    word = name.rpartition(".")[2]
    seen: set[tuple[str, str]] = set()
    for wanted in [f".{word}"] if "." in name else [word, f".{word}"]:
        for branch, file, line in users.get(wanted, ()):
            if (branch, file.path) not in seen:
                seen.add((branch, file.path))
                yield branch, file, line


def _knows(change: FileChange, path: str, name: str) -> bool:
    """Tell whether a file can mean the symbol of another one by its name."""
    place = PurePosixPath(path)
    module = place.parent.name if place.stem == "__init__" else place.stem
    return "." in name or change.path == path or bool({module, name.partition(".")[0]} & change.imports)


def _parsed(text: bytes | None) -> ast.Module | None:
    if text is None:
        return ast.Module([], [])
    if len(text) > LARGEST_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in texts of others
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _symbols(module: ast.AST, prefix: str = "") -> Iterator[tuple[str, Symbol]]:
    """Yield the symbols of a module, of its classes too, by qualified names."""
    for part in ast.iter_child_nodes(module):
        if isinstance(part, ast.ClassDef):
            bases = [ast.unparse(base) for base in (*part.bases, *part.keywords)]
            own = [ast.dump(one) for one in part.body if not isinstance(one, Definition)]
            yield prefix + part.name, Symbol(repr(bases), repr(own), part.lineno)
            yield from _symbols(part, f"{prefix}{part.name}.")
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            promise = f"{type(part).__name__} {ast.dump(part.args)}"
            yield prefix + part.name, Symbol(promise, ast.dump(part), part.lineno)
        elif not prefix:
            for name in _assigned(part):
                yield name, Symbol("", ast.dump(part), part.lineno if isinstance(part, ast.stmt) else 0)


def _assigned(part: ast.AST) -> Iterator[str]:
    targets = part.targets if isinstance(part, ast.Assign) else []
    targets = [part.target] if isinstance(part, ast.AnnAssign) else targets
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _uses(module: ast.Module, changed: Mapping[str, Change], before: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names that new code uses, attributes as `.name`, with their lines.

    What a changed function has used before is no new use: who changes that has had to look at it.
    """
    loose = {ast.dump(part) for part in _loose(before)}
    for part in _loose(module):
        if ast.dump(part) not in loose:
            yield from _words(part)
    known = {name: {word for word, _ in _words(part)} for name, part in _functions(before)}
    for name, part in _functions(module):
        if name in changed:
            yield from ((word, line) for word, line in _words(part) if word not in known.get(name, ()))


def _words(part: ast.AST) -> Iterator[tuple[str, int]]:
    for inner in ast.walk(part):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
            yield inner.id, inner.lineno
        elif isinstance(inner, ast.Attribute):
            yield f".{inner.attr}", inner.lineno
        elif isinstance(inner, ast.ImportFrom):
            yield from ((alias.name, inner.lineno) for alias in inner.names)


def _functions(module: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions of a module and of its classes by qualified names."""
    for part in ast.iter_child_nodes(module):
        if isinstance(part, ast.ClassDef):
            yield from _functions(part, f"{prefix}{part.name}.")
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + part.name, part


def _loose(module: ast.AST) -> Iterator[ast.AST]:
    """Yield what of a module and its classes is no definition: statements, and what classes are made of."""
    for part in ast.iter_child_nodes(module):
        if isinstance(part, ast.ClassDef):
            yield from part.bases
            yield from _loose(part)
        elif not isinstance(part, Definition):
            yield part


def _imports(module: ast.AST) -> Iterator[str]:
    """Yield every word that the imports of a module name."""
    for part in ast.walk(module):
        if isinstance(part, ast.Import | ast.ImportFrom):
            for alias in part.names:
                yield from alias.name.split(".")
            yield from (getattr(part, "module", None) or "").split(".")

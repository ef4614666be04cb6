"""Where lines went that are not where a branch put them: moved, if the result has them at another place.

Rule: only lines that nobody else has, neither the target nor another branch, can have been moved; so what was
lost is never found in its double.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Final, TypeAlias

from maestri.landing.parts import Part, sides
from maestri.landing.trees import TARGET, Trees, is_text
from maestri.records import NamedTuple

_TELLING_CHARS: Final = 4  # a block of braces and blank lines says nothing
_COMMON: Final = 100  # nor does a line that stands everywhere


class Place(NamedTuple):
    """A line of a file of the result, from 1."""

    path: str
    line: int


class _Text(NamedTuple):
    """The lines of a file; `owner` is the branch that has it, empty for the target."""

    path: str
    lines: list[bytes]
    owner: str


_Index: TypeAlias = dict[bytes, list[tuple[_Text, int]]]


class Ledger:
    """All occurrences of lines in the result, and in what it was made from. Read when first asked."""

    def __init__(self, trees: Trees) -> None:
        """Begin; nothing is read yet."""
        self._trees = trees

    def moved(self, part: Part) -> Place | None:
        """Return where the lines that a part adds stand now; None where that cannot be told."""
        texts = sides(self._trees, part.change)
        if part.edit is None or texts is None:
            return None
        block = texts[1][part.edit.new_start : part.edit.new_end]
        telling = [line for line in block if _telling(line) >= _TELLING_CHARS]
        key = min(telling, key=lambda line: len(self._held.get(line, ())), default=b"")
        if not telling or len(self._held.get(key, ())) > _COMMON:
            return None
        found = _occurrences(self._held, block, key)
        own = _occurrences(self._owned, block, key) if found else []
        if not found or len(found) < len(own) or {text.owner for text, _ in own} != {part.branch}:
            return None
        # Beside its own place, a block whose end is like the lines after it seems whole where it is not.
        near = range(part.line - 1 - len(block), part.line + len(block))
        away = [(text.path, at) for text, at in found if text.path != part.place or at not in near]
        return Place(away[0][0], away[0][1] + 1) if away else None

    @cached_property
    def _held(self) -> _Index:
        """The lines of what the result has and the target had not."""
        trees = self._trees
        changed = {path: one for path, one in trees.result.items() if trees.start.get(path) != one}
        return _index(self._texts({path: one.object for path, one in changed.items() if is_text(one.mode)}))

    @cached_property
    def _owned(self) -> _Index:
        """The lines of what the target had, and of what each branch has changed."""
        trees = self._trees
        had = {path: one.object for path, one in trees.start.items() if is_text(one.mode)}
        changed = {
            path for work in trees.works.values() for one in work.changes for path in (one.path, one.old_path)
        }
        changed |= {path for path in had if trees.result.get(path) != trees.start[path]}
        texts = [self._texts({path: blob for path, blob in had.items() if path in changed})]
        for work in trees.works.values():
            plain = [one for one in work.changes if is_text(one.old_mode, one.new_mode)]
            texts.append(self._texts({one.path: one.new for one in plain}, work.name))
            texts.append(self._texts({one.old_path: one.old for one in plain}))
        return _index(chain.from_iterable(texts))

    def _texts(self, blobs: Mapping[str, str], owner: str = TARGET) -> Iterator[_Text]:
        self._trees.contents.want(blobs.values())
        for path, blob in blobs.items():
            lines = self._trees.contents.lines(blob)
            if lines:
                yield _Text(path, lines, owner)


def _telling(line: bytes) -> int:
    return sum(chr(byte).isalnum() or byte > 127 for byte in line)


def _index(texts: Iterable[_Text]) -> _Index:
    found: _Index = {}
    for text in texts:
        for at, line in enumerate(text.lines):
            found.setdefault(line, []).append((text, at))
    return found


def _occurrences(index: _Index, block: Sequence[bytes], key: bytes) -> list[tuple[_Text, int]]:
    before = list(block).index(key)
    starts = ((text, at - before) for text, at in index.get(key, ()) if at >= before)
    return [(text, at) for text, at in starts if text.lines[at : at + len(block)] == list(block)]

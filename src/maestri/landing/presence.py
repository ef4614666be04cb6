"""Whether the edits of a branch are in a result, place by place. Pure: three texts in, verdicts out.

The text that the branch began from is compared with the branch's and with the result's. Where both have
changed it at the same place, the result must have become what the branch made of it, or hold what the branch
added, as it is and in one piece, and none of what the branch removed.

Rule: this is decided by places, not by what the result has somewhere: a brace that is lost is not found again
in another one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from maestri.landing.difference import Edit, edits
from maestri.records import NamedTuple


class Seen(NamedTuple):
    """One edit of a branch, and whether it is there; `at` is the line of the result, from 0, to look at."""

    edit: Edit
    is_there: bool
    at: int
    is_rewritten: bool = False  # lines stand there that neither the branch nor its base has


class _Chunk(NamedTuple):
    """Edits of a branch (`own`) and of the result (`other`) that touch each other, and their base lines.

    `shift` is what a line number of the base grows by in the result before the chunk.
    """

    start: int
    end: int
    own: list[Edit]
    other: list[Edit]
    shift: int


def seen(base: Sequence[bytes], tip: Sequence[bytes], result: Sequence[bytes]) -> list[Seen]:
    """Return for each edit from `base` to `tip` whether it is in `result`."""
    found: list[Seen] = []
    since: list[Edit] = []
    for chunk in _chunks(edits(base, tip), edits(base, result)):
        first = chunk.start + chunk.shift
        grown = sum(_growth(edit) for edit in chunk.other)
        theirs = result[first : chunk.end + chunk.shift + grown]
        mine = tip[slice(*_within(chunk))]
        if mine == theirs:
            begun = first - _within(chunk)[0]
            found += [Seen(edit, is_there=True, at=begun + edit.new_start) for edit in chunk.own]
        else:
            since = since or edits(tip, result)
            found += [
                one._replace(is_there=one.is_there and not _undone(one.edit, base, (tip, result), since))
                for one in _one_by_one(chunk, base, tip, theirs)
            ]
    return found


def _one_by_one(
    chunk: _Chunk, base: Sequence[bytes], tip: Sequence[bytes], theirs: Sequence[bytes]
) -> Iterator[Seen]:
    """Yield the edits of a place that several have changed: each must stand after the one before it."""
    mine = tip[slice(*_within(chunk))]
    left = Counter(theirs) - Counter(mine)
    is_rewritten = not set(theirs) <= {*mine, *base[chunk.start : chunk.end]}
    after = 0
    for edit in chunk.own:
        removed = range(edit.start, edit.end)
        is_gone = all(any(one.start <= line < one.end for one in chunk.other) for line in removed)
        at = _place(tip[edit.new_start : edit.new_end], theirs, after)
        is_there = at >= 0 and is_gone and not any(base[line] in left for line in removed)
        after = at + edit.new_end - edit.new_start if is_there else after
        yield Seen(edit, is_there, chunk.start + chunk.shift + max(at, 0), is_rewritten)


def _undone(
    edit: Edit,
    base: Sequence[bytes],
    texts: tuple[Sequence[bytes], Sequence[bytes]],
    since: Sequence[Edit],
) -> bool:
    """Tell whether the result, compared with the branch itself, takes back there what the branch has done."""
    tip, result = texts
    removed = set(base[edit.start : edit.end]) - set(tip[edit.new_start : edit.new_end])
    for one in since:
        if one.start <= edit.new_end and edit.new_start <= one.end:
            takes = max(one.start, edit.new_start) < min(one.end, edit.new_end)
            if takes or removed & set(result[one.new_start : one.new_end]) - set(tip[one.start : one.end]):
                return True
    return False


def touching(edit: Edit, others: Sequence[Seen]) -> list[Seen]:
    """Return which edits of the same base stand at the same place as one, or right beside it."""
    return [one for one in others if one.edit.start <= edit.end and edit.start <= one.edit.end]


def _chunks(own: Sequence[Edit], other: Sequence[Edit]) -> Iterator[_Chunk]:
    """Yield the places at which the branch has changed something."""
    mine, theirs, shift = list(own)[::-1], list(other)[::-1], 0
    while mine:
        if theirs and theirs[-1].end < mine[-1].start:
            shift += _growth(theirs.pop())
            continue
        first = mine.pop()
        chunk = _Chunk(first.start, first.end, [first], [], shift)
        while True:
            side, kept = (theirs, chunk.other) if _touches(chunk, theirs) else (mine, chunk.own)
            if not _touches(chunk, side):
                break
            edit = side.pop()
            kept.append(edit)
            chunk = chunk._replace(start=min(chunk.start, edit.start), end=max(chunk.end, edit.end))
        shift += sum(_growth(edit) for edit in chunk.other)
        yield chunk


def _touches(chunk: _Chunk, rest: Sequence[Edit]) -> bool:
    return bool(rest) and rest[-1].start <= chunk.end


def _growth(edit: Edit) -> int:
    return (edit.new_end - edit.new_start) - (edit.end - edit.start)


def _within(chunk: _Chunk) -> tuple[int, int]:
    """Return the lines of the branch that a chunk stands for."""
    first, last = chunk.own[0], chunk.own[-1]
    return first.new_start - (first.start - chunk.start), last.new_end + (chunk.end - last.end)


def _place(block: Sequence[bytes], lines: Sequence[bytes], after: int) -> int:
    """Return where a block stands in one piece, or -1; no lines stand anywhere."""
    for at in range(after, len(lines) - len(block) + 1):
        if lines[at : at + len(block)] == block:
            return at
    return -1

"""How two texts differ, line by line. Pure: lines in, edits out.

The shortest script of edits is looked for (Myers, 1986). Where it would be very long, lines that both texts
have once anchor the comparison, as in a patience diff, and the script is looked for between two anchors.

Rule: an edit that could stand in several places stands in the last of them, so that the same change, found in
two pairs of texts, is found at the same place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from maestri.records import NamedTuple

_MOST_EDITS: Final = 200  # more cost much time, and tell little


class Edit(NamedTuple):
    """The lines `old[start:end]` became `new[new_start:new_end]`; one of both may be empty."""

    start: int
    end: int
    new_start: int
    new_end: int


def edits(old: Sequence[bytes], new: Sequence[bytes]) -> list[Edit]:
    """Return the edits that make one text the other, in order; between two of them stands a line of both."""
    partner = _partners(old, new)
    found = []
    start = new_start = 0
    for at in range(len(old) + 1):
        to = len(new) if at == len(old) else partner[at]
        if to < 0:
            continue
        if at > start or to > new_start:
            found.append(Edit(start, at, new_start, to))
        start, new_start = at + 1, to + 1
    return _slid(old, new, found)


def _partners(old: Sequence[bytes], new: Sequence[bytes]) -> list[int]:
    """Return for each old line the number of the new one that it is, or -1."""
    partner = [-1] * len(old)
    todo = [(0, len(old), 0, len(new))]
    while todo:
        start, end, new_start, new_end = todo.pop()
        while start < end and new_start < new_end and old[start] == new[new_start]:
            partner[start] = new_start
            start, new_start = start + 1, new_start + 1
        while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
            end, new_end = end - 1, new_end - 1
            partner[end] = new_end
        if start == end or new_start == new_end:
            continue
        pairs = _shortest(old[start:end], new[new_start:new_end])
        if pairs is not None:
            for at, to in pairs:
                partner[start + at] = new_start + to
            continue
        anchors = _anchors(old, new, Edit(start, end, new_start, new_end))
        if not anchors:
            continue
        for at, to in anchors:
            partner[at] = to
            todo.append((start, at, new_start, to))
            start, new_start = at + 1, to + 1
        todo.append((start, end, new_start, new_end))
    return partner


def _anchors(old: Sequence[bytes], new: Sequence[bytes], part: Edit) -> list[tuple[int, int]]:
    """Return pairs of lines that both parts have exactly once: the longest row of them in the same order."""
    mine = _once(old, part.start, part.end)
    theirs = _once(new, part.new_start, part.new_end)
    pairs = sorted((at, theirs[line]) for line, at in mine.items() if line in theirs)
    ends: list[int] = []  # of the rows of each length, the smallest last partner
    rows: list[int] = []
    before: list[int] = [-1] * len(pairs)
    for number, (_, to) in enumerate(pairs):
        length = bisect_left(ends, to)
        before[number] = rows[length - 1] if length else -1
        ends[length : length + 1] = [to]
        rows[length : length + 1] = [number]
    row, at = [], rows[-1] if rows else -1
    while at >= 0:
        row.append(pairs[at])
        at = before[at]
    return row[::-1]


def _once(lines: Sequence[bytes], start: int, end: int) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for at in range(start, end):
        found[lines[at]] = -1 if lines[at] in found else at
    return {line: at for line, at in found.items() if at >= 0}


def _shortest(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]] | None:
    """Return the pairs of equal lines of a shortest script; None where it would be very long."""
    reach = {1: 0}  # of each diagonal (old less new), how far in `old` one can be
    trace: list[dict[int, int]] = []
    for count in range(min(len(old) + len(new), _MOST_EDITS) + 1):
        trace.append(dict(reach))
        for diagonal in range(-count, count + 1, 2):
            is_down = diagonal == -count or (diagonal != count and reach[diagonal - 1] < reach[diagonal + 1])
            at = reach[diagonal + 1] if is_down else reach[diagonal - 1] + 1
            while at < len(old) and at - diagonal < len(new) and old[at] == new[at - diagonal]:
                at += 1
            reach[diagonal] = at
            if at >= len(old) and at - diagonal >= len(new):
                return _walked_back(trace, len(old), len(new))
    return None


def _walked_back(trace: Sequence[dict[int, int]], at: int, to: int) -> list[tuple[int, int]]:
    pairs = []
    for count in range(len(trace) - 1, -1, -1):
        reach, diagonal = trace[count], at - to
        is_down = diagonal == -count or (diagonal != count and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if is_down else diagonal - 1
        start = reach[before] if count else 0
        begun = (start if is_down else start + 1) if count else 0
        while at > begun:
            at, to = at - 1, to - 1
            pairs.append((at, to))
        at, to = start, start - before
    return pairs


def _slid(old: Sequence[bytes], new: Sequence[bytes], found: list[Edit]) -> list[Edit]:
    """Move pure insertions and deletions down as far as they can go; those that meet become one."""
    slid: list[Edit] = []
    for edit in reversed(found):
        after = slid[-1] if slid else None
        one = _down(old, new, edit, after.start if after else len(old))
        if after is not None and one.end == after.start:
            slid[-1] = Edit(one.start, after.end, one.new_start, after.new_end)
        else:
            slid.append(one)
    return slid[::-1]


def _down(old: Sequence[bytes], new: Sequence[bytes], edit: Edit, limit: int) -> Edit:
    start, end, new_start, new_end = edit
    lines, first, last = (new, new_start, new_end) if start == end else (old, start, end)
    if start != end and new_start != new_end:
        return edit
    steps = 0
    while end + steps < limit and lines[first + steps] == lines[last + steps]:
        steps += 1
    return Edit(start + steps, end + steps, new_start + steps, new_end + steps)

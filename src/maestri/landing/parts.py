"""The parts of a change (its hunks, its mode, its new name), and whether each is in a result.

Rule 1: what the result holds under the same name, byte for byte, needs no closer look.
Rule 2: a file that was renamed by anybody is looked at where it is now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from maestri.landing.difference import Edit, edits
from maestri.landing.presence import Seen, seen
from maestri.landing.trees import Trees, Work, is_text
from maestri.records import NamedTuple
from maestri.workspaces.reading import ABSENT_MODE, Change

Kind: TypeAlias = Literal["lines", "file", "mode", "rename", "deletion"]
_PLAIN_MODE: Final = "100644"


class Part(NamedTuple):
    """A part of a change, and whether it is there.

    `edit` are its lines, where it is one of `lines`; `place` is the path in the result to look at, empty
    where there is none, and `line` the line there, from 1. `hunks` is how many parts it stands for.
    """

    branch: str
    kind: Kind
    change: Change
    is_there: bool
    place: str = ""
    line: int = 0
    edit: Edit | None = None
    is_rewritten: bool = False
    hunks: int = 1


def parts(trees: Trees, work: Work, change: Change) -> list[Part]:
    """Return the parts of one change of a branch."""
    if change.status == "D":
        return [_part(work, "deletion", change, change.path not in trees.result)]
    places = trees.places(change.path, change.new)
    found = []
    if change.status == "R":
        is_there = bool(places) and change.old_path not in trees.result
        found.append(_part(work, "rename", change, is_there, places))
        places = places or trees.places(change.old_path, change.new)
    if _has_mode(change):
        is_there = any(trees.result[place].mode == change.new_mode for place in places)
        found.append(_part(work, "mode", change, is_there, places))
    if change.old != change.new:
        found += _content(trees, work, change, places)
    return found


def _part(work: Work, kind: Kind, change: Change, is_there: bool, places: Sequence[str] = ()) -> Part:
    return Part(work.name, kind, change, is_there, places[0] if places else "")


def _has_mode(change: Change) -> bool:
    """Tell whether a mode is a change of its own: where a file becomes a link, it is part of the content."""
    if change.old_mode == ABSENT_MODE:
        return is_text(change.new_mode) and change.new_mode != _PLAIN_MODE
    return change.old_mode != change.new_mode and is_text(change.old_mode, change.new_mode)


def _content(trees: Trees, work: Work, change: Change, places: Sequence[str]) -> list[Part]:
    texts = sides(trees, change)
    whole = [
        place
        for place in places
        if trees.result[place].object == change.new
        and is_text(trees.result[place].mode) == is_text(change.new_mode)
    ]
    if whole:
        count = 1 if texts is None else max(len(edits(*texts)), 1)
        return [_part(work, "file", change, True, whole)._replace(hunks=count)]
    if texts is None:
        return [_part(work, "file", change, False, places)]
    wanted = edits(*texts)
    if not wanted:  # a new file without a line
        return [_part(work, "file", change, bool(places), places)]
    found = [_part(work, "lines", change, False, places)._replace(edit=edit) for edit in wanted]
    for place in places:
        found = _better(found, _seen(trees, texts, place), place)
    return found


def sides(trees: Trees, change: Change) -> tuple[list[bytes], list[bytes]] | None:
    """Return the lines before and after a change; None where it is not one of lines."""
    if not is_text(change.old_mode, change.new_mode):
        return None
    old, new = trees.contents.lines(change.old), trees.contents.lines(change.new)
    return None if old is None or new is None else (old, new)


def _seen(trees: Trees, texts: tuple[list[bytes], list[bytes]], place: str) -> list[Seen]:
    held = held_lines(trees, place)
    return [] if held is None else seen(*texts, held)


def held_lines(trees: Trees, place: str) -> list[bytes] | None:
    """Return the lines of a file of the result; None where there is none, or it has no lines."""
    entry = trees.result.get(place)
    return None if entry is None or not is_text(entry.mode) else trees.contents.lines(entry.object)


def _better(found: Sequence[Part], looked: Sequence[Seen], place: str) -> list[Part]:
    """Take what was seen at another place, for the parts that are not there yet."""
    by_edit = {one.edit: one for one in looked}
    best = []
    for part in found:
        one = by_edit.get(part.edit) if part.edit is not None else None
        if not part.is_there and one is not None and (one.is_there or not part.line):
            best.append(
                part._replace(
                    is_there=one.is_there, place=place, line=one.at + 1, is_rewritten=one.is_rewritten
                )
            )
        else:
            best.append(part)
    return best

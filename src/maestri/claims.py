"""Claims: which files a step may change, as globs; what of its work lies outside, and whether two can meet.

`*` and `?` stay within a part of a path, `**` stands for any number of parts, `[...]` for one character. A
claim on a folder is a claim on everything in it.

Rule: a path is judged letter by letter; what another system would take for the path of something else is
stray, too, and so is a link that leads out of the tree.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from maestri.errors import ClaimBroken
from maestri.records import NamedTuple

DEEP: Final = "**"
_ONE: Final = "?"
_MANY: Final = "*"
_NAMED: Final = 10


class Touched(NamedTuple):
    """A path that was added, changed or deleted; `target` is that of a link."""

    path: str
    is_deleted: bool = False
    target: str | None = None
    is_repository: bool = False


def is_claimed(path: str, claims: Sequence[str]) -> bool:
    """Tell whether a path (`src/a.py`, from the folder that claims start from) is in one of some claims."""
    return any(_matcher(claim).match(path) is not None for claim in claims)


@lru_cache(maxsize=1024)
def _matcher(claim: str) -> re.Pattern[str]:
    expression = ""
    for part in _parts(claim):
        expression += "(?:[^/]+/)*" if part == DEEP else f"{''.join(map(_regex, _tokens(part)))}/"
    # A path below what is claimed is claimed, too: so the end of a claim may be followed by anything.
    return re.compile(f"{expression.removesuffix('/')}(?:/.*)?\\Z" if expression else "", re.DOTALL)


def _parts(claim: str) -> list[str]:
    parts = [part for part in claim.split("/") if part not in {"", "."}]
    if parts and parts[-1] == DEEP:
        parts[-1:] = [_MANY]  # something must be in the folder; what is below is claimed anyway
    return parts


def _tokens(part: str) -> list[str]:
    """Return the wildcards, classes and characters of a part."""
    found = re.findall(r"\[[^\]]+\]|\*+|.", part, re.DOTALL)
    return [_MANY if token.startswith(_MANY) else token for token in found]


def _regex(token: str) -> str:
    if token == _MANY:
        return "[^/]*"
    if token == _ONE:
        return "[^/]"
    if len(token) > 1:
        inner = re.sub(r"([\\\[\]&~|^])", r"\\\1", token[1:-1])
        found = f"[^/{inner[1:]}]" if inner.startswith("!") and inner != "!" else f"(?!/)[{inner}]"
        try:
            re.compile(found)
        except re.error:  # a range that goes backwards: nothing is between its ends
            return "(?!)"
        return found
    return re.escape(token)


# --- what lies outside ----------------------------------------------------------------------------


def strays(
    touched: Sequence[Touched], claims: Sequence[str], paths: Iterable[str], prefix: str = ""
) -> dict[str, str]:
    """Return the touched paths that are stray, each with why.

    Args:
        touched: What was done.
        claims: Globs; without any everything is claimed.
        paths: Every path that is there now, touched or not.
        prefix: The folder that the claims start from, as a path from the top; empty for the top itself.
    """
    spelled: dict[str, set[str]] = {}
    for path in paths:
        for part in _with_folders(path):
            spelled.setdefault(_folded(part), set()).add(part)
    found = {one.path: _why(one, claims, prefix, spelled) for one in touched}
    return {path: why for path, why in found.items() if why}


def _why(one: Touched, claims: Sequence[str], prefix: str, spelled: Mapping[str, set[str]]) -> str:
    if one.is_repository:
        return "it is a repository of its own"
    if claims and not is_claimed(posixpath.relpath(one.path, prefix) if prefix else one.path, claims):
        return "it is outside of the claims"
    if one.is_deleted:
        return ""
    for part in _with_folders(one.path):
        others = sorted(spelled.get(_folded(part), {part}) - {part})
        if others:
            return f"it differs from `{others[0]}` in nothing but the way of writing it"
    if one.target is not None and _leads_out(one.path, one.target):
        return "it is a link that leads out"
    return ""


def _folded(path: str) -> str:
    """Return what systems that ignore case, or how a letter is composed, take a path for."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _with_folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _leads_out(path: str, target: str) -> bool:
    """Tell whether a link leads out of the tree, or into git's own folder."""
    if target.startswith("/"):
        return True
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    first = reached.split("/")[0]
    return first == ".." or first.casefold() == ".git"


def broken(found: Sequence[Mapping[str, str]]) -> ClaimBroken:
    """Return the error for what lies outside: a list of `{path, why}`."""
    names = ", ".join(f"`{one['path']}`" for one in found[:_NAMED])
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    message = f"files were changed that may not be: {names}{more}"
    cause = "; ".join(f"`{one['path']}`: {one['why']}" for one in found[:_NAMED])
    fix = "take these changes back and resume the run; or claim the files, and start a new one"
    return ClaimBroken(message, cause=cause, fix=fix, detail={"stray": [dict(one) for one in found]})


# --- whether two can meet -------------------------------------------------------------------------


def can_meet(one: Sequence[str], other: Sequence[str]) -> tuple[str, str] | None:
    """Return the first two claims, one of each side, that some path could be in both of; None without any."""
    for claim in one:
        for against in other:
            if _meet(tuple(_parts(claim)), tuple(_parts(against))):
                return claim, against
    return None


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not one or not other:
        return True  # the rest of the longer one lies below what the shorter one claims
    if one[0] == DEEP:
        return _meet(one[1:], other) or _meet(one, other[1:])
    if other[0] == DEEP:
        return _meet(other, one)
    return _alike(tuple(_tokens(one[0])), tuple(_tokens(other[0]))) and _meet(one[1:], other[1:])


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether some name fits both of two parts."""
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        a, b = waiting.pop()
        if (a, b) == (len(one), len(other)):
            return True
        for step in _steps(one, other, a, b):
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return False


def _steps(one: tuple[str, ...], other: tuple[str, ...], a: int, b: int) -> list[tuple[int, int]]:
    left = one[a] if a < len(one) else ""
    right = other[b] if b < len(other) else ""
    found = []
    if left == _MANY:
        found += [(a + 1, b), *([(a, b + 1)] if right else [])]
    if right == _MANY:
        found += [(a, b + 1), *([(a + 1, b)] if left else [])]
    if left and right and _MANY not in {left, right} and _can_be_equal(left, right):
        found.append((a + 1, b + 1))
    return found


def _can_be_equal(left: str, right: str) -> bool:
    if len(left) == 1 and left != _ONE:
        return re.fullmatch(_regex(right), left) is not None
    if len(right) == 1 and right != _ONE:
        return re.fullmatch(_regex(left), right) is not None
    return True  # two classes: rather said once too often

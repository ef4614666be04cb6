"""Where a step is: names joined to paths, counted per scope.

Rule 1: a path is `/name` or `/name#n`, nested; `#1` is left out.
Rule 2: a name that a user writes never holds `#` or `/`.
Rule 3: the root scope of a run is `/`; records of the run itself have the empty scope.
"""

from __future__ import annotations

import re

from maestri.errors import BadName

ROOT = "/"
RUN = ""  # the scope of records that concern the run as a whole

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
_checked: set[str] = set()


def check_name(name: str) -> None:
    """Refuse what is not a name: a letter, then up to 63 letters, digits, `_` or `-`.

    Raises:
        BadName: The text is not a name.
    """
    if name in _checked:
        return
    if not isinstance(name, str) or _NAME.match(name) is None:
        message = f"`{name}` is not a name"
        fix = "begin with a letter; then letters, digits, `_` and `-`, 64 at the most"
        raise BadName(message, fix=fix)
    if len(_checked) < 10_000:  # names made at run time must not fill the memory
        _checked.add(name)


def numbered(name: str, n: int) -> str:
    """Return the path segment of the n-th use of a name in its scope, counted from 1."""
    return name if n == 1 else f"{name}#{n}"


def split_segment(segment: str) -> tuple[str, int]:
    """Return name and number of a segment: `round#2` is `("round", 2)`, `round` is `("round", 1)`."""
    name, mark, number = segment.partition("#")
    return name, int(number) if mark else 1


def join(scope: str, segment: str) -> str:
    """Return the path of a segment in a scope. The root itself is the empty segment of the root."""
    if not segment:
        return scope
    return f"/{segment}" if scope == ROOT else f"{scope}/{segment}"


def parent(path: str) -> tuple[str, str]:
    """Return scope and segment of a path; the root is its own scope with an empty segment."""
    scope, _, segment = path.rpartition("/")
    return (scope or ROOT, segment)


def ancestors(path: str) -> list[str]:
    """Return the scopes above a path, the root first, the path itself not included."""
    found = [ROOT]
    at = path.find("/", 1)
    while at != -1:
        found.append(path[:at])
        at = path.find("/", at + 1)
    return found if path != ROOT else []


def is_within(path: str, scope: str) -> bool:
    """Tell whether a path is a scope or lies below it."""
    return scope in {ROOT, path} or path.startswith(scope + "/")


def parse(text: str) -> str:
    """Return a path that a user typed in its normal form (`a/b#1/` is `/a/b`).

    Raises:
        BadName: A segment is not a name with an optional number.
    """
    segments = []
    for part in text.strip("/").split("/") if text.strip("/") else []:
        name, mark, number = part.partition("#")
        check_name(name)
        if mark and not (number.isascii() and number.isdigit() and int(number) > 0):
            message = f"`{part}` is not a step of a path"
            raise BadName(message, fix="write the number of the use after `#`, from 1: `round#2`")
        segments.append(numbered(name, int(number) if mark else 1))
    return "/" + "/".join(segments)

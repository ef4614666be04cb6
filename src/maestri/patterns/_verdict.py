"""What somebody who judges may answer: true, false, or a mapping that says so under one key."""

from __future__ import annotations

from typing import Any

from maestri.kernel import codec
from maestri.patterns._answers import as_data

_WORDS = ("problem", "notes", "reason", "message")  # where a mapping may say why, in this order


class Unclear:
    """A verdict that is neither yes nor no."""


UNCLEAR = Unclear()


def verdict_of(found: Any, key: str) -> bool | Unclear:
    """Return what a verdict says; a text that holds JSON (an agent's answer) counts as that."""
    value = as_data(found)
    if isinstance(value, dict):
        value = value.get(key)
    return value if isinstance(value, bool) else UNCLEAR


def words_of(found: Any, key: str) -> str | Unclear | None:
    """Return why a verdict says no; None where it does not say no, and so lets pass.

    What is no verdict at all lets pass, too: a command that has succeeded says so by that.
    """
    value = as_data(found)
    if value is False:
        return "its validator gave false"
    if not isinstance(value, dict) or key not in value:
        return None
    if not isinstance(value[key], bool):
        return UNCLEAR
    return None if value[key] else _why(value, key)


def _why(verdict: dict[str, Any], key: str) -> str:
    for name in _WORDS:
        if isinstance(verdict.get(name), str) and verdict[name].strip():
            return str(verdict[name])
    rest = {name: value for name, value in verdict.items() if name != key}
    return codec.encode(rest) if rest else "its validator gave false"

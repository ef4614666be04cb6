"""The configuration: `.maestri/config.yaml` of a project, then `maestri/config.yaml` of the user.

Rule 1: what the project says counts before what the user says.
Rule 2: a file that is wrong is refused with its place; nothing of it is guessed, and nothing ignored.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from maestri.errors import DefinitionError, Diagnostic
from maestri.project.parts import load

OWN: Final = ".maestri/config.yaml"
KEYS: Final = {"default_agent": "who answers for agents that the file of another system names"}
CODE: Final = "L323"


def setting(key: str, cwd: str, environ: Mapping[str, str]) -> str:
    """Return what is configured for a key; an empty text where nobody has said anything.

    Args:
        key: One of `KEYS`.
        cwd: The folder of the project.
        environ: The environment: `XDG_CONFIG_HOME` and `HOME`.

    Raises:
        DefinitionError: A configuration is no YAML, has an unknown key, or a value that is no name.
    """
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".config")
    user = str(Path(home, "maestri", "config.yaml"))
    for file, shown in ((str(Path(cwd, OWN)), OWN), (user, user)):
        if os.path.lexists(file):
            found = _read(file, shown).get(key, "")
            if found:
                return found
    return ""


def _read(file: str, shown: str) -> dict[str, str]:
    loaded: Any = load("maestri.lang.load:read_file")(file, shown)
    if loaded.tree is None or loaded.diagnostics:
        raise DefinitionError(loaded.diagnostics)
    found: dict[str, str] = {}
    wrong: list[Diagnostic] = []
    for entry in loaded.tree.entries:
        value = getattr(entry.value, "value", None)
        if entry.key.text in KEYS and isinstance(value, str) and value:
            found[entry.key.text] = value
        else:
            wrong.append(_wrong(entry, shown))
    if wrong:
        raise DefinitionError(wrong)
    return found


def _wrong(entry: Any, shown: str) -> Diagnostic:
    key = entry.key.text[:80]
    is_known = key in KEYS
    message = f"`{key}` must be a name" if is_known else f"`{key}` is no key of a configuration"
    fix = f"write `{key}: echo`" if is_known else f"use one of: {', '.join(KEYS)}"
    cause = f"it says {KEYS[key]}" if is_known else "what is not known could not be followed"
    return Diagnostic(CODE, message, cause=cause, fix=fix, file=shown, span=entry.key.span)

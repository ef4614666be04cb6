"""Copies of a directory that bodies work in, and how their work comes back.

A copy is made by a step and lies with the run; nothing outside of it changes until its work is brought back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.ports import Task

_AGENT = "directory"


async def copied(scope: Context, name: str, directory: str | None) -> str:
    """Copy a directory, the run's own without one, and return the path of the copy.

    Raises:
        InputInvalid: It is not a directory.
    """
    given = {} if directory is None else {"dir": directory}
    made = await scope.perform(name, Task(_AGENT, {"verb": "copy", **given}))
    path: str = made["dir"]
    return path


async def changes(scope: Context, number: int, copy: str) -> dict[str, Any]:
    """Return the files that were added, changed and deleted in a copy; the step is `changes#n`."""
    return await _numbered(scope, "changes", number, {"verb": "changes", "copy": copy})


async def archived(scope: Context, number: int, copy: str, title: str) -> dict[str, Any]:
    """Keep what was done in a copy as an artifact; return the same as `changes`, with that."""
    return await _numbered(scope, "archive", number, {"verb": "archive", "copy": copy, "name": title})


async def _numbered(scope: Context, name: str, number: int, request: dict[str, Any]) -> dict[str, Any]:
    step = OneStep(lambda place: place.perform(name, Task(_AGENT, request)))
    return _told(await scope.enter_body(scope.claim(name, number), step))


def _told(output: Any) -> dict[str, Any]:
    """Return what a step has told; a person who has decided it by hand may have said nothing of files."""
    return output if isinstance(output, dict) else {}


async def applied(
    scope: Context, name: str, directory: str | None, copy: str, left_out: Sequence[str] = ()
) -> dict[str, Any]:
    """Bring what was done in a copy back into the directory, less what is left out; return like `changes`.

    Raises:
        DirectoryChanged: The directory has changed since it was copied; nothing was brought back.
    """
    given = {} if directory is None else {"dir": directory}
    request = {"verb": "apply", **given, "copy": copy, **({"leave_out": list(left_out)} if left_out else {})}
    return _told(await scope.perform(name, Task(_AGENT, request)))


async def cleaned(scope: Context, name: str, copies: Sequence[str]) -> None:
    """Remove copies that nobody needs any more."""
    await scope.perform(name, Task(_AGENT, {"verb": "clean", "copies": list(copies)}))

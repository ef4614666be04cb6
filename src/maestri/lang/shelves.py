"""Where workflows are found by name: the folders of a library, looked through in order.

Rule 1: the first folder that has a name wins; a name that one folder has twice is a finding.
Rule 2: what was found is remembered, so that a run goes on with it wherever it is resumed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from maestri.lang.read_values import NAME
from maestri.records import NamedTuple

ENDINGS: Final = (".yaml", ".yml")
_MOST = 1000  # files of one folder that are looked at


class Folder(NamedTuple):
    """A folder of a library; `shown_as` is its name in messages."""

    path: str
    shown_as: str


class Shelved(NamedTuple):
    """A workflow in a folder of the library: its name is that of the file. `also` is a second such file."""

    name: str
    path: str
    shown_as: str
    also: str = ""


class Shelves:
    """The folders of a library, and what was found in them."""

    def __init__(
        self, folders: Callable[[], Sequence[Folder]] | None = None, known: Mapping[str, str] | None = None
    ) -> None:
        """Look nowhere yet.

        Args:
            folders: Gives the folders, the first to be looked at first.
            known: Files by name that were found before; nothing else is found then.
        """
        self._folders = folders
        self._known = known
        self._found: dict[str, Shelved | None] = {}

    def find(self, name: str) -> Shelved | None:
        """Return the workflow of a name."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def paths(self) -> dict[str, str]:
        """Return the files that were found, by name."""
        return {name: one.path for name, one in self._found.items() if one is not None}

    def names(self) -> list[str]:
        """Return the names of all that could be found, for a suggestion."""
        return sorted({one.name for one in self.all()}) if self._known is None else sorted(self._known)

    def all(self) -> list[Shelved]:
        """Return all workflows in all folders, also those that another one of their name hides."""
        found: list[Shelved] = []
        for folder in self._listed():
            try:
                names = sorted(os.listdir(folder.path))[:_MOST]  # noqa: PTH208 - names only
            except OSError:
                continue
            stems = dict.fromkeys(os.path.splitext(name)[0] for name in names if name.endswith(ENDINGS))  # noqa: PTH122
            found += [one for stem in stems if (one := _in_folder(folder, stem)) is not None]
        return found

    def _look(self, name: str) -> Shelved | None:
        if NAME.match(name) is None:
            return None
        if self._known is not None:
            path = self._known.get(name)
            return None if path is None else Shelved(name, path, path)
        return next((one for folder in self._listed() if (one := _in_folder(folder, name))), None)

    def _listed(self) -> Sequence[Folder]:
        return () if self._folders is None else self._folders()


def _in_folder(folder: Folder, name: str) -> Shelved | None:
    files = [name + ending for ending in ENDINGS if os.path.isfile(os.path.join(folder.path, name + ending))]  # noqa: PTH113, PTH118
    if not files or NAME.match(name) is None:
        return None
    first, *others = files
    path, shown = (os.path.join(place, first) for place in (folder.path, folder.shown_as))  # noqa: PTH118
    return Shelved(name, path, shown, others[0] if others else "")

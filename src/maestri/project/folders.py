"""The folders in which workflows are looked for by name: of the project, of the user, of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from maestri.lang.shelves import Folder

OWN: Final = (".maestri/workflows", "workflows")


def folders(cwd: str, environ: Mapping[str, str]) -> list[Folder]:
    """Return the folders of the library, the first to be looked at first.

    Args:
        cwd: The working directory.
        environ: The environment: `XDG_CONFIG_HOME`, `HOME`, and `MAESTRI_LIBRARY`, a list like `PATH`.
    """
    found = [Folder(os.path.join(cwd, name), name) for name in OWN]  # noqa: PTH118 - texts, as the language has
    config = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".config")
    user = os.path.join(config, "maestri", "workflows")  # noqa: PTH118 - the same
    listed = [place for place in environ.get("MAESTRI_LIBRARY", "").split(os.pathsep) if place]
    return [*found, *(Folder(str(Path(cwd, place)), place) for place in (user, *listed))]

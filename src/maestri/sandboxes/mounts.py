"""The mounts of a root of its own: which folder is seen how, in the order in which they must be made."""

from __future__ import annotations

import os
from typing import Final

from maestri.sandboxes.sight import Sight

_READ, _WRITE, _HIDE = 1, 0, 2
_OPTIONS: Final = {_READ: "--ro-bind-try", _WRITE: "--bind"}


def mounts(seen: Sight) -> list[str]:
    """Return the options of `bwrap` for what is seen beside the system, the outer places first.

    A place that is to be read within one that may be written to is only to be read. A link is followed once,
    here: the place that it leads to is shown under the name of the link. What is made only when the command
    starts, like a mailbox, is not looked for here.
    """
    kinds: dict[str, int] = {}
    for kind, places in ((_WRITE, seen.write), (_READ, seen.read), (_HIDE, seen.hidden)):
        for place in places:
            kinds[place] = max(kinds.get(place, kind), kind)
    options: list[str] = []
    for place in sorted(kinds, key=lambda one: (one.count("/"), one)):
        kind = kinds[place]
        if kind == _HIDE:
            options += ["--size", str(1 << 20), "--tmpfs", place]
        else:
            options += [_OPTIONS[kind], os.path.realpath(place), place]
    return options

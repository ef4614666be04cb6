"""The program with which the processes of a step report: found by them whatever their PATH."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final

# Without `site` an interpreter starts in half the time, and the file needs the standard library only.
_SCRIPT: Final = """#!/bin/sh
exec {python} -I -S {file} "$@"
"""


def tell_script() -> str:
    """Return the text of the program."""
    file = Path(__file__).parents[1] / "cli" / "tell.py"
    return _SCRIPT.format(python=shlex.quote(sys.executable), file=shlex.quote(str(file)))

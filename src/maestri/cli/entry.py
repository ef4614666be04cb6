"""The command `maestri`: what steps call again and again comes first, and loads nothing else."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

from maestri.cli import tell

MAIN: Final = "maestri.cli.main"


def main() -> int:
    """Carry out the command line of this process and return the exit code."""
    words = sys.argv[1:]
    if words[:1] == ["tell"]:
        code = tell.quick(words[1:], os.environ.get("MAESTRI_MAILBOX", ""))
        if code is not None:
            return code
    whole: int = import_module(MAIN).main()
    return whole

"""Figures that a test hands out: on standard output, and as JSON where `MAESTRI_TALLY` names a file.

Rule 1: every figure comes with what it takes to repeat it: the seed and the commit.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path

VARIABLE = "MAESTRI_TALLY"
ROOT = Path(__file__).resolve().parent.parent


@cache
def commit() -> str:
    """Return the short name of the commit that is checked out, with `+` where files differ from it."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def tally(program: str, seed: int, **figures: float | str) -> str:
    """Hand out the figures of one program.

    Args:
        program: Its name.
        seed: What its random numbers began with.
        figures: The figures by name, in the order in which they are to be read.

    Returns:
        The line that was printed.
    """
    found = {"program": program, **figures, "seed": seed, "commit": commit()}
    line = ", ".join(
        f"{name} {value:,}" if isinstance(value, int) and name != "seed" else f"{name} {value}"
        for name, value in found.items()
    )
    print(line)
    if file := os.environ.get(VARIABLE):
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(found) + "\n")
    return line

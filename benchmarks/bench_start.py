"""How long a fresh interpreter takes to import what a run needs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from figures import Figure

ROUNDS = 9
IMPORTS = ("", "maestri", "maestri.kernel.ports")


def best_ms(code: str) -> float:
    """Return the milliseconds of the fastest of some fresh interpreters."""
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        best = min(best, time.perf_counter() - begun)
    return best * 1000


def measure() -> Iterator[Figure]:
    """Yield the time of an interpreter alone, and of one that imports a module."""
    for module in IMPORTS:
        code = f"import {module}" if module else "pass"
        yield Figure(f"fresh interpreter: {code}", best_ms(code), "ms")

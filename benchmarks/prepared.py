"""What takes long to make and is made once a call: large journals, and a loop of very many rounds."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import IO, Final, NamedTuple, cast

TALL: Final = "tall-run-1"  # the large one of a tall journal
_FOLDER: Final = Path(__file__).resolve().parent


class Held(NamedTuple):
    """A large run that is under way: where it is, how many events it has, and its owner's two ends."""

    folder: Path
    events: int
    to_owner: IO[str]
    from_owner: IO[str]

    def append(self) -> tuple[float, str]:
        """Have the owner append an event; returns when it was stored, in seconds since 1970, and its path."""
        self.to_owner.write("\n")
        self.to_owner.flush()
        at, path = self.from_owner.readline().split()
        return float(at), path


class BenchmarkFailed(Exception):
    """A measured process did not do what it had to."""


@lru_cache
def place(name: str) -> Path:
    """Return a folder that is there until this process ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"maestri-bench-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@lru_cache
def tall(n: int) -> Held:
    """Return a journal of n events in one run whose owner lives as long as this process."""
    folder = place("tall")
    owner = subprocess.Popen(
        [sys.executable, str(_FOLDER / "journals.py"), "tall", str(n), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    atexit.register(_end, owner)
    to_owner, from_owner = cast("IO[str]", owner.stdin), cast("IO[str]", owner.stdout)
    first = from_owner.readline()
    if not first:
        message = "the large journal was not built"
        raise BenchmarkFailed(message)
    return Held(folder, int(first), to_owner, from_owner)


def _end(owner: subprocess.Popen[str]) -> None:
    owner.communicate()  # its input ends, and with it the owner


@lru_cache
def spread(n: int) -> Path:
    """Return the folder of a journal of n events in a thousand runs."""
    folder = place("spread")
    subprocess.run(
        [sys.executable, str(_FOLDER / "journals.py"), "spread", str(n), str(folder)],
        check=True,
        env=os.environ,
    )
    return folder

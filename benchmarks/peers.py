"""Other programs beside Maestri, where somebody has them: `measure.py --peers NAME,... --peers-python FILE`.

Each is one program `peer_NAME.py` that speaks as `ours.py` and `floor.py` do; nothing of them is imported by
the process that measures.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

NOT_INSTALLED: Final = 4  # the exit code of a peer's program
_FOLDER: Final = Path(__file__).resolve().parent
NAMES: Final = tuple(sorted(file.stem.removeprefix("peer_") for file in _FOLDER.glob("peer_*.py")))
# What they can do, and from which n on it takes them too long.
_MOST: Final = {"chain": 1_000, "fan": 1_000, "runs": 200, "loop": 1_000, "recovery": 1_000}


class Peer(NamedTuple):
    """Another program, and the interpreter that has it."""

    name: str
    python: str

    @property
    def side(self) -> str:
        """Its name as a side of a workload."""
        return f"{self.name}@{self.python}"

    def does(self, workload: str, n: int) -> bool:
        """Tell whether it is measured on a workload of this size."""
        return n <= _MOST.get(workload, 0)

    def program(self, work: str, n: int, folder: Path) -> list[str]:
        """Return the command that does some work."""
        return [self.python, str(_FOLDER / f"peer_{self.name}.py"), work, str(n), str(folder)]

    def missing(self) -> str:
        """Return why it cannot be measured, or an empty text."""
        command = self.program("chain", 0, Path())
        try:
            done = subprocess.run([*command[:2], "--try"], capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{self.name} is not measured: {self.python} cannot be started: {error.strerror}"
        return (
            f"{self.name} is not measured: {done.stderr.strip()}" if done.returncode == NOT_INSTALLED else ""
        )


def imported(module: str, package: str = "") -> Any:
    """Import a module of a peer in its program, which ends with a message where it is not installed."""
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        name = package or module.partition(".")[0]
        print(f"{sys.executable} has no {name} ({error}): `pip install {name}` there", file=sys.stderr)
        sys.exit(NOT_INSTALLED)
    return found


def versions(peers: list[Peer]) -> dict[str, str]:
    """Return the versions that are measured."""
    code = "import importlib.metadata as m, json, sys; n = sys.argv[1]; print(json.dumps({n: m.version(n)}))"
    found: dict[str, str] = {}
    for peer in peers:
        done = subprocess.run(
            [peer.python, "-c", code, peer.name], capture_output=True, text=True, check=True
        )
        found.update(json.loads(done.stdout))
    return found

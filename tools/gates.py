"""Run every gate of `make check`, two at a time, and say at the end which of them failed.

A gate that fails does not stop the others: one run shows everything that there is to mend.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent  # not resolved: the tools stand beside the environment's own python


class Gate(NamedTuple):
    """A command that must end with 0."""

    name: str
    command: list[str]


class Outcome(NamedTuple):
    """How a gate ended."""

    gate: Gate
    passed: bool
    output: str
    seconds: float


def _script(name: str, *options: str) -> list[str]:
    return [sys.executable, f"tools/{name}.py", *options]


# The slowest first, so that the two lanes end together.
GATES = [
    Gate("types", [str(BIN / "mypy")]),
    Gate("layers", [str(BIN / "lint-imports"), "--no-logo"]),
    Gate("lint", [str(BIN / "ruff"), "check", "."]),
    Gate("format", [str(BIN / "ruff"), "format", "--check", "."]),
    Gate("imports", _script("imports")),
    Gate("sizes", _script("sizes")),
    Gate("docstrings", _script("docstrings")),
    Gate("errors", _script("errors_page", "--check")),
    Gate("docs", _script("reference", "--check")),
    Gate("covered", _script("covered")),
    Gate("public", _script("public_names", "--check")),
    Gate("changes", _script("changes")),
]


def run(gate: Gate) -> Outcome:
    """Run one gate and return how it ended."""
    begun = time.monotonic()
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(
            gate.command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        return Outcome(gate, passed=False, output=f"cannot be started: {error}\n", seconds=0.0)
    return Outcome(gate, done.returncode == 0, done.stdout, time.monotonic() - begun)


def shown(outcome: Outcome) -> str:
    """Return one line for a gate that passed, and all that a failed one said."""
    word = "ok    " if outcome.passed else "FAILED"
    line = f"{word} {outcome.gate.name:<11} {outcome.seconds:5.1f} s"
    if outcome.passed:
        return line
    return f"{line}   {' '.join(outcome.gate.command)}\n\n{outcome.output.rstrip()}\n"


def main(names: list[str]) -> int:
    """Run all gates, or those that are named."""
    unknown = set(names) - {gate.name for gate in GATES}
    if unknown:
        known = ", ".join(gate.name for gate in GATES)
        print(f"no such gate: {', '.join(sorted(unknown))}; there are: {known}", file=sys.stderr)
        return 2
    chosen = [gate for gate in GATES if not names or gate.name in names]
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for outcome in pool.map(run, chosen):
            print(shown(outcome), flush=True)
            if not outcome.passed:
                failed.append(outcome.gate.name)
    if failed:
        print(f"\n{len(failed)} of {len(chosen)} gates failed: {', '.join(failed)}")
        return 1
    print(f"\nall {len(chosen)} gates passed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

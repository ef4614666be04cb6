"""Keeps figures: one small JSON file for each commit and kind of machine, under `results/`."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from figures import Figure

FOLDER = Path(__file__).resolve().parent / "results"


def commit(folder: Path = FOLDER.parent) -> str:
    """Return the short id of the commit that is checked out, with `+` where the source differs from it."""
    try:
        head = _git(folder, "rev-parse", "--short=10", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--", "../src", ".", ":(exclude)results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if changed else "")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def machine() -> dict[str, Any]:
    """Return what matters of this machine; nothing that names it."""
    return {
        "system": platform.system().lower(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def document(
    figures: Sequence[Figure], rounds: int, peers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return everything about one call; `peers` are the versions of the other programs in it."""
    return {
        "commit": commit(),
        "at": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
        "machine": machine(),
        "durability": "power-safe",
        "rounds": rounds,
        **({"peers": dict(peers)} if peers else {}),
        "figures": [figure.as_json() for figure in figures],
    }


def keep(found: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Write the results of a call and return the file; a later call of the same commit takes its place."""
    about = found["machine"]
    kind = f"{about['system']}-{about['machine']}-{about['cpus']}cpu-py{about['python'].rpartition('.')[0]}"
    file = folder / f"{found['commit'].rstrip('+')}-{kind}.json"
    folder.mkdir(exist_ok=True)
    figures = ",\n".join(f"  {json.dumps(figure)}" for figure in found["figures"])
    head = json.dumps({key: value for key, value in found.items() if key != "figures"}, indent=1)
    file.write_text(f'{head[:-2]},\n "figures": [\n{figures}\n ]\n}}\n', encoding="utf-8")
    return file

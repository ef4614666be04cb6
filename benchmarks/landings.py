"""Landing n branches, against the same verifications alone: the same commands, as many at a time.

Every branch is good; what is verified keeps a core busy for about a second (a fiftieth of that in a quick
run), so that whatever else a landing computes has to share the cores with it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from programs import ended
from stopwatch import Sample, Stopwatch

_WIDTH: Final = 2
_LOOPS: Final = 30_000_000
_QUICK: Final = 5  # branches; with more the full length is taken


def _command(n: int) -> str:
    loops = _LOOPS if n > _QUICK else _LOOPS // 50
    return f'{sys.executable} -S -c "for _ in range({loops}): pass"'


def take(side: str, n: int, folder: Path) -> Sample:
    """Take a sample: land n branches, or run the commands of that landing by themselves."""
    command = _command(n)
    if side == "maestri":
        _make(folder / "repository", n)
    before = _cpu_s()
    # The target and all together are verified, too.
    sample = _ours(command, n, folder / "repository") if side == "maestri" else _floor(command, n + 2)
    return {**sample, "cpu_s": _cpu_s() - before}


def _cpu_s() -> float:
    """Return the CPU that processes of ours have used that are gone by now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ours(command: str, n: int, repository: Path) -> Sample:
    names = [f"work-{number}" for number in range(n)]
    words = ["land", *names, "--verify", command, "--max-concurrent", str(_WIDTH), "--json"]
    said, _ = ended([sys.executable, "-m", "maestri", *words], repository)
    document = json.loads(said)
    return {
        "s": document["ended"] - document["started"],
        "verifications": document["output"]["verified"]["ran"],
    }


def _floor(command: str, times: int) -> Sample:
    with Stopwatch() as watch, ThreadPoolExecutor(_WIDTH) as pool:
        list(pool.map(lambda _: subprocess.run(["/bin/sh", "-c", command], check=True), range(times)))
    return {"s": watch.s, "verifications": times}


def _make(repository: Path, n: int) -> None:
    """Make a repository of 200 files, and n branches that change three each."""
    lines = ["commit refs/heads/main", "mark :1", "committer A <a@example.org> 1700000000 +0000", "data 0"]
    for number in range(200):
        lines += [f"M 100644 inline src/f{number}", "data 4", "one", ""]
    for branch in range(n):
        lines += [
            f"commit refs/heads/work-{branch}",
            "committer A <a@example.org> 1700000000 +0000",
            "data 0",
        ]
        lines += ["from :1"]
        for number in range(3):
            lines += [f"M 100644 inline src/f{branch * 3 + number}", "data 4", "two", ""]
    repository.mkdir()
    for words in (["init", "-q", "-b", "main"], ["fast-import", "--quiet"], ["reset", "-q", "--hard"]):
        text = "\n".join([*lines, "done", ""]) if words[0] == "fast-import" else ""
        subprocess.run(["git", *words], cwd=repository, input=text, text=True, check=True)

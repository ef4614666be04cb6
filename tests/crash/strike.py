"""Makes one system call of a process fail, or has the process killed at it.

Recorded first: every call to a file below one folder. Each of them can then be struck, one in each life:
strace counts the calls of one kind to one file in each thread, and strikes the one with the number asked for.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from random import Random
from typing import NamedTuple

LIMIT_S = 30
HANGS = 1000  # no exit code of a process
_KILL = "signal=SIGKILL"
_EIO, _ENOSPC = "error=EIO", "error=ENOSPC"
# What a call may meet with; only what takes room can find none.
FAULTS = {
    **dict.fromkeys(("openat", "write", "pwrite64", "ftruncate", "fallocate"), (_EIO, _ENOSPC, _KILL)),
    **dict.fromkeys(("fsync", "fdatasync", "rename", "mkdir"), (_EIO, _ENOSPC, _KILL)),
    **dict.fromkeys(("pread64", "read", "unlink"), (_EIO, _KILL)),
}

_LINE = re.compile(r"(?P<thread>\d+) +(?P<call>\w+)\((?P<rest>.*)")
_OPENED = re.compile(r"\d+<([^>]*)>")
_NAMED = re.compile(r'"([^"]*)"')


class Strike(NamedTuple):
    """The call of a kind to a file that is struck, counted from 1 in each thread, and with what."""

    scene: str
    call: str
    file: str
    number: int
    fault: str

    def text(self) -> str:
        """Return it in words, for a test that fails."""
        return f"{self.scene}: {self.call} {self.file} #{self.number} {self.fault}"


class Ended(NamedTuple):
    """How a traced process ended, what it has said, and how many of its calls were struck."""

    code: int
    said: str
    struck: int


def traced(
    command: Sequence[str], tape: Path, struck: Strike | None, *, cwd: Path, env: Mapping[str, str]
) -> Ended:
    """Run a command under strace; what it says stands in one text."""
    calls = struck.call if struck else ",".join(FAULTS)
    options = ["-f", "-y", "-qq", "-s", "0", "-o", str(tape), "-e", f"trace={calls}", "-e", "signal=none"]
    if struck is None or struck.fault != _KILL:  # four times as fast, but no signal can be given so
        options.append("--seccomp-bpf")
    if struck:
        options += ["-P", struck.file, "-e", f"inject={struck.call}:{struck.fault}:when={struck.number}"]
    code, said = lived(["strace", *options, *command], cwd=cwd, env=env)
    lines = tape.read_text(errors="replace").splitlines()
    hits = sum("(INJECTED)" in line for line in lines)
    return Ended(code, said, hits or int(code == -signal.SIGKILL))


def lived(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Run a command to its end; returns its exit code, `HANGS` where it has none, and what it has said."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return HANGS, process.communicate()[0]
        return process.returncode, said


def calls_of(tape: Path, folder: Path) -> list[tuple[str, str, int]]:
    """Return the calls to files below a folder: kind, file, and its number in its thread."""
    found: dict[tuple[str, str, int], None] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for text in tape.read_text(errors="replace").splitlines():
        line = _LINE.match(text)
        if line is None:
            continue
        named = _OPENED.match(line["rest"]) or _NAMED.search(line["rest"])
        if named is None or not Path(named[1]).is_relative_to(folder) or named[1].endswith(" (deleted)"):
            continue
        key = line["thread"], line["call"], named[1]
        counts[key] += 1
        found[line["call"], named[1], counts[key]] = None
    return list(found)


def strikes(scene: str, calls: Iterable[tuple[str, str, int]]) -> dict[tuple[str, ...], list[Strike]]:
    """Return every strike there is by its site: the scene, the kind of call, the file and the fault."""
    sites: dict[tuple[str, ...], list[Strike]] = {}
    for call, file, number in calls:
        for fault in FAULTS[call]:
            strike = Strike(scene, call, file, number, fault)
            sites.setdefault((scene, call, Path(file).name, fault), []).append(strike)
    return sites


def in_turn(sites: Mapping[tuple[str, ...], Sequence[Strike]]) -> list[Strike]:
    """Return all strikes in an order drawn once, one of each site before the second of any."""
    random = Random(1)
    drawn = [random.sample(list(sites[site]), len(sites[site])) for site in sorted(sites)]
    random.shuffle(drawn)
    return [one for one in chain.from_iterable(zip_longest(*drawn)) if one is not None]

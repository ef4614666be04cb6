"""What a command may know of its surroundings: an allow-list, and what its step declares.

Rule 1: never the whole environment of Maestri: it holds keys and settings that are not the step's.
Rule 2: what changes how programs behave (`LD_*`, `PYTHON*`, `NODE_OPTIONS`, `GIT_*`, `BASH_ENV`) gets in only
    when a step declares it.
Rule 3: the user's PATH stays as it is. Where Maestri lives in a virtual environment that is not on it, the
    programs of that environment come last: installed with `ruff` beside it, `ruff` is found.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from maestri.kernel.ports import Attempt

PASSED = ("PATH", "HOME", "LANG", "LANGUAGE", "TERM", "TMPDIR", "USER", "LOGNAME", "SHELL", "TZ")
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def surroundings(outer: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what every command gets of the environment that Maestri itself was given.

    Args:
        outer: The environment to take it from; the process's own by default.
    """
    outer = os.environ if outer is None else outer
    kept = {k: v for k, v in outer.items() if k in PASSED or k.startswith("LC_")}
    kept["PATH"] = with_own_programs(kept.get("PATH") or DEFAULT_PATH)
    return kept


def with_own_programs(path: str) -> str:
    """Return a PATH that ends with the programs of Maestri's virtual environment, if it has one."""
    if sys.prefix == sys.base_prefix:
        return path
    own = str(Path(sys.prefix, "bin"))
    return path if own in path.split(os.pathsep) else path + os.pathsep + own


def step_environment(attempt: Attempt, declared: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command: surroundings, what the step declares, and who it is.

    `MAESTRI_RUN`, `MAESTRI_PATH`, `MAESTRI_KEY` (idempotency key) and `MAESTRI_ATTEMPT` cannot be declared
    away: a command that deduplicates its effects by them must be able to trust them. `MAESTRI_MAILBOX` is the
    folder in which it may report, `MAESTRI_TELL` the program that does.
    """
    mailbox = attempt.mailbox
    reporting = (
        {"MAESTRI_MAILBOX": mailbox.place, "MAESTRI_TELL": mailbox.command} if mailbox is not None else {}
    )
    return {
        **surroundings(),
        **declared,
        "MAESTRI_RUN": attempt.run,
        "MAESTRI_PATH": attempt.path,
        "MAESTRI_KEY": attempt.key,
        "MAESTRI_ATTEMPT": str(attempt.number),
        **reporting,
    }

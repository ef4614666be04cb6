"""What can be seen from outside of steps that are under way: their processes, their blockers, their logs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maestri.kernel.ports import RunInfo
from maestri.project import Project

if TYPE_CHECKING:
    from maestri.lang.model import WorkflowDef

_KEY: Final = b"MAESTRI_KEY="


def log_of(project: Project, run: RunInfo) -> str:
    """Return the place of the log of a whole run; it need not exist."""
    return str(project.state.run_log(run.id))


def keys_of_processes() -> frozenset[str] | None:
    """Return the idempotency keys of the attempts that have a process now; None where nobody can tell.

    Linux shows the environment of one's own processes; what was started has the key of its attempt in it.
    """
    found = set()
    try:
        places = [place for place in Path("/proc").iterdir() if place.name.isdigit()]
    except OSError:
        return None
    for place in places:
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is somebody else's
            for variable in (place / "environ").read_bytes().split(b"\0"):
                if variable.startswith(_KEY):
                    found.add(variable.removeprefix(_KEY).decode(errors="replace"))
    return frozenset(found)


def commands_of(model: WorkflowDef) -> frozenset[str]:
    """Return the agents that are commands: `run`, and those of a definition that are."""
    return frozenset({"run", *(name for name, agent in model.agents.items() if agent.backend == "run")})


def held(project: Project, runs: Sequence[RunInfo]) -> dict[str, list[str]]:
    """Return the steps that blockers hold which they have reported, by the ids of their runs."""
    found: dict[str, list[str]] = project.catalog.held({run.id for run in runs}) if runs else {}
    return found

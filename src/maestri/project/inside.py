"""What can be seen from outside of steps that are under way: their processes, their blockers, their logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maestri.kernel.ports import RunInfo
from maestri.project import Project

if TYPE_CHECKING:
    from maestri.lang.model import WorkflowDef


def log_of(project: Project, run: RunInfo) -> str:
    """Return the place of the log of a whole run; it need not exist."""
    return str(project.state.run_log(run.id))


def is_begun(project: Project, run: RunInfo, path: str, attempt: int) -> bool:
    """Tell whether the first process of an attempt at a step was started, and the attempt has not ended."""
    return project.state.step_mailbox(run.id, path, attempt).is_dir()


def commands_of(model: WorkflowDef) -> frozenset[str]:
    """Return the agents that are commands: `run`, and those of a definition that are."""
    return frozenset({"run", *(name for name, agent in model.agents.items() if agent.backend == "run")})


def held(project: Project, runs: Sequence[RunInfo]) -> dict[str, list[str]]:
    """Return the steps that blockers hold which they have reported, by the ids of their runs."""
    found: dict[str, list[str]] = project.catalog.held({run.id for run in runs}) if runs else {}
    return found

"""The exit codes; they never change their meaning."""

from __future__ import annotations

from typing import Final

from maestri.errors import (
    ConfigError,
    DefinitionError,
    MaestriError,
    PathNotFound,
    RunAmbiguous,
    RunCancelled,
    RunNotFound,
    UsageError,
    WorkflowMissing,
)
from maestri.kernel import state

SUCCEEDED: Final = 0
FAILED: Final = 1
WRONG: Final = 2
WAITING: Final = 3
BUG: Final = 70
CANCELLED: Final = 130

EPILOG: Final = """exit codes:
  0    succeeded
  1    the run failed, or what was asked for could not be done
  2    wrong definition, input, option, run or path
  3    the run waits for a person
  70   a bug in Maestri
  130  cancelled"""

_OF_STATUS: Final = {
    state.SUCCEEDED: SUCCEEDED,
    state.FAILED: FAILED,
    state.CANCELLED: CANCELLED,
    state.WAITING: WAITING,
}
_WRONG = (
    DefinitionError,
    WorkflowMissing,
    ConfigError,
    UsageError,
    RunNotFound,
    RunAmbiguous,
    PathNotFound,
)


def of_status(status: str) -> int:
    """Return the exit code for the status that a run has come to."""
    return _OF_STATUS.get(status, FAILED)


def of_error(error: MaestriError) -> int:
    """Return the exit code for an error."""
    if isinstance(error, RunCancelled):
        return CANCELLED
    return WRONG if isinstance(error, _WRONG) else FAILED

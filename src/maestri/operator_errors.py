"""The root of all errors, and those that are no failure of the work: the operator's and the Python author's.

`maestri.errors` draws the whole hierarchy and has every name; import from there.
"""

from __future__ import annotations

from typing import Any, ClassVar

from maestri.diagnostics import Diagnostic


class MaestriError(Exception):
    """Anything Maestri tells a user; catch this to catch them all.

    Args:
        message: What happened, with the offending value first.
        fix: The one thing to do.
        cause: Why it is so, where the message does not say it.
        detail: JSON that programs may want; it is journaled with a failure.
    """

    code: ClassVar[str] = "X000"

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        cause: str = "",
        path: str | None = None,
        attempt: int | None = None,
        run: str | None = None,
        file: str | None = None,
        detail: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.cause = cause
        self.path = path
        self.attempt = attempt
        self.run = run
        self.file = file
        self.detail = detail

    @property
    def diagnostic(self) -> Diagnostic:
        """The message in the form that every renderer takes."""
        return Diagnostic(
            self.code,
            self.message,
            cause=self.cause,
            fix=self.fix,
            file=self.file,
            run=self.run,
            path=self.path,
            attempt=self.attempt,
        )


# --- the operator ---------------------------------------------------------------------------------


class ReplayError(MaestriError):
    """The code and the journal disagree; nothing was run."""

    code = "R400"


class StepChanged(ReplayError):
    """A step asks for something else than the journal has for it."""

    code = "R401"


class StepVanished(ReplayError):
    """The journal has a finished step that the workflow no longer has."""

    code = "R402"


class WorkflowChanged(ReplayError):
    """The workflow's file is not the one that the run was started with."""

    code = "R403"


class WorkflowMissing(ReplayError):
    """The workflow of a run cannot be found any more."""

    code = "R404"


class EngineError(MaestriError):
    """The place where runs are kept has a problem."""

    code = "E500"


class RunNotFound(EngineError):
    """No run has this name."""

    code = "E501"


class RunAmbiguous(EngineError):
    """Several runs begin with this text."""

    code = "E502"


class RunInUse(EngineError):
    """Another process is executing this run."""

    code = "E503"


class StaleOwner(EngineError):
    """Another process has taken the run over; what this one did since is not stored."""

    code = "E504"


class JournalDamaged(EngineError):
    """A journal does not agree with its checksums."""

    code = "E505"


class JournalTooNew(EngineError):
    """A journal was written by a newer version."""

    code = "E506"


class StateUnusable(EngineError):
    """The state directory cannot be used: read-only, not private, on a network file system."""

    code = "E507"


class RunEnded(EngineError):
    """The run has ended, so that this request has nothing to act on."""

    code = "E508"


class PathNotFound(EngineError):
    """The run has no step or scope of this path."""

    code = "E509"


class RunCancelled(MaestriError):
    """Reserved: the run was cancelled. `Ended.status` says so."""

    code = "S130"


# --- the Python author ----------------------------------------------------------------------------


class UsageError(MaestriError):
    """The Python API was used in a way that cannot work."""

    code = "U600"


class ScopeShared(UsageError):
    """One `Context` was used by two asyncio tasks at once."""

    code = "U601"


class BadName(UsageError):
    """A name of a step is not a name."""

    code = "U602"


class BadPattern(UsageError):
    """A pattern has a parameter that YAML could not say."""

    code = "U603"

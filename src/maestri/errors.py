"""Every error that a user can meet, split by who must act on it.

    MaestriError                    has .diagnostic; the catch-all for everything below
    ├── DefinitionError       (L)   the author of a workflow; nothing has run
    │   └── ExpressionError   (L3)  an expression that cannot be read or evaluated
    ├── ConfigError           (C)   the author of a configuration or of a command line
    ├── RunError                    the work failed; a workflow may catch it
    │   ├── StepFailed        (S)   one step; has path and attempt
    │   │   ├── ExitFailed  KilledBySignal  Timeout  OutputInvalid
    │   │   ├── AgentUnavailable  ValueRefused  StepCancelled  InputInvalid
    │   └── PatternFailed     (P)   JoinFailed  RoundsExhausted  NoProgress  DependencyFailed
    ├── ReplayError           (R)   the operator: code and journal disagree
    ├── EngineError           (E)   the operator: infrastructure
    └── UsageError            (U)   the Python author misused the API
    InternalError(RuntimeError)     us: a bug in Maestri, please report
    Suspended(BaseException)        reserved

Rule 1: a message says what, where and how to mend it (`Diagnostic`); its code never changes meaning.
Rule 2: a failure of a step is journaled as a `Failure` and comes back as the same class with the same words.
"""

from __future__ import annotations

from typing import Any, ClassVar

from maestri.diagnostics import Diagnostic as Diagnostic  # noqa: PLC0414 - the typed way to re-export
from maestri.diagnostics import Failure as Failure  # noqa: PLC0414
from maestri.diagnostics import Span as Span  # noqa: PLC0414


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


# --- the author of a workflow ---------------------------------------------------------------------


class DefinitionError(MaestriError):
    """A definition is wrong; nothing has run. Holds all findings, sorted by place."""

    code = "L200"

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = diagnostics
        first = diagnostics[0]
        super().__init__(first.message, fix=first.fix, cause=first.cause, file=first.file)

    @property
    def diagnostic(self) -> Diagnostic:
        """The first finding."""
        return self.diagnostics[0]

    def __str__(self) -> str:
        """Return all findings as text."""
        return "\n\n".join(d.text() for d in self.diagnostics)


class ConfigError(MaestriError):
    """A configuration file, an environment variable or a command line is wrong."""

    code = "C001"


# --- the work -------------------------------------------------------------------------------------


class RunError(MaestriError):
    """The work failed. A workflow may catch it; what nobody catches fails the run.

    `kind` is the word that `retry: {on: [...]}` uses; `retryable` is the default answer.
    """

    code = "S000"
    kind: ClassVar[str] = "error"
    retryable: ClassVar[bool] = True
    origins: tuple[str, ...] = ()


class StepFailed(RunError):
    """A step failed: the function raised, or the agent gave up."""

    code = "S100"


class ExitFailed(StepFailed):
    """A command ended with an exit code that `ok` does not list."""

    code, kind = "S101", "exit"


class KilledBySignal(StepFailed):
    """A command was ended by a signal that Maestri did not send."""

    code, kind = "S102", "signal"


class Timeout(StepFailed):
    """An attempt, a step or a run took too long, or was silent for too long."""

    code, kind = "S103", "timeout"


class OutputInvalid(StepFailed):
    """An answer is not what the step promised (not JSON, not the schema, too large)."""

    code, kind = "S104", "output"


class AgentUnavailable(StepFailed):
    """The agent cannot be started: command, module or program not found."""

    code, kind, retryable = "S105", "unavailable", False


class ValueRefused(StepFailed):
    """A value does not survive JSON, so that a replay could not give it back."""

    code, kind, retryable = "S106", "value", False


class StepCancelled(StepFailed):
    """A step or scope was cancelled on request."""

    code, kind, retryable = "S107", "cancelled", False


class InputInvalid(StepFailed):
    """What a step was given cannot be used: an expression that fails, a wrong type, a bad input."""

    code, kind, retryable = "S108", "input", False


class PatternFailed(RunError):
    """A pattern could not reach its goal."""

    code, kind, retryable = "P200", "pattern", False


class JoinFailed(PatternFailed):
    """Too few branches succeeded for the join that was asked for."""

    code, kind = "P201", "join"


class RoundsExhausted(PatternFailed):
    """A loop reached its cap before its condition held."""

    code, kind = "P202", "rounds"


class NoProgress(PatternFailed):
    """A loop gave the same output too many times in a row."""

    code, kind = "P203", "no-progress"


class DependencyFailed(PatternFailed):
    """Reserved: what a step needs has failed. A graph records such a step as skipped."""

    code, kind = "P204", "dependency"


class NoBranch(PatternFailed):
    """Reserved: no `when` of a branch held. Such a branch has no output, and does not fail."""

    code, kind = "P205", "no-branch"


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


# --- us -------------------------------------------------------------------------------------------


class InternalError(RuntimeError):
    """A bug in Maestri; please report it."""


class Suspended(BaseException):
    """Reserved: the run is parked. The frames of such a run are left by a cancellation."""


_RECORDED: dict[str, type[RunError]] = {}


def _register(cls: type[RunError]) -> None:
    _RECORDED[cls.__name__] = cls
    for sub in cls.__subclasses__():
        _register(sub)


_register(RunError)


def to_failure(error: BaseException) -> Failure:
    """Return the record of an error, in the form that is journaled.

    An exception that is not Maestri's own becomes a `StepFailed` that names its class.
    """
    if isinstance(error, RunError):
        return Failure(
            type(error).__name__,
            error.code,
            error.message,
            error.path,
            error.attempt,
            error.fix,
            error.cause,
            error.detail,
        )
    if isinstance(error, MaestriError):
        return Failure("StepFailed", error.code, error.message, error.path, None, error.fix, error.cause)
    return Failure("StepFailed", StepFailed.code, f"{type(error).__name__}: {error}")


def from_failure(failure: Failure) -> RunError:
    """Return the error that a recorded failure stands for: the same class with the same words."""
    cls = _RECORDED.get(failure.type, StepFailed)
    return cls(
        failure.message,
        fix=failure.fix,
        cause=failure.cause,
        path=failure.path,
        attempt=failure.attempt,
        detail=failure.detail,
    )


def retry_kinds() -> dict[str, bool]:
    """Return the words that `retry: {on: [...]}` knows, each with whether it is retried by default."""
    return {cls.kind: cls.retryable for cls in _RECORDED.values()}

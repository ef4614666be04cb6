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
    │                               NoneSucceeded  NoAgreement  VerdictInvalid  DirectoryChanged  CopyMissing
    │                               SagaUndone  PhaseInvalid  NotApproved  VerdictUnclear  DecisionInvalid
    │                               SyncMissed  UnhandledEvent  SupervisionUnfinished  DelegationInvalid
    │                               LandingRefused  TargetMoved
    ├── ReplayError           (R)   the operator: code and journal disagree
    ├── EngineError           (E)   the operator: infrastructure
    └── UsageError            (U)   the Python author misused the API
    InternalError(RuntimeError)     us: a bug in Maestri, please report
    Suspended(BaseException)        reserved

Rule 1: a message says what, where and how to mend it (`Diagnostic`); its code never changes meaning.
Rule 2: a failure of a step is journaled as a `Failure` and comes back as the same class with the same words.
"""

# ruff: noqa: PLC0414 - the typed way to re-export

from __future__ import annotations

from typing import ClassVar

from maestri.diagnostics import Diagnostic as Diagnostic
from maestri.diagnostics import Failure as Failure
from maestri.diagnostics import Span as Span
from maestri.operator_errors import BadName as BadName
from maestri.operator_errors import BadPattern as BadPattern
from maestri.operator_errors import EngineError as EngineError
from maestri.operator_errors import JournalDamaged as JournalDamaged
from maestri.operator_errors import JournalTooNew as JournalTooNew
from maestri.operator_errors import MaestriError as MaestriError
from maestri.operator_errors import PathNotFound as PathNotFound
from maestri.operator_errors import ReplayError as ReplayError
from maestri.operator_errors import RunAmbiguous as RunAmbiguous
from maestri.operator_errors import RunCancelled as RunCancelled
from maestri.operator_errors import RunEnded as RunEnded
from maestri.operator_errors import RunInUse as RunInUse
from maestri.operator_errors import RunNotFound as RunNotFound
from maestri.operator_errors import ScopeShared as ScopeShared
from maestri.operator_errors import StaleOwner as StaleOwner
from maestri.operator_errors import StateUnusable as StateUnusable
from maestri.operator_errors import StepChanged as StepChanged
from maestri.operator_errors import StepVanished as StepVanished
from maestri.operator_errors import UsageError as UsageError
from maestri.operator_errors import WorkflowChanged as WorkflowChanged
from maestri.operator_errors import WorkflowMissing as WorkflowMissing

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


class NoneSucceeded(PatternFailed):
    """Of several ways to the same end none gave an answer that was good enough."""

    code, kind = "P210", "none-succeeded"


class NoAgreement(PatternFailed):
    """A vote has no winner: too few gave the same answer, or several answers have as many votes."""

    code, kind = "P211", "no-agreement"


class VerdictInvalid(PatternFailed):
    """A judge named somebody who is no candidate."""

    code, kind = "P212", "verdict"


class DirectoryChanged(PatternFailed):
    """A directory changed while a copy of it was worked on; nothing of the copy was brought back."""

    code, kind = "P213", "directory-changed"


class CopyMissing(PatternFailed):
    """The copy of a directory that was worked on is not there any more."""

    code, kind = "P214", "copy-missing"


class SagaUndone(PatternFailed):
    """A step of a saga failed, and what the saga had done was undone."""

    code, kind, retryable = "P220", "saga", True


class PhaseInvalid(PatternFailed):
    """What a phase has made did not pass its gate."""

    code, kind = "P221", "phase"


class NotApproved(PatternFailed):
    """The reviewers did not approve of the work in as many rounds as there may be."""

    code, kind = "P222", "not-approved"


class VerdictUnclear(PatternFailed):
    """A reviewer or a validator did not say yes or no."""

    code, kind = "P223", "verdict-unclear"


class DecisionInvalid(PatternFailed):
    """A decision names no builder that there is."""

    code, kind = "P224", "decision"


class SyncMissed(PatternFailed):
    """A stream waited at a sync point for another one that cannot come any more."""

    code, kind = "P225", "sync"


class UnhandledEvent(PatternFailed):
    """An event came that no handler is for; it is in the detail of the error."""

    code, kind = "P230", "unhandled-event"


class SupervisionUnfinished(PatternFailed):
    """A supervisor had not finished within the rounds or delegations that there may be."""

    code, kind = "P231", "supervision"


class DelegationInvalid(PatternFailed):
    """A supervisor's answer could not be carried out, also after it was told why."""

    code, kind = "P232", "delegation"


class LandingRefused(PatternFailed):
    """Branches cannot be landed where they were to go: a repository, branch or commit that does not fit."""

    code, kind = "P233", "landing"


class TargetMoved(PatternFailed):
    """The branch that others were landed on has moved meanwhile; it was not touched."""

    code, kind = "P234", "target-moved"


class VerifyFailed(PatternFailed):
    """The checks of a step say that it is not done, whatever its answer claims."""

    code, kind, retryable = "P240", "verify", True


class NotDelivered(PatternFailed):
    """A file that a step is to deliver is not there, or is empty."""

    code, kind, retryable = "P241", "delivers", True


class RequiredMissing(PatternFailed):
    """A file that must exist before a step is not there."""

    code, kind = "P242", "requires"


class HandoffUnmet(PatternFailed):
    """Items of a handoff checklist are not met, so that nothing may build on the step yet."""

    code, kind = "P243", "handoff"


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

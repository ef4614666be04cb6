"""Every error that a user can meet, split by who must act on it.

    MaestriError                    has .diagnostic; the catch-all for everything below
    ├── DefinitionError       (L)   the author of a workflow; nothing has run
    │   └── ExpressionError   (L3)  an expression that cannot be read or evaluated
    ├── ConfigError           (C)   the author of a configuration or of a command line
    ├── RunError                    the work failed; a workflow may catch it
    │   ├── StepFailed        (S)   one step; has path and attempt
    │   │   ├── ExitFailed  KilledBySignal  Timeout  OutputInvalid
    │   │   ├── AgentUnavailable  ValueRefused  StepCancelled  InputInvalid
    │   ├── PatternFailed     (P)   JoinFailed  RoundsExhausted  NoProgress  DependencyFailed
    │   │                           NoneSucceeded  NoAgreement  VerdictInvalid  DirectoryChanged  CopyMissing
    │   │                           SagaUndone  PhaseInvalid  NotApproved  VerdictUnclear  DecisionInvalid
    │   │                           SyncMissed  UnhandledEvent  SupervisionUnfinished  DelegationInvalid
    │   ├── LandingFailed     (G)   LandingRefused  TargetMoved  TargetBroken  VerifyUnusable
    │   │                           LandingIncomplete  ProofFailed  ConflictLost  BaseUnknown
    │   ├── SandboxFailed     (X1)  SandboxUnavailable  SandboxUnsupported  PlaceRefused  ProgramHidden
    │   │                           SandboxBroken  LimitExceeded
    │   └── WorkspaceFailed   (W)   GitMissing  NotARepository  BareRepository  NoCommits  RevisionMissing
    │                               ShallowRepository  UnrelatedHistories  BranchMoved  GitTimedOut
    │                               GitOutputTooLarge  RepositoryChanged  WorkspaceInvalid
    │                               FeatureUnsupported  ClaimBroken  NotLanded  BranchTaken  NoSpace
    │                               WorkspaceMissing  ResultsConflict
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

from maestri.diagnostics import Diagnostic as Diagnostic
from maestri.diagnostics import Failure as Failure
from maestri.diagnostics import Span as Span
from maestri.landing_errors import BaseUnknown as BaseUnknown
from maestri.landing_errors import ConflictLost as ConflictLost
from maestri.landing_errors import LandingFailed as LandingFailed
from maestri.landing_errors import LandingIncomplete as LandingIncomplete
from maestri.landing_errors import LandingRefused as LandingRefused
from maestri.landing_errors import ProofFailed as ProofFailed
from maestri.landing_errors import TargetBroken as TargetBroken
from maestri.landing_errors import TargetMoved as TargetMoved
from maestri.landing_errors import VerifyUnusable as VerifyUnusable
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
from maestri.run_errors import AgentUnavailable as AgentUnavailable
from maestri.run_errors import CopyMissing as CopyMissing
from maestri.run_errors import DecisionInvalid as DecisionInvalid
from maestri.run_errors import DelegationInvalid as DelegationInvalid
from maestri.run_errors import DependencyFailed as DependencyFailed
from maestri.run_errors import DirectoryChanged as DirectoryChanged
from maestri.run_errors import ExitFailed as ExitFailed
from maestri.run_errors import HandoffUnmet as HandoffUnmet
from maestri.run_errors import InputInvalid as InputInvalid
from maestri.run_errors import JoinFailed as JoinFailed
from maestri.run_errors import KilledBySignal as KilledBySignal
from maestri.run_errors import NoAgreement as NoAgreement
from maestri.run_errors import NoBranch as NoBranch
from maestri.run_errors import NoneSucceeded as NoneSucceeded
from maestri.run_errors import NoProgress as NoProgress
from maestri.run_errors import NotApproved as NotApproved
from maestri.run_errors import NotDelivered as NotDelivered
from maestri.run_errors import OutputInvalid as OutputInvalid
from maestri.run_errors import PatternFailed as PatternFailed
from maestri.run_errors import PhaseInvalid as PhaseInvalid
from maestri.run_errors import RequiredMissing as RequiredMissing
from maestri.run_errors import RoundsExhausted as RoundsExhausted
from maestri.run_errors import RunError as RunError
from maestri.run_errors import SagaUndone as SagaUndone
from maestri.run_errors import StepCancelled as StepCancelled
from maestri.run_errors import StepFailed as StepFailed
from maestri.run_errors import SupervisionUnfinished as SupervisionUnfinished
from maestri.run_errors import SyncMissed as SyncMissed
from maestri.run_errors import Timeout as Timeout
from maestri.run_errors import UnhandledEvent as UnhandledEvent
from maestri.run_errors import ValueRefused as ValueRefused
from maestri.run_errors import VerdictInvalid as VerdictInvalid
from maestri.run_errors import VerdictUnclear as VerdictUnclear
from maestri.run_errors import VerifyFailed as VerifyFailed
from maestri.sandbox_errors import LimitExceeded as LimitExceeded
from maestri.sandbox_errors import PlaceRefused as PlaceRefused
from maestri.sandbox_errors import ProgramHidden as ProgramHidden
from maestri.sandbox_errors import SandboxBroken as SandboxBroken
from maestri.sandbox_errors import SandboxFailed as SandboxFailed
from maestri.sandbox_errors import SandboxUnavailable as SandboxUnavailable
from maestri.sandbox_errors import SandboxUnsupported as SandboxUnsupported
from maestri.workspace_errors import BareRepository as BareRepository
from maestri.workspace_errors import BranchMoved as BranchMoved
from maestri.workspace_errors import BranchTaken as BranchTaken
from maestri.workspace_errors import ClaimBroken as ClaimBroken
from maestri.workspace_errors import FeatureUnsupported as FeatureUnsupported
from maestri.workspace_errors import GitMissing as GitMissing
from maestri.workspace_errors import GitOutputTooLarge as GitOutputTooLarge
from maestri.workspace_errors import GitTimedOut as GitTimedOut
from maestri.workspace_errors import NoCommits as NoCommits
from maestri.workspace_errors import NoSpace as NoSpace
from maestri.workspace_errors import NotARepository as NotARepository
from maestri.workspace_errors import NotLanded as NotLanded
from maestri.workspace_errors import RepositoryChanged as RepositoryChanged
from maestri.workspace_errors import ResultsConflict as ResultsConflict
from maestri.workspace_errors import RevisionMissing as RevisionMissing
from maestri.workspace_errors import ShallowRepository as ShallowRepository
from maestri.workspace_errors import UnrelatedHistories as UnrelatedHistories
from maestri.workspace_errors import WorkspaceFailed as WorkspaceFailed
from maestri.workspace_errors import WorkspaceInvalid as WorkspaceInvalid
from maestri.workspace_errors import WorkspaceMissing as WorkspaceMissing

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

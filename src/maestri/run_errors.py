"""The errors of work: what a step or a pattern may fail with, is journaled, and may be handled by a workflow.

Rule: a class is found again by its name, so that a replay raises what was raised; `errors` offers them all.
"""

from __future__ import annotations

from typing import ClassVar

from maestri.operator_errors import MaestriError

# --- one step -------------------------------------------------------------------------------------


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


# --- a pattern ------------------------------------------------------------------------------------


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

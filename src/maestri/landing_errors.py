"""The errors of landing: branches that cannot be brought together, or not to where they were to go."""

from __future__ import annotations

from maestri.run_errors import RunError


class LandingFailed(RunError):
    """A landing did not come to its end; its target was not touched."""

    code, kind, retryable = "G100", "landing", False


class LandingRefused(LandingFailed):
    """Branches cannot be landed where they were to go: a repository, branch or commit that does not fit."""

    code = "G101"


class TargetMoved(LandingFailed):
    """The branch that others were landed on has moved meanwhile; it was not touched."""

    code, kind = "G102", "target-moved"


class TargetBroken(LandingFailed):
    """What is to verify branches does not pass on the target itself, so that it tells nothing of them."""

    code = "G103"


class VerifyUnusable(LandingFailed):
    """The command that is to verify branches cannot be run, or does not end."""

    code = "G104"


class LandingIncomplete(LandingFailed):
    """A branch would have to be left out, and all of them or none were to be landed."""

    code = "G105"


class ProofFailed(LandingFailed):
    """Something that a branch has changed is not in the result."""

    code = "G106"


class ConflictLost(LandingFailed):
    """The worktree in which a conflict was to be resolved is not there any more."""

    code = "G107"


class BaseUnknown(LandingFailed):
    """A history does not tell on what branches were landed, so that nothing can be proved of them."""

    code = "G130"

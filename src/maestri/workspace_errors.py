"""The errors of git, of workspaces and of claims."""

from __future__ import annotations

from maestri.run_errors import RunError


class WorkspaceFailed(RunError):
    """Git could not do what was asked of it, or a workspace could not be made."""

    code, kind, retryable = "W100", "workspace", False


class GitMissing(WorkspaceFailed):
    """There is no git, or one that is too old."""

    code = "W101"


class NotARepository(WorkspaceFailed):
    """The directory is in no git repository, or the repository is damaged."""

    code = "W102"


class BareRepository(WorkspaceFailed):
    """The repository has no files checked out, and they are needed."""

    code = "W103"


class NoCommits(WorkspaceFailed):
    """The repository has no commit yet, so that there is nothing to start from."""

    code = "W104"


class RevisionMissing(WorkspaceFailed):
    """The repository has no branch, tag or commit of this name."""

    code = "W105"


class ShallowRepository(WorkspaceFailed):
    """The history of the repository was cut off when it was cloned."""

    code = "W106"


class UnrelatedHistories(WorkspaceFailed):
    """Two commits have no common ancestor."""

    code = "W107"


class BranchMoved(WorkspaceFailed):
    """A branch is not where it was expected to be; it was not touched."""

    code = "W108"


class GitTimedOut(WorkspaceFailed):
    """Git took too long and was stopped."""

    code = "W109"


class GitOutputTooLarge(WorkspaceFailed):
    """Git said more than is read of it."""

    code = "W110"


class RepositoryChanged(WorkspaceFailed):
    """The configuration or the hooks of the repository were changed while a step worked."""

    code = "W111"


class WorkspaceInvalid(WorkspaceFailed):
    """A worktree is not the one that was made for the step."""

    code = "W112"


class FeatureUnsupported(WorkspaceFailed):
    """The repository uses something that a worktree of Maestri does not have: submodules, sparse, filters."""

    code = "W113"


class ClaimBroken(WorkspaceFailed):
    """A step changed files outside of its claims."""

    code, kind = "W114", "claim"


class NotLanded(WorkspaceFailed):
    """A workspace holds work that has not landed, so that it is not deleted."""

    code = "W115"


class BranchTaken(WorkspaceFailed):
    """The branch of a worktree exists already with other work, or is checked out elsewhere."""

    code = "W116"


class NoSpace(WorkspaceFailed):
    """The disk is full."""

    code = "W117"


class WorkspaceMissing(WorkspaceFailed):
    """There is no such workspace, or its files are gone."""

    code = "W118"


class ResultsConflict(WorkspaceFailed):
    """The results that a step builds on change the same lines, so that they cannot be merged for it."""

    code = "W119"

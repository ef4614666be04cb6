"""The errors of sandboxes: none to be had, something that fits into none, a limit that was reached."""

from __future__ import annotations

from maestri.run_errors import RunError


class SandboxFailed(RunError):
    """A step could not be put into the sandbox that it asks for."""

    code, kind, retryable = "X100", "sandbox", False


class SandboxUnavailable(SandboxFailed):
    """No sandbox that is strong enough works on this machine; nothing was run."""

    code = "X101"


class SandboxUnsupported(SandboxFailed):
    """What a step does happens in Maestri's own process, or in an agent that knows no sandbox."""

    code = "X102"


class PlaceRefused(SandboxFailed):
    """A sandbox would show or open a folder that it must not, or cannot."""

    code = "X103"


class ProgramHidden(SandboxFailed):
    """The program is on this machine, but not in what the sandbox shows of it."""

    code = "X104"


class SandboxBroken(SandboxFailed):
    """A sandbox that has worked before could not be made for this command, which was not started."""

    code, retryable = "X105", True


class LimitExceeded(SandboxFailed):
    """A command used more than its sandbox allows, and was ended."""

    code, kind = "X106", "limit"

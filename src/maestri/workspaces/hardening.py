"""How git is called so that it runs no code of anybody else: its environment and its options.

Two git directories are used. What touches names only (branches, the list of worktrees) goes to the
repository's own. What touches content (checking out, adding, comparing, merging) goes to a *view*: a git
directory that comes with Maestri, with an empty configuration, and with the repository's objects.

Rule 1: a filter, driver, hook or helper that a repository configures is not overridden: it is not read.
Rule 2: of a repository's configuration only `KEPT` is taken over; none of these keys can name a program.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

OPTIONS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=false",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.alternateRefsCommand=false",
    "core.attributesFile=/dev/null",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.fsync=committed,reference",
    "credential.helper=",
    "protocol.allow=never",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "log.showSignature=false",
    "diff.ignoreSubmodules=all",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.bareRepository=explicit",
    "advice.detachedHead=false",
)
# What decides how a file becomes content and back, or how names are compared, and is no command.
KEPT: Final = frozenset(
    {
        "core.autocrlf",
        "core.eol",
        "core.filemode",
        "core.ignorecase",
        "core.precomposeunicode",
        "core.symlinks",
    }
)
_VIEWS: Final = Path(__file__).parent


def view(object_format: str) -> str:
    """Return the git directory of the view for a format of object names, `sha1` or `sha256`."""
    return str(_VIEWS / ("view-sha256" if object_format == "sha256" else "view"))


def search_path() -> str:
    """Return where programs are looked for: never where somebody happens to be."""
    return os.pathsep.join(p for p in os.get_exec_path() if Path(p).is_absolute()) or os.defpath


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a git process: nothing is inherited but where programs are."""
    return {
        "PATH": search_path(),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_SSH_COMMAND": "false",
        "GIT_EDITOR": "false",
        "GIT_PAGER": "cat",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        **more,
    }


def pairs(settings: Mapping[str, str]) -> list[str]:
    """Return settings as options of the command line."""
    return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]

"""Running git: the only file that starts it, and the two ways in which it may be asked.

Rule 1: `own` is for names (branches, the list of worktrees), `view` for content: see `hardening`.
Rule 2: nothing of git is left when a call returns, however it returns.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, TypeAlias

from maestri.errors import (
    BranchTaken,
    ClaimBroken,
    FeatureUnsupported,
    GitMissing,
    GitOutputTooLarge,
    GitTimedOut,
    NoSpace,
    NotARepository,
    UnrelatedHistories,
    WorkspaceFailed,
)
from maestri.records import NamedTuple
from maestri.workspaces import hardening, reading
from maestri.workspaces.repository import Found

Check: TypeAlias = Callable[[], None]
_LIMIT_BYTES: Final = 256 << 20
_SAID_BYTES: Final = 4096
_POLL_S: Final = 0.1


class Said(NamedTuple):
    """What a command ended with, and what it said."""

    code: int
    output: bytes
    errors: str


class Runner:
    """Runs git for one repository."""

    def __init__(self, found: Found, timeout_s: float, check: Check) -> None:
        """Look for git.

        Args:
            found: The repository.
            timeout_s: How long one command may take.
            check: Called about ten times a second while git works; what it raises stops git.

        Raises:
            GitMissing: There is no git.
        """
        self._found = found
        self._timeout_s = timeout_s
        self._check = check
        self._program = shutil.which("git", path=hardening.search_path()) or ""
        if not self._program:
            message = "git is not installed"
            raise GitMissing(message, fix="install git 2.38 or newer, and see that it is on the PATH")

    @cached_property
    def config(self) -> Mapping[str, str]:
        """The repository's own configuration, with lower-case keys; the last value of each counts."""
        pairs = (entry.partition("\n") for entry in self.entries)
        return {_lower(key): value for key, _, value in pairs}

    @cached_property
    def entries(self) -> list[str]:
        """The entries of the configuration as they stood at the first look: a key, a line end, a value."""
        said = self.own("config", "--no-includes", "--null", "--list", ok=(0, 1))
        return reading.fields(said.output)

    @cached_property
    def object_format(self) -> str:
        """How objects are named: `sha1` or `sha256`."""
        return self.config.get("extensions.objectformat", "sha1")

    def own(
        self, *words: str, ok: Sequence[int] = (0,), more: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> Said:
        """Run a command that touches names only, with the repository's own directory."""
        place = [
            f"--git-dir={self._found.git_dir}",
            *([f"--work-tree={self._found.root}"] if self._found.root else []),
        ]
        return self._run([*place, *words], {**(more or {})}, stdin, ok)

    def content(self, *words: str, stdin: bytes = b"") -> bytes:
        """Return what a command says that needs no files."""
        return self.view(*words, stdin=stdin).output

    def view(
        self,
        *words: str,
        ok: Sequence[int] = (0,),
        stdin: bytes = b"",
        more: Mapping[str, str] | None = None,
        work_tree: Path | None = None,
        index: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Said:
        """Run a command that touches content, with the view: no configuration but what is given here."""
        kept = {key: value for key, value in self.config.items() if key in hardening.KEPT}
        place = [f"--git-dir={hardening.view(self.object_format)}"]
        place += [f"--work-tree={work_tree}"] if work_tree else []
        variables = {"GIT_OBJECT_DIRECTORY": str(self._found.common_dir / "objects"), **(more or {})}
        if index:
            variables["GIT_INDEX_FILE"] = str(index)
        options = hardening.pairs({**kept, **(settings or {})})
        return self._run([*options, *place, *words], variables, stdin, ok)

    def _run(self, words: Sequence[str], more: Mapping[str, str], stdin: bytes, ok: Sequence[int]) -> Said:
        options = [word for option in hardening.OPTIONS for word in ("-c", option)]
        command = [self._program, "--no-pager", *options, *words]
        said = _call(command, hardening.environment(more), stdin, self._timeout_s, self._check)
        if said.code in ok:
            return said
        verb = next(word for word in words if not word.startswith("-") and "=" not in word)
        raise self.refusal(verb, said)

    def refusal(self, verb: str, said: Said) -> WorkspaceFailed:
        """Return the error that the words of git stand for."""
        lines = said.errors.strip().splitlines() or [f"it ended with code {said.code}"]
        told = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
        where = f"`{self._found.root or self._found.git_dir}`"
        for words, cls, fix in _REFUSALS:
            if words in said.errors:
                return cls(f"git cannot go on in {where}: {told}", fix=fix)
        fix = "see what git says; `git fsck` tells whether the repository is whole"
        return WorkspaceFailed(f"`git {verb}` failed in {where}: {told}", cause="; ".join(lines[:5]), fix=fix)


_REFUSALS: Final = (
    ("No space left on device", NoSpace, "make room on the disk, then resume: nothing was moved"),
    ("invalid path", ClaimBroken, "remove that file, or give it another name, then resume the run"),
    ("a branch named", BranchTaken, "rename it: git branch -m OLD NEW; then resume the run"),
    ("unrelated histories", UnrelatedHistories, "they come from different repositories: join them first"),
    ("not a git repository", NotARepository, "the repository is damaged: see `git fsck`"),
    ("unknown repository extension", FeatureUnsupported, "use a newer git"),
    ("unknown option `write-tree'", GitMissing, "install git 2.38 or newer"),
)


def _lower(key: str) -> str:
    """Return a key of the configuration with its section and name in lower case, which git ignores."""
    section, _, rest = key.partition(".")
    middle, dot, name = rest.rpartition(".")
    return f"{section.lower()}.{middle}{dot}{name.lower()}"


def _call(
    command: Sequence[str], environment: Mapping[str, str], stdin: bytes, timeout_s: float, check: Check
) -> Said:
    """Run git to its end, or until it takes too long, says too much, or is stopped; nothing of it is left.

    Raises:
        GitTimedOut: It took longer than `timeout_s`.
        GitOutputTooLarge: It said more than is read.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        try:
            output = _read(process, command, time.monotonic() + timeout_s, check)
            code = process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        errors.seek(0)
        return Said(code, output, errors.read(_SAID_BYTES).decode(errors="replace"))


def _read(process: subprocess.Popen[bytes], command: Sequence[str], until: float, check: Check) -> bytes:
    if process.stdout is None:
        return b""
    pipe, parts, size = process.stdout.fileno(), list[bytes](), 0
    ready = select.poll()
    ready.register(pipe, select.POLLIN | select.POLLHUP)
    while True:
        check()
        left_s = until - time.monotonic()
        if left_s <= 0:
            message = f"`git {' '.join(command[-4:])}` took too long and was stopped"
            raise GitTimedOut(message, fix="see whether the disk answers, then try again")
        if not ready.poll(1000 * min(_POLL_S, left_s)):
            continue
        part = os.read(pipe, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > _LIMIT_BYTES:
            message = f"`git {' '.join(command[-4:])}` gives more than {_LIMIT_BYTES >> 20} MB"
            raise GitOutputTooLarge(message, fix="split the change: it is too large to be looked at")

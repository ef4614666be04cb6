"""What git says, as data: changes, hunks, conflicts, entries of a tree. Pure: texts in, records out.

Rule: a path is the text that the system gives for its bytes; what is no UTF-8 in it survives (surrogates).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from maestri.errors import WorkspaceFailed
from maestri.records import NamedTuple

LINK_MODE: Final = "120000"
SUBMODULE_MODE: Final = "160000"
ABSENT_MODE: Final = "000000"
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_SECTION: Final = b"diff --git "
_NO_NEWLINE: Final = b"\\"


class Change(NamedTuple):
    """A path in which two trees differ.

    `status` is git's letter (A, D, M, T, R, C); modes are as git writes them, `000000` where there is
    nothing; `old` and `new` are object names; `old_path` is another one than `path` in a rename or a copy.
    """

    status: str
    path: str
    old_mode: str
    new_mode: str
    old: str
    new: str
    old_path: str


class Hunk(NamedTuple):
    """Lines that were replaced by others. Line numbers count from 1, as in a unified diff.

    A line holds its own newline, the last one of a file perhaps none. Without context, `old_start` of a
    pure insertion is the line after which it stands.
    """

    old_start: int
    new_start: int
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]


class FileDiff(NamedTuple):
    """The change of one path, with its hunks; a binary file has none."""

    change: Change
    hunks: tuple[Hunk, ...]
    is_binary: bool


class Conflict(NamedTuple):
    """A place where a merge needs a decision: its kind (`contents`, `modify/delete`, …), git's words."""

    kind: str
    message: str
    paths: tuple[str, ...]


class Stage(NamedTuple):
    """One side of a path in conflict: 1 is the base, 2 is ours, 3 is theirs."""

    path: str
    mode: str
    object: str
    number: int


class Merged(NamedTuple):
    """A merge: its tree, which holds conflict markers where there are conflicts, and these as data."""

    tree: str
    conflicts: tuple[Conflict, ...] = ()
    stages: tuple[Stage, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing needs a decision."""
        return not self.stages and not self.conflicts

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths in conflict, each once, in order."""
        named = [*(stage.path for stage in self.stages), *(p for one in self.conflicts for p in one.paths)]
        return tuple(dict.fromkeys(named))


class Entry(NamedTuple):
    """An entry of a tree: `kind` is blob, tree or commit; `size_bytes` is None where it is not known."""

    path: str
    mode: str
    kind: str
    object: str
    size_bytes: int | None = None


class Worktree(NamedTuple):
    """A worktree of a repository; `branch` is a full ref, empty where HEAD is detached."""

    path: str
    commit: str
    branch: str
    is_bare: bool
    is_locked: bool
    is_gone: bool


class Commit(NamedTuple):
    """A commit of a history; `at` is its committer's date in seconds since 1970."""

    hash: str
    parents: tuple[str, ...]
    author: str
    at: int
    subject: str


def fields(output: bytes) -> list[str]:
    """Return what is separated, or ended, by null bytes."""
    parts = output.split(b"\0")
    return [os.fsdecode(part) for part in (parts[:-1] if parts[-1] == b"" else parts)]


def changes(output: bytes) -> list[Change]:
    """Return the changes of `diff-tree --raw -z`."""
    found, words = [], iter(fields(output))
    for head in words:
        old_mode, new_mode, old, new, status = head.removeprefix(":").split(" ")
        old_path = next(words)
        path = next(words) if status[0] in "RC" else old_path
        found.append(Change(status[0], path, old_mode, new_mode, old, new, old_path))
    return found


def file_diffs(known: Sequence[Change], patch: bytes) -> list[FileDiff]:
    """Return the hunks of each change, from a patch of the same trees in the same order.

    The names in the patch are not read: they are quoted, and cannot be told apart where they have spaces.
    """
    parts = _sections(patch)
    found = []
    for change in known:
        hunks: tuple[Hunk, ...] = ()
        is_binary = False
        # A file that becomes a link, or the other way round, is shown as deleted and added.
        for _ in range(2 if change.status == "T" else 1):
            lines = next(parts, None)
            if lines is None:
                message = "git shows fewer changes as a patch than it lists"
                raise WorkspaceFailed(message, fix="report this, with the version of git")
            is_binary = is_binary or any(line.startswith(b"Binary files ") for line in lines[:8])
            hunks += tuple(_hunks(lines))
        found.append(FileDiff(change, hunks, is_binary))
    return found


def _sections(patch: bytes) -> Iterator[list[bytes]]:
    """Yield the lines of each file of a patch; no line of content can begin like a header."""
    lines: list[bytes] = []
    for line in patch.split(b"\n"):
        if line.startswith(_SECTION) and lines:
            yield lines
            lines = []
        if line.startswith(_SECTION) or lines:
            lines.append(line)
    if lines:
        yield lines


def _hunks(lines: Sequence[bytes]) -> Iterator[Hunk]:
    starts = [at for at, line in enumerate(lines) if _HUNK.match(line)]
    for at, end in zip(starts, [*starts[1:], len(lines)][: len(starts)], strict=True):
        head = _HUNK.match(lines[at])
        if head is not None:
            old, new = int(head[1]), int(head[3])
            yield Hunk(old, new, _side(lines[at + 1 : end], b"-"), _side(lines[at + 1 : end], b"+"))


def _side(lines: Sequence[bytes], sign: bytes) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for before, line in zip([b"", *lines], lines, strict=False):
        if line.startswith(sign):
            found.append(line[1:] + b"\n")
        elif line.startswith(_NO_NEWLINE) and before.startswith(sign):
            found[-1] = found[-1][:-1]
    return tuple(found)


def merged(output: bytes) -> Merged:
    """Return the merge of `merge-tree --write-tree -z`."""
    words = iter(fields(output))
    tree = next(words)
    stages = []
    for word in words:
        if not word:
            break
        head, _, path = word.partition("\t")
        mode, name, number = head.split(" ")
        stages.append(Stage(path, mode, name, int(number)))
    conflicts = []
    for count in words:
        paths = tuple(next(words) for _ in range(int(count)))
        kind, message = next(words), next(words).strip()
        if kind.startswith("CONFLICT"):
            conflicts.append(Conflict(kind[len("CONFLICT") :].strip(" ()"), message, paths))
    return Merged(tree, tuple(conflicts), tuple(stages))


def entries(output: bytes) -> list[Entry]:
    """Return the entries of `ls-tree -z`, with or without `--long`."""
    found = []
    for word in fields(output):
        head, _, path = word.partition("\t")
        mode, kind, name, *size = head.split()
        size_bytes = int(size[0]) if size and size[0].isdigit() else None
        found.append(Entry(path, mode, kind, name, size_bytes))
    return found


def worktrees(output: bytes) -> list[Worktree]:
    """Return the worktrees of `worktree list --porcelain -z`."""
    found: list[Worktree] = []
    for word in fields(output):
        key, _, value = word.partition(" ")
        if key == "worktree":
            found.append(Worktree(value, "", "", is_bare=False, is_locked=False, is_gone=False))
            continue
        marks: dict[str, dict[str, Any]] = {
            "HEAD": {"commit": value},
            "branch": {"branch": value},
            "bare": {"is_bare": True},
            "locked": {"is_locked": True},
            "prunable": {"is_gone": True},
        }
        if found and key in marks:
            found[-1] = found[-1]._replace(**marks[key])
    return found


def commits(output: bytes) -> list[Commit]:
    """Return the commits of `rev-list`, each of five fields that end with a null byte."""
    words = iter(fields(output))
    found = []
    for name, parents, author, at, subject in zip(words, words, words, words, words, strict=False):
        found.append(Commit(name.strip(), tuple(parents.split()), author, int(at), subject))
    return found

"""Where a repository lies, and what in it could make git run something; found without running git.

Git itself refuses to look for a repository of somebody else, and would read its configuration to find out
where it is. Here only files are read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from maestri.errors import NotARepository
from maestri.records import NamedTuple

_POINTER_BYTES: Final = 4096
_MARKED_BYTES: Final = 1 << 20
# People change these while a run goes on, and none of them makes git run anything.
_HARMLESS = re.compile(r"branch\.|user\.|gui\.|remote\..*\.(url|fetch|pushurl)\Z", re.IGNORECASE)


class Found(NamedTuple):
    """A repository: the top of its files (None where it is bare), its git directory, the shared one."""

    root: Path | None
    git_dir: Path
    common_dir: Path


def find(directory: Path) -> Found:
    """Return the repository that a directory is in, or is.

    Raises:
        NotARepository: It is in none.
    """
    start = Path(os.path.realpath(directory))
    for place in (start, *start.parents):
        git_dir = _git_dir(place / ".git")
        if git_dir is not None:
            return Found(place, git_dir, common(git_dir))
        if _is_git_dir(place):
            return Found(None, place, common(place))
    message = f"`{directory}` is not in a git repository"
    fix = "run this in a repository, or make one: git init && git add -A && git commit -m first"
    raise NotARepository(message, fix=fix)


def _git_dir(entry: Path) -> Path | None:
    """Return the git directory that `.git` is, or points to.

    Raises:
        NotARepository: It points to what is none.
    """
    if _is_git_dir(entry):
        return entry
    if not entry.is_file():
        return None
    pointed = pointer(entry)
    if pointed is not None and _is_git_dir(pointed):
        return pointed
    message = f"`{entry}` points to no git directory"
    raise NotARepository(message, fix="see `git worktree repair`, or remove that file")


def pointer(entry: Path) -> Path | None:
    """Return where a `.git` file points to, without following links; None where it is no such file."""
    words = _text(entry)
    if not words.startswith("gitdir:"):
        return None
    return Path(os.path.realpath(entry.parent / words.removeprefix("gitdir:").strip()))


def common(git_dir: Path) -> Path:
    """Return the directory that all worktrees of a repository share."""
    words = _text(git_dir / "commondir").strip()
    return Path(os.path.realpath(git_dir / words)) if words else git_dir


def _text(file: Path) -> str:
    """Return the beginning of a plain file; an empty text for a link, a pipe, or nothing."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.fsdecode(opened.read(_POINTER_BYTES))


def _is_git_dir(place: Path) -> bool:
    return (
        (place / "HEAD").is_file()
        and (common(place) / "objects").is_dir()
        and (common(place) / "refs").is_dir()
    )


def marks(git_dir: Path, common_dir: Path, config: Sequence[str]) -> dict[str, str]:
    """Return a mark for everything that could make git run something, or see other files than there are.

    Args:
        git_dir: That of a worktree.
        common_dir: That of the repository.
        config: The entries of the configuration, each a key, a line end and a value.
    """
    found: dict[str, str] = {}
    for entry in config:
        key = entry.partition("\n")[0]
        if _HARMLESS.match(key) is None:
            name = f"the key `{key}`"
            found[name] = _digest(found.get(name, "").encode() + os.fsencode(entry))
    for root in dict.fromkeys((common_dir, git_dir)):
        for name in ("config.worktree", "hooks", "info"):
            for file in _files(root / name):
                found[f"`{file.relative_to(root)}`"] = _digest(_mark(file))
    return found


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _files(place: Path) -> list[Path]:
    if place.is_symlink() or not place.is_dir():
        return [place]
    found = [Path(folder, name) for folder, folders, files in os.walk(place) for name in (*folders, *files)]
    return sorted(found)


def _mark(file: Path) -> bytes:
    """Return what stands for a file: its kind, its permissions, and its content or target."""
    try:
        about = os.lstat(file)
    except OSError:
        return b"absent"
    what = f"{stat.S_IFMT(about.st_mode)} {stat.S_IMODE(about.st_mode)} ".encode()
    if stat.S_ISLNK(about.st_mode):
        return what + os.fsencode(file.readlink())
    if not stat.S_ISREG(about.st_mode):
        return what
    if about.st_size > _MARKED_BYTES:
        return what + f"{about.st_size} {about.st_mtime_ns}".encode()
    return what + blake2b(file.read_bytes()).digest()

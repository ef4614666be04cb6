"""Trees of files, without ever following a link: what is in one, a copy of it, and what two differ in.

Rule 1: a directory is opened part by part, each without following a link, so that no name leads outside.
Rule 2: what tools leave behind for themselves (`PASSING`) is copied, and is no difference.
Rule 3: a name is a text as the system gives it; what is no UTF-8 in it survives (surrogates).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Final, TypeAlias

from maestri.records import NamedTuple

PASSING: Final = frozenset({".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK_BYTES = 1 << 20
_MODE = 0o777  # what is kept of a mode: no set-user-id

FILE, FOLDER, LINK = "file", "folder", "link"
Parts: TypeAlias = "tuple[str, ...]"
Check: TypeAlias = Callable[[], None]


class Item(NamedTuple):
    """What stands under a name: its kind, a mark of its content (digest, or target of a link), its mode."""

    kind: str
    mark: str = ""
    mode: int = 0


Tree: TypeAlias = "dict[str, Item]"


class Found(NamedTuple):
    """An entry of a walk: where it is, and whether it is part of the tree or only passing."""

    parts: Parts
    kind: str
    mode: int
    folder: int
    is_passing: bool

    @property
    def name(self) -> str:
        """Its path from the root of the tree."""
        return "/".join(self.parts)


@contextmanager
def opened(root: int, parts: Sequence[str]) -> Iterator[int]:
    """Open a folder below an open one; no part of the way may be a link."""
    here = os.dup(root)
    try:
        for part in parts:
            inner = os.open(part, _FOLDER, dir_fd=here)
            os.close(here)
            here = inner
        yield here
    finally:
        os.close(here)


@contextmanager
def root_of(path: str) -> Iterator[int]:
    """Open the root of a tree."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def walk(root: int, *, passing: bool, private: Sequence[tuple[int, int]] = ()) -> Iterator[Found]:
    """Yield what is in a tree, each folder before what is in it.

    Args:
        root: The open root.
        passing: Whether to go into what is only passing.
        private: Folders to leave out, by device and inode.
    """
    waiting: list[tuple[Parts, bool]] = [((), False)]
    while waiting:
        parts, is_passing = waiting.pop()
        with opened(root, parts) as folder:
            with os.scandir(folder) as listed:
                names = sorted(entry.name for entry in listed)
            for name in names:
                about = os.stat(name, dir_fd=folder, follow_symlinks=False)
                kind = _kind(about)
                if (about.st_dev, about.st_ino) in private or (name == ".git" and kind != FOLDER):
                    continue  # such a `.git` leads to a repository elsewhere
                only = is_passing or name in PASSING
                if only and not passing:
                    continue
                yield Found((*parts, name), kind, stat.S_IMODE(about.st_mode) & _MODE, folder, only)
                if kind == FOLDER:
                    waiting.append(((*parts, name), only))


def _kind(about: os.stat_result) -> str:
    if stat.S_ISDIR(about.st_mode):
        return FOLDER
    if stat.S_ISREG(about.st_mode):
        return FILE
    return LINK if stat.S_ISLNK(about.st_mode) else ""


def kind_at(folder: int, name: str) -> str:
    """Return the kind of what stands under a name in an open folder; an empty text where nothing does."""
    try:
        return _kind(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return ""


def scan(path: str, check: Check, private: Sequence[tuple[int, int]] = (), apart: str = "") -> Tree:
    """Return what is in a tree; what is neither file, folder nor link is not part of it.

    Args:
        path: The root.
        check: Called before each file; what it raises ends the scan.
        private: Folders to leave out, by device and inode.
        apart: The name of an entry of the root to leave out.
    """
    tree: Tree = {}
    with root_of(path) as root:
        for found in walk(root, passing=False, private=private):
            if apart and found.parts[0] == apart:
                continue
            check()
            if found.kind == FILE:
                tree[found.name] = Item(FILE, _copied(found.folder, found.parts[-1], None, check), found.mode)
            elif found.kind == LINK:
                tree[found.name] = Item(LINK, os.readlink(found.parts[-1], dir_fd=found.folder))
            elif found.kind == FOLDER:
                tree[found.name] = Item(FOLDER, "", found.mode)
    return tree


def copy(
    source: str, target: str, check: Check, private: Sequence[tuple[int, int]]
) -> tuple[Tree, list[str]]:
    """Copy a tree into an empty folder; return what is in it, and what could not be copied: sockets, devices.

    Args:
        source: The root.
        target: An empty folder.
        check: Called before each file and each part of one; what it raises ends the copy.
        private: Folders to leave out, by device and inode.
    """
    tree: Tree = {}
    left_out: list[str] = []
    modes: list[tuple[Parts, int]] = []
    with root_of(source) as root, root_of(target) as made:
        for found in walk(root, passing=True, private=private):
            check()
            item = Item(found.kind)
            with opened(made, found.parts[:-1]) as folder:
                if found.kind == FOLDER:
                    os.mkdir(found.parts[-1], 0o700, dir_fd=folder)
                    modes.append((found.parts, found.mode))
                    item = Item(FOLDER, "", found.mode)
                elif found.kind:
                    item = place(found.folder, found.parts[-1], folder, found.parts[-1], found.kind, check)
                else:
                    left_out.append(found.name)
                    continue
            if not found.is_passing:
                tree[found.name] = item
        for parts, mode in reversed(modes):
            with opened(made, parts) as folder:
                os.fchmod(folder, mode)
    return tree, left_out


def place(source: int, name: str, target: int, as_: str, kind: str, check: Check) -> Item:
    """Copy a file or a link from one open folder into another; return what was copied."""
    if kind == LINK:
        mark = os.readlink(name, dir_fd=source)
        os.symlink(mark, as_, dir_fd=target)
        return Item(LINK, mark)
    about = os.stat(name, dir_fd=source, follow_symlinks=False)
    mode = stat.S_IMODE(about.st_mode) & _MODE
    descriptor = os.open(as_, _CREATE, 0o600, dir_fd=target)
    try:
        mark = _copied(source, name, descriptor, check)
        os.fchmod(descriptor, mode)
        os.utime(descriptor, ns=(about.st_atime_ns, about.st_mtime_ns))
    finally:
        os.close(descriptor)
    return Item(FILE, mark, mode)


def _copied(folder: int, name: str, target: int | None, check: Check) -> str:
    """Return the digest of a file's content, which is written to `target` on the way."""
    hashed = blake2b(digest_size=20)
    source = os.open(name, _READ, dir_fd=folder)
    try:
        while chunk := os.read(source, _CHUNK_BYTES):
            check()
            hashed.update(chunk)
            if target is not None:
                _write(target, chunk)
    finally:
        os.close(source)
    return hashed.hexdigest()


def _write(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def differing(before: Mapping[str, Item], after: Mapping[str, Item]) -> list[str]:
    """Return the names under which two trees have something else, in order."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def remove(parent: str, name: str) -> None:
    """Remove a folder of an own tree with all that is in it, also where it was made read-only."""
    with root_of(parent) as root:
        try:
            kind = _kind(os.stat(name, dir_fd=root, follow_symlinks=False))
        except FileNotFoundError:
            return
        if kind != FOLDER:
            os.unlink(name, dir_fd=root)
            return
        _unlock(root, name)
        with opened(root, (name,)) as folder:
            folders = _emptied(folder)
            for parts in reversed(folders):
                with opened(folder, parts[:-1]) as above:
                    os.rmdir(parts[-1], dir_fd=above)
        os.rmdir(name, dir_fd=root)


def _emptied(root: int) -> list[Parts]:
    """Remove all but the folders of a tree; return those, each before what is in it."""
    folders: list[Parts] = []
    waiting: list[Parts] = [()]
    while waiting:
        parts = waiting.pop()
        with opened(root, parts) as folder:
            with os.scandir(folder) as listed:
                entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in listed]
            for name, is_folder in entries:
                if is_folder:
                    _unlock(folder, name)
                    folders.append((*parts, name))
                    waiting.append((*parts, name))
                else:
                    os.unlink(name, dir_fd=folder)
    return folders


def _unlock(above: int, name: str) -> None:
    os.chmod(name, 0o700, dir_fd=above)

"""Rooms: worktrees in which commits are verified, one commit after the other, each as if it were fresh.

Making a worktree anew for each commit would cost more than many a verification. A room goes from one commit
to the next by writing only the files that differ, and whatever a verification has left behind is removed.

Rule 1: nothing of one verification is seen by the next: what is not of the commit is deleted, what it changed
is written anew.
Rule 2: rooms lie with the run and belong to this process; what another one has left of them is removed.
"""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from maestri.errors import WorkspaceFailed
from maestri.workspaces.git import Git
from maestri.workspaces.turns import turn

_TREE: Final = "tree"


class Room:
    """One worktree; it holds the files of `commit` and nothing else."""

    def __init__(self, git: Git, folder: Path, locks: Path) -> None:
        """Name the place; nothing is made yet."""
        self._folder = folder
        self._locks = locks
        self._index = folder / "index"
        self._repository = git
        self._own: Git | None = None
        self._pointer = b""
        self.tree = folder / (git.root.name if git.root and git.root.name.isprintable() else _TREE)

    def enter(self, commit: str) -> None:
        """Have the room hold the files of a commit; where what was left behind is in the way, make it anew.

        Raises:
            WorkspaceFailed: Git refuses.
        """
        if self._own is not None:
            try:
                _set_head(self._own, commit)
                self._fill(self._own, commit)
            except (OSError, WorkspaceFailed):
                self.leave()
            else:
                return
        self._folder.mkdir(mode=0o700, parents=True)
        with turn(self._locks, self._repository):
            self._repository.worktree_add(self.tree, commit)
        self._own = Git(self.tree)
        self._pointer = (self.tree / ".git").read_bytes()
        self._fill(self._own, commit)

    def _fill(self, own: Git, commit: str) -> None:
        self._repository.check_out(commit, self.tree, self._index)
        self._empty({entry.path for entry in self._repository.ls_tree(commit)})
        pointer = self.tree / ".git"
        if pointer.is_symlink() or not pointer.is_file() or pointer.read_bytes() != self._pointer:
            pointer.unlink(missing_ok=True)
            pointer.write_bytes(self._pointer)
        shutil.copy2(self._index, own.git_dir / "index")

    def leave(self) -> None:
        """Remove the room."""
        self._own = None
        remove(self._repository, self.tree, self._locks)
        if self._folder.exists():
            _delete(self._folder)

    def _empty(self, kept: set[str]) -> None:
        """Delete every file and folder that is not of the commit.

        Raises:
            NotADirectoryError: A link stands where the commit has a folder.
        """
        folders = {parent for path in kept for parent in _parents(path)}
        top = os.fspath(self.tree)
        for place, names, files in os.walk(top, topdown=True):
            prefix = "" if place == top else f"{os.path.relpath(place, top)}/"
            for name in files:
                if prefix + name not in kept and (prefix or name != ".git"):
                    Path(place, name).unlink()
            for name in list(names):
                if prefix + name not in folders:
                    names.remove(name)
                    if prefix + name not in kept:
                        _delete(Path(place, name))
                elif Path(place, name).is_symlink():
                    raise NotADirectoryError(prefix + name)


def _set_head(own: Git, commit: str) -> None:
    """Have the worktree of a room be at another commit, on no branch.

    Raises:
        FileNotFoundError: Its HEAD is not a file: this repository keeps names in another way.
    """
    head = own.git_dir / "HEAD"
    if own.config.get("extensions.refstorage", "files") != "files":
        raise FileNotFoundError(head)
    aside = head.with_name("HEAD.new")
    aside.write_text(f"{commit}\n")
    aside.replace(head)


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: at + 1]) for at in range(len(parts))]


def _delete(folder: Path) -> None:
    """Delete a folder, or a link to one, whatever permissions a verification has left there."""
    if folder.is_symlink():
        folder.unlink()
        return
    for place, _, _ in os.walk(folder):
        Path(place).chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


class Rooms:
    """The rooms of this process, by the run that they are for."""

    def __init__(self, places: Callable[[str], Path], locks: Path) -> None:
        """Begin without any.

        Args:
            places: Gives the folder for the landings of a run by the run's id, made if need be.
            locks: The folder of the lock files of repositories.
        """
        self._places = places
        self._locks = locks
        self._mutex = threading.Lock()
        self._made = 0
        self._git: dict[str, Git] = {}
        self._free: dict[str, list[Room]] = {}
        self._all: dict[str, list[Room]] = {}

    def take(self, run: str, repository: str, commit: str) -> Room:
        """Return a room that holds a commit, and that nobody else uses.

        Raises:
            WorkspaceFailed: Git refuses.
        """
        with self._mutex:
            if run not in self._all:
                self._git[run] = Git(repository)
                self._sweep(run, self._git[run])
            git = self._git[run]
            free, rooms = self._free.setdefault(run, []), self._all.setdefault(run, [])
            room = free.pop() if free else None
            if room is None:
                self._made += 1
                room = Room(git, self._folder(run) / str(self._made), self._locks)
                rooms.append(room)
        room.enter(commit)
        return room

    def give_back(self, run: str, room: Room) -> None:
        """Let another verification have the room."""
        with self._mutex:
            self._free.setdefault(run, []).append(room)

    def abandon(self, run: str, room: Room) -> None:
        """Remove a room, and those that nobody uses."""
        with self._mutex:
            rooms = [room, *self._free.pop(run, [])]
            for one in rooms:
                one.leave()
            self._all[run] = [one for one in self._all.get(run, []) if one not in rooms]

    def clear(self, run: str, git: Git) -> None:
        """Remove all rooms of a run, also those of a process that is gone."""
        with self._mutex:
            for room in self._all.pop(run, []):
                room.leave()
            self._free.pop(run, None)
            self._git.pop(run, None)
            self._sweep(run, git)

    def close(self) -> None:
        """Remove all rooms of this process; one that cannot be removed is left to the next."""
        with self._mutex:
            for rooms in self._all.values():
                for room in rooms:
                    try:
                        room.leave()
                    except (WorkspaceFailed, OSError):
                        continue
            self._all.clear()
            self._free.clear()

    def _folder(self, run: str) -> Path:
        return self._places(run) / "rooms"

    def _sweep(self, run: str, git: Git) -> None:
        """Remove what a process that was killed has left."""
        folder = self._folder(run)
        if not folder.exists():
            return
        for tree in git.worktrees():
            if folder in Path(tree.path).parents:
                remove(git, Path(tree.path), self._locks)
        _delete(folder)


def remove(git: Git, tree: Path, locks: Path) -> None:
    """Remove a worktree with its files.

    Raises:
        WorkspaceFailed: Git refuses.
    """
    with turn(locks, git):
        if tree.exists():
            _delete(tree)
        if any(Path(one.path) == tree for one in git.worktrees()):
            git.worktree_remove(tree)

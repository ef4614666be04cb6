"""Workspaces without git, for tests: copies of a directory, whose commits are texts.

Whoever needs branches and merges takes `maestri.workspaces.worktrees`; everything else is the same here, and
`check_workspaces` holds both to it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from maestri.claims import Touched, strays
from maestri.errors import NotARepository, NotLanded, ResultsConflict, WorkspaceMissing
from maestri.kernel.path import is_within
from maestri.kernel.ports import Held, Work, Workspace
from maestri.records import NamedTuple

Files = Mapping[str, bytes]


class _Place(NamedTuple):
    """A workspace, the files that it began with, and those that were committed."""

    workspace: Workspace
    before: Files
    done: Files | None = None
    commit: str = ""


class FakeWorkspaces:
    """The port `Workspaces`, in a folder."""

    def __init__(self, root: Path) -> None:
        """Begin; workspaces are made below `root`."""
        self._root = root
        self._began: dict[str, Files] = {}
        self._places: dict[tuple[str, str], _Place] = {}
        self._landed: set[str] = set()

    def prepare(
        self,
        run: str,
        path: str,
        cwd: str,
        *,
        name: str = "",
        claims: Sequence[str] = (),
        after: Sequence[str] = (),
        check: Callable[[], None] | None = None,
    ) -> Workspace:
        """Make a workspace for a step, or return the one that it has.

        Raises:
            NotARepository: There is no such directory.
            ResultsConflict: What it builds on cannot be merged.
        """
        known = self._places.get((run, path))
        if known is not None:
            return known.workspace
        if not Path(cwd).is_dir():
            raise NotARepository(f"`{cwd}` is no directory", fix="give one that is there")
        began = self._began.setdefault(run, _files(Path(cwd)))
        before = dict(began)
        for place in self._places.values():
            if place.done is not None and any(is_within(place.workspace.path, scope) for scope in after):
                _merge(before, place, began)
        folder = self._root / run / sha256(path.encode()).hexdigest()[:16]
        _write(folder, before)
        made = Workspace(
            run, path, str(folder), str(folder), cwd, f"{name or run}{path}", _name(before), tuple(claims)
        )
        self._places[run, path] = _Place(made, before)
        return made

    def finish(
        self, workspace: Workspace, *, stray: str = "", check: Callable[[], None] | None = None
    ) -> Work:
        """Commit what was done in a workspace.

        Raises:
            WorkspaceMissing: There is none, or its files are gone.
        """
        place = self._known(workspace)
        now = _files(Path(workspace.dir))
        outside = {} if stray == "accept" else _strays(place.before, now, workspace)
        if outside and stray != "leave out":
            return _work("", place.before, now, outside)
        for path in outside:
            now.pop(path, None)
            if path in place.before:
                now[path] = place.before[path]
        commit = _name(now)
        self._places[workspace.run, workspace.path] = place._replace(done=now, commit=commit)
        return _work(commit, place.before, now, outside)

    def held(self, run: str = "") -> Sequence[Held]:
        """Return the workspaces of a run, or of all, in order of runs and paths."""
        places = sorted(self._places.items())
        return [self._held(place) for (of, _), place in places if run in {"", of}]

    def look(self, workspace: Workspace) -> Work:
        """Return what differs in a workspace from what it began from.

        Raises:
            WorkspaceMissing: There is none, or its files are gone.
        """
        place = self._known(workspace)
        now = _files(Path(workspace.dir))
        return _work(place.commit, place.before, now, _strays(place.before, now, workspace))

    def mark_landed(self, workspace: Workspace, commit: str) -> None:
        """Say that the work of a workspace, up to a commit, is safe elsewhere."""
        self._landed.add(commit)

    def remove(self, workspace: Workspace, *, discard: bool = False) -> None:
        """Remove a workspace.

        Raises:
            NotLanded: It holds work that is nowhere else, and that is not to be discarded.
        """
        place = self._places.get((workspace.run, workspace.path))
        now = _files(Path(workspace.dir)) if Path(workspace.dir).is_dir() else None
        safe = {_name(place.before), *self._landed} if place is not None else set()
        if not discard and now is not None and _name(now) not in safe:
            message = f"the work of `{workspace.path}` has not landed"
            raise NotLanded(message, fix="land it, or discard it")
        shutil.rmtree(workspace.dir, ignore_errors=True)
        self._places.pop((workspace.run, workspace.path), None)

    def _known(self, workspace: Workspace) -> _Place:
        place = self._places.get((workspace.run, workspace.path))
        if place is None or not Path(workspace.dir).is_dir():
            raise WorkspaceMissing(f"the workspace of `{workspace.path}` is not there", fix="make it again")
        return place

    def _held(self, place: _Place) -> Held:
        if not Path(place.workspace.dir).is_dir():
            return Held(place.workspace, "gone", place.commit)
        if place.done is None:
            return Held(place.workspace, "working")
        if place.done == place.before:
            return Held(place.workspace, "empty", place.commit)
        return Held(place.workspace, "landed" if place.commit in self._landed else "done", place.commit)


def _files(folder: Path) -> dict[str, bytes]:
    """Return the contents of the files of a folder; of a link, its target."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if one != ".git"]
        for file in (Path(place, name) for name in (*names, *folders)):
            if file.is_symlink():
                found[str(file.relative_to(folder))] = b"-> " + os.fsencode(file.readlink())
            elif file.is_file():
                found[str(file.relative_to(folder))] = file.read_bytes()
    return found


def _write(folder: Path, files: Files) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _merge(before: dict[str, bytes], place: _Place, began: Files) -> None:
    """Take over what was done in another workspace.

    Raises:
        ResultsConflict: A file was changed in two of them.
    """
    done = place.done or {}
    for name in {*place.before, *done}:
        if place.before.get(name) == done.get(name):
            continue
        if before.get(name) not in {place.before.get(name), began.get(name), done.get(name)}:
            message = f"`{name}` was changed in two results that `{place.workspace.path}` is one of"
            raise ResultsConflict(message, fix="let one need the other")
        before.pop(name, None)
        if name in done:
            before[name] = done[name]


def _name(files: Files) -> str:
    return sha256(repr(sorted(files.items())).encode()).hexdigest()


def _strays(before: Files, now: Files, workspace: Workspace) -> dict[str, str]:
    touched = []
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            content = now.get(name, b"")
            target = os.fsdecode(content[3:]) if content.startswith(b"-> ") else None
            touched.append(Touched(name, name not in now, target))
    return strays(touched, workspace.claims, now)


def _work(commit: str, before: Files, now: Files, outside: Mapping[str, str]) -> Work:
    added = tuple(sorted(name for name in now if name not in before))
    changed = tuple(sorted(name for name in now if name in before and now[name] != before[name]))
    deleted = tuple(sorted(name for name in before if name not in now))
    stray = tuple({"path": path, "why": why} for path, why in outside.items())
    return Work(commit, added, changed, deleted, stray, "aside" if stray else "")

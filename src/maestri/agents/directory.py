"""The agent behind copies of directories: copies one, tells what was done in it, brings that back.

Rule 1: a copy lies in the run's own folder, never beside what it is a copy of; `base.json` says what it was.
Rule 2: each task may be done again after a crash: a copy is begun anew, bringing back goes on.
"""

from __future__ import annotations

import asyncio
import json
import os
import tarfile
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from maestri.agents import trees
from maestri.agents.bringing import Work, bring_back, refuse_changed, shown
from maestri.agents.trees import Check, Item, Tree
from maestri.claims import broken
from maestri.errors import CopyMissing, InputInvalid, RunError, StepFailed
from maestri.kernel.ports import Answer, Attempt, Task

_TREE, _BASE, _PACKED = "tree", "base.json", "work.tar.gz"


class _Stopped(Exception):
    """The step was cancelled; its thread ends."""


class DirectoryAgent:
    """Performs tasks with directories.

    A request is `{"verb": …}` and: `copy` with `dir` gives `{dir, files}`, the path of the copy and how many
    files are in it; `watch` with `dir` gives the same for the directory itself, which is not copied then;
    `changes` and `archive` with `copy` give `{added, changed, deleted}`, the second one with the `artifact`
    that the new contents were packed into; `apply` with `dir` and `copy` gives the same and makes the
    directory like its copy; `clean` with `copies` removes them.

    With `claims`, `changes` gives what is `stray`, too, each `{path, why}`, or fails where `on_stray` is
    `fail`; `apply` with `leave_out`, a list of paths, leaves these as they were.
    """

    def __init__(self, places: Callable[[str], Path], private: Path) -> None:
        """Begin.

        Args:
            places: Gives the folder for the copies of a run by the run's id, made if need be.
            private: A folder that no copy has in it: that of Maestri itself.
        """
        self._places = places
        self._private = private

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Do one task; a cancellation ends it at the next file.

        Raises:
            DirectoryChanged: The directory has changed since it was copied.
            CopyMissing: The copy is gone.
            ClaimBroken: Something is stray, and is a failure.
            InputInvalid: The request cannot be used.
            StepFailed: A file cannot be read or written.
        """
        stop = threading.Event()

        def check() -> None:
            if stop.is_set():
                raise _Stopped

        work = asyncio.get_running_loop().run_in_executor(None, self._act, task.request, attempt, check)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # looked at, so that asyncio does not report it
            raise

    async def close(self) -> None:
        """Do nothing: nothing is kept between tasks."""

    def _act(self, request: Any, attempt: Attempt, check: Check) -> Answer:
        act = {
            "copy": self._copy,
            "watch": self._watch,
            "changes": self._changes,
            "archive": self._archive,
            "apply": self._apply,
            "clean": self._clean,
        }[request["verb"]]
        try:
            return act(request, attempt, check)
        except RunError:
            raise
        except OSError as error:
            what = f"`{shown(str(error.filename))}`: " if error.filename else ""
            message = f"{what}{error.strerror or error}"
            fix = "see that it can be read and written, then resume the run"
            raise StepFailed(message, fix=fix) from error

    def _copy(self, request: Any, attempt: Attempt, check: Check) -> Answer:
        source = _directory(request.get("dir"), attempt.cwd)
        parent = self._places(attempt.run)
        name = blake2b(attempt.path.encode(), digest_size=8).hexdigest()
        trees.remove(str(parent), name)
        place = parent / name
        made = place / _TREE / _own_name(source)
        made.mkdir(parents=True, mode=0o700)
        tree, left_out = trees.copy(source, str(made), check, self._apart())
        # Not synced: that would wait for all files of the copy, which are not safe from a power cut either.
        (place / _BASE).write_text(json.dumps({"tree": tree}, separators=(",", ":")))
        files = sum(1 for item in tree.values() if item.kind != trees.FOLDER)
        skipped = {"left_out": [shown(one) for one in left_out]} if left_out else {}
        return Answer({"dir": str(made), "files": files, **skipped})

    def _watch(self, request: Any, attempt: Attempt, check: Check) -> Answer:
        source = _directory(request.get("dir"), attempt.cwd)
        parent = self._places(attempt.run)
        name = blake2b(attempt.path.encode(), digest_size=8).hexdigest()
        trees.remove(str(parent), name)
        watched = parent / name / _TREE / _own_name(source)
        watched.parent.mkdir(parents=True, mode=0o700)
        watched.symlink_to(source)
        tree = trees.scan(source, check, self._apart())
        (parent / name / _BASE).write_text(json.dumps({"tree": tree}, separators=(",", ":")))
        files = sum(1 for item in tree.values() if item.kind != trees.FOLDER)
        return Answer({"dir": source, "copy": str(watched), "files": files})

    def _changes(self, request: Any, _attempt: Attempt, check: Check) -> Answer:
        work = self._work(request["copy"], check)
        found = work.strays(request["claims"]) if "claims" in request else []
        if found and request.get("on_stray") == "fail":
            raise broken(found)
        return Answer({**work.as_json(), **({"stray": found} if "claims" in request else {})})

    def _archive(self, request: Any, attempt: Attempt, check: Check) -> Answer:
        work = self._work(request["copy"], check)
        names = [name for name in work.names if name in work.after]
        if not names:
            return Answer(work.as_json())
        packed = _place(request["copy"]) / _PACKED
        packed.unlink(missing_ok=True)
        _pack(packed, request["copy"], names, check)
        ref = attempt.keep(str(packed), f"{request['name']}.tar.gz")
        packed.unlink()
        return Answer({**work.as_json(), "artifact": ref.as_json()}, artifacts=[ref])

    def _apply(self, request: Any, attempt: Attempt, check: Check) -> Answer:
        directory, copy = _directory(request.get("dir"), attempt.cwd), request["copy"]
        work = self._work(copy, check).without(request.get("leave_out", ()))
        aside = f".maestri-{blake2b(copy.encode(), digest_size=8).hexdigest()}"
        now = trees.scan(directory, check, self._apart(), aside)
        refuse_changed(work, now, directory, copy)
        if now != work.after:
            bring_back(work, copy, directory, aside, check)
        else:
            trees.remove(directory, aside)
        return Answer(work.as_json())

    def _clean(self, request: Any, _attempt: Attempt, _check: Check) -> Answer:
        for copy in request["copies"]:
            place = _place(copy)
            if place.parent.is_dir():
                trees.remove(str(place.parent), place.name)
        return Answer(None)

    def _work(self, copy: str, check: Check) -> Work:
        return _work(copy, check, self._apart())

    def _apart(self) -> Sequence[tuple[int, int]]:
        try:
            about = self._private.stat()
        except FileNotFoundError:
            return ()
        return ((about.st_dev, about.st_ino),)


def _directory(given: Any, cwd: str) -> str:
    """Return the directory that is meant, without links.

    Raises:
        InputInvalid: It is none, or the whole file system.
    """
    try:
        path = Path(os.path.realpath(Path(cwd, given or ".")))
    except ValueError:  # a name with a null byte
        path = Path(os.devnull)
    if not path.is_dir():
        message = f"`dir: {given}` is not a directory"
        fix = "give the path of a directory"
        raise InputInvalid(message, cause=f"it was looked for at `{shown(str(path))}`", fix=fix)
    if path == Path(path.anchor):
        message = f"`dir: {given}` is the whole file system"
        raise InputInvalid(message, fix="give the directory that is worked on")
    return str(path)


def _own_name(source: str) -> str:
    """Return the name of a directory, which its copy has too: tools look at it; `copy` if it is no text."""
    name = Path(source).name
    return name if name.isprintable() else "copy"


def _place(copy: str) -> Path:
    """Return the folder in which everything of one copy lies."""
    return Path(copy).parent.parent


def _work(copy: str, check: Check, private: Sequence[tuple[int, int]]) -> Work:
    """Return what was done in a copy.

    Raises:
        CopyMissing: It is not there, or was not finished.
    """
    try:
        base = json.loads((_place(copy) / _BASE).read_text())
        after = trees.scan(copy, check, private)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        message = f"the copy `{copy}` is not there any more"
        fix = "start a new run; what was done in the copy is lost"
        cause = "somebody has removed it, or a power cut has damaged it"
        raise CopyMissing(message, cause=cause, fix=fix) from error
    before: Tree = {name: Item(*item) for name, item in base["tree"].items()}
    return Work(before, after)


def _pack(packed: Path, copy: str, names: Sequence[str], check: Check) -> None:
    with tarfile.open(packed, "x:gz") as archive:
        for name in names:
            check()
            archive.add(f"{copy}/{name}", arcname=name, recursive=False)

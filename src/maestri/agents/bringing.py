"""Brings what was done in a copy of a directory back into the directory.

Rule 1: nothing is touched where the directory has changed meanwhile; doing it again after a crash goes on
where it was left: what is as it was, or already as it shall be, is no change.
Rule 2: the new contents are written aside first, on the same file system; then they only change their names.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence

from maestri.agents import trees
from maestri.agents.trees import FOLDER, LINK, Check, Tree, opened, root_of
from maestri.claims import Touched, strays
from maestri.errors import DirectoryChanged
from maestri.records import NamedTuple

_NAMED = 10  # files in a message
_SHOWN = 500  # files in an output


class Work(NamedTuple):
    """What was done in a copy: the tree that was copied, and the tree that it is now."""

    before: Tree
    after: Tree

    @property
    def names(self) -> list[str]:
        """What is not as it was, in order."""
        return trees.differing(self.before, self.after)

    def without(self, left_out: Sequence[str]) -> Work:
        """Return the work with some names, as they are `shown`, left as they were."""
        names = {name for name in self.names if shown(name) in left_out}
        kept = {name: item for name, item in self.after.items() if name not in names}
        before = {name: self.before[name] for name in names if name in self.before}
        return Work(self.before, {**kept, **before})

    def strays(self, claims: Sequence[str]) -> list[dict[str, str]]:
        """Return what was done outside of some claims, each `{path, why}`."""
        touched = []
        for name in self.names:
            before, after = self.before.get(name), self.after.get(name)
            if any(item is not None and item.kind != FOLDER for item in (before, after)):
                target = after.mark if after is not None and after.kind == LINK else None
                touched.append(Touched(name, after is None, target))
        found = strays(touched, claims, self.after)
        return [{"path": shown(path), "why": why} for path, why in found.items()]

    def as_json(self) -> dict[str, object]:
        """Return the names of the files that were added, changed and deleted."""
        found: dict[str, list[str]] = {"added": [], "changed": [], "deleted": []}
        for name in self.names:
            before, after = self.before.get(name), self.after.get(name)
            if FOLDER in {before.kind if before else FOLDER} & {after.kind if after else FOLDER}:
                continue  # folders come and go with their files
            word = "added" if before is None else "deleted" if after is None else "changed"
            found[word].append(shown(name))
        more = sum(max(0, len(names) - _SHOWN) for names in found.values())
        listed = {word: names[:_SHOWN] for word, names in found.items()}
        return {**listed, **({"more": more} if more else {})}


def shown(name: str) -> str:
    """Return a name as a text that is valid Unicode."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def refuse_changed(work: Work, now: Mapping[str, trees.Item], directory: str, copy: str) -> None:
    """Refuse to bring work back into a directory that has changed meanwhile.

    Raises:
        DirectoryChanged: Names the files.
    """
    touched = set(work.names)
    clashing = [
        name
        for name in trees.differing(work.before, now)
        if not (name in touched and now.get(name) == work.after.get(name))
    ]
    if not clashing:
        return
    names = ", ".join(f"`{shown(name)}`" for name in clashing[:_NAMED])
    more = f" and {len(clashing) - _NAMED} more" if len(clashing) > _NAMED else ""
    message = f"`{directory}` has changed since it was copied: {names}{more}"
    cause = f"nothing was brought back; the work is in `{copy}`"
    fix = "undo these changes and resume the run, or take over what you want and `maestri accept` the step"
    detail = {"files": [shown(name) for name in clashing[:_SHOWN]], "dir": directory, "copy": copy}
    raise DirectoryChanged(message, cause=cause, fix=fix, detail=detail)


def bring_back(work: Work, source: str, directory: str, aside: str, check: Check) -> None:
    """Make a directory like a copy of it, where the two differ.

    Args:
        work: What was done in the copy.
        source: The copy.
        directory: The directory.
        aside: The name of a folder in it for contents that wait; what is left there is removed.
        check: Called before each file that is written aside; what it raises ends it while nothing is changed.
    """
    trees.remove(directory, aside)
    names = work.names
    with root_of(source) as origin, root_of(directory) as root:
        os.mkdir(aside, 0o700, dir_fd=root)
        with opened(root, (aside,)) as stage:
            waiting = _written_aside(work, names, origin, stage, check)
            _remove_old(work, names, root)
            _place_new(work, names, root, stage, waiting)
    trees.remove(directory, aside)


def _written_aside(work: Work, names: Sequence[str], origin: int, stage: int, check: Check) -> dict[str, str]:
    """Write what is new into the folder aside; return under which name each stands there."""
    waiting: dict[str, str] = {}
    for number, name in enumerate(names):
        item = work.after.get(name)
        if item is None or item.kind == FOLDER:
            continue
        *above, last = name.split("/")
        with opened(origin, above) as folder:
            made = trees.place(folder, last, stage, str(number), item.kind, check)
        if made != item:
            message = f"`{shown(name)}` of the copy was changed while it was brought back"
            raise DirectoryChanged(message, fix="end what still writes there, then resume the run")
        waiting[name] = str(number)
    for entry in waiting.values():
        _sync(stage, entry)
    return waiting


def _sync(folder: int, name: str) -> None:
    """Make the content of a file survive a power cut; a link has none."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return  # a link, or a file that its owner may not read: it was written a moment ago all the same
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_old(work: Work, names: Sequence[str], root: int) -> None:
    """Remove what is gone, or what something of another kind takes the place of; the innermost first."""
    for name in sorted(names, key=lambda one: -one.count("/")):
        before, after = work.before.get(name), work.after.get(name)
        is_folder = before is not None and before.kind == FOLDER
        if before is None or (after is not None and (after.kind == FOLDER) == is_folder):
            continue
        *above, last = name.split("/")
        try:
            with opened(root, above) as folder:
                kind = trees.kind_at(folder, last)
                if kind == FOLDER and is_folder:
                    os.rmdir(last, dir_fd=folder)
                elif kind and kind != FOLDER and not is_folder:
                    os.unlink(last, dir_fd=folder)
        except FileNotFoundError:
            continue  # an earlier attempt has done it
        except OSError as error:
            if after is not None or error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            continue  # caches of tools are left in it, which are no part of the tree


def _place_new(work: Work, names: Sequence[str], root: int, stage: int, waiting: Mapping[str, str]) -> None:
    """Make the new folders, and give the contents that wait their names."""
    modes: list[tuple[str, int]] = []
    for name in names:  # in order, so that a folder comes before what is in it
        item = work.after.get(name)
        if item is None:
            continue
        *above, last = name.split("/")
        with opened(root, above) as folder:
            if item.kind == FOLDER:
                if trees.kind_at(folder, last) != FOLDER:
                    os.mkdir(last, 0o700, dir_fd=folder)
                modes.append((name, item.mode))
            else:
                os.rename(waiting[name], last, src_dir_fd=stage, dst_dir_fd=folder)
                os.fsync(folder)
    for name, mode in reversed(modes):
        with opened(root, name.split("/")) as folder:
            os.fchmod(folder, mode)

"""What a proof looks at: the changes of each branch, and what the result and the target hold.

Rule: contents are read in few large portions, and only where names of objects do not tell already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from maestri.landing.forecast import at_once
from maestri.records import NamedTuple
from maestri.workspaces.git import Git
from maestri.workspaces.reading import LINK_MODE, SUBMODULE_MODE, Change, Entry

TARGET: Final = ""  # the name of what the target has changed since a branch has left it
_PORTION: Final = 2000
_LOOKED_AT_BYTES: Final = 8000  # as git does, to tell what is binary


class Work(NamedTuple):
    """What one branch has changed: from its `base`, where it left the target, to its `tip`."""

    name: str
    tip: str
    base: str
    changes: list[Change]

    def about(self, path: str) -> Change | None:
        """Return the change of a path, by the name that it had or the one that it has."""
        return next((one for one in self.changes if path in (one.old_path, one.path)), None)


class Contents:
    """The contents of blobs, read in portions."""

    def __init__(self, git: Git) -> None:
        """Begin with nothing read."""
        self._git = git
        self._read: dict[str, bytes] = {}
        self._lines: dict[str, list[bytes] | None] = {}

    def want(self, names: Iterable[str]) -> None:
        """Read blobs that will be asked for."""
        missing = [name for name in dict.fromkeys(names) if name.strip("0") and name not in self._read]
        for at in range(0, len(missing), _PORTION):
            self._read |= self._git.cat_many(missing[at : at + _PORTION])

    def lines(self, name: str) -> list[bytes] | None:
        """Return the lines of a blob, each with its newline; None for what is binary."""
        if name not in self._lines:
            self.want([name])
            content = self._read.get(name, b"")
            is_binary = b"\0" in content[:_LOOKED_AT_BYTES]
            self._lines[name] = None if is_binary else _split(content)
        return self._lines[name]


def _split(content: bytes) -> list[bytes]:
    """Return lines that end with a newline, and nothing else ends them; the last one may have none."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


class Trees:
    """The result of a landing, the target that it began from, and the branches."""

    def __init__(
        self, git: Git, result: str, base: str, branches: Mapping[str, str], threads: int = 2
    ) -> None:
        """Look at what each branch has changed.

        Args:
            git: The repository.
            result: The commit of the result.
            base: The commit that the target was at.
            branches: The commits of the branches by name.
            threads: How many processes of git may run at once.

        Raises:
            UnrelatedHistories: A branch has no commit in common with the target.
        """
        self.git, self.contents = git, Contents(git)
        self.result = {entry.path: entry for entry in git.ls_tree(result)}
        self.start = {entry.path: entry for entry in git.ls_tree(base)}

        def work(name: str) -> Work:
            tip = branches[name]
            since = git.merge_base(base, tip)
            return Work(name, tip, since, git.diff_raw(since, tip, renames=True))

        self.works = dict(zip(branches, at_once(work, list(branches), threads), strict=True))
        self._targets: dict[str, Work] = {}
        self.base, self._result = base, result
        self._renames = self._renamed()
        self._folders = {
            (old.rpartition("/")[0], new.rpartition("/")[0])
            for old, news in self._renames.items()
            for new in news
        }
        self._new: dict[str, list[str]] = {}
        for path, entry in self.result.items():
            if path not in self.start:
                self._new.setdefault(entry.object, []).append(path)

    def target(self, work: Work) -> Work:
        """Return what the target has changed since a branch has left it, as the work of a branch."""
        if work.base not in self._targets:
            changes = [] if work.base == self.base else self.git.diff_raw(work.base, self.base, renames=True)
            self._targets[work.base] = Work(TARGET, self.base, work.base, changes)
        return self._targets[work.base]

    def places(self, path: str, blob: str) -> list[str]:
        """Return the paths under which a file may stand in the result, the likeliest first.

        Args:
            path: The path that it has in a branch.
            blob: What it holds there.
        """
        found = [path] if path in self.result else []
        todo, known = [path], {path}
        while todo:
            for other in self._renames.get(todo.pop(), ()):
                if other not in known:
                    known.add(other)
                    todo.append(other)
                    found += [other] if other in self.result else []
        if found:
            return found
        return self._new.get(blob) or self._followed(path)

    def _renamed(self) -> dict[str, set[str]]:
        """Return to what paths files were renamed by anybody, by their old paths."""
        own = [change for work in self.works.values() for change in work.changes]
        own += [change for work in self.works.values() for change in self.target(work).changes]
        own += self.git.diff_raw(self.base, self._result, renames=True)
        found: dict[str, set[str]] = {}
        for change in own:
            if change.status == "R":
                found.setdefault(change.old_path, set()).add(change.path)
        return found

    def _followed(self, path: str) -> list[str]:
        """Return where a new file is whose folder was renamed, as the others of that folder were."""
        moved = [
            new + path[len(old) :] for old, new in self._folders if old != new and path.startswith(old + "/")
        ]
        return sorted(one.lstrip("/") for one in moved if one.lstrip("/") in self.result)


def is_text(*modes: str) -> bool:
    """Tell whether entries of these modes hold lines: links and submodules do not."""
    return not {LINK_MODE, SUBMODULE_MODE} & set(modes)


def stands(entry: Entry | None, mode: str, blob: str) -> bool:
    """Tell whether an entry is just this."""
    return entry is not None and (entry.mode, entry.object) == (mode, blob)

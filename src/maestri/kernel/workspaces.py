"""The port `Workspaces`: places for steps to work in, and what was done in them. `ports` offers it.

Rule: nobody above git knows git; commits and branches are texts here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from maestri.records import NamedTuple


class Workspace(NamedTuple):
    """A place of its own for one step: a worktree of a repository, on a branch of its own.

    The step works in `dir`, which is `tree`, the top of the files, or a folder of it. `base` is the commit
    that it began from. `notes` are for people.
    """

    run: str
    path: str
    dir: str
    tree: str
    repository: str
    branch: str
    base: str
    claims: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**self._asdict(), "claims": list(self.claims), "notes": list(self.notes)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Workspace:
        """Return the workspace that `as_json` wrote; unknown fields are ignored."""
        known = {key: value for key, value in record.items() if key in cls._fields}
        return cls(**{**known, "claims": tuple(record["claims"]), "notes": tuple(record["notes"])})


class Work(NamedTuple):
    """What was done in a workspace. `commit` is empty where it was not committed: there are `stray` files.

    A stray is `{path, why}`. What is stray is in the commit that the ref `aside` names.
    """

    commit: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    stray: tuple[Mapping[str, str], ...] = ()
    aside: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in self._asdict().items()
        }


class Held(NamedTuple):
    """A workspace as it stands now.

    `state` is `working` (not committed yet), `done`, `landed`, `empty` (it changed nothing) or `gone` (its
    files are not there any more). `commit` is that of its work, empty before.
    """

    workspace: Workspace
    state: str
    commit: str = ""


class Workspaces(Protocol):
    """Places for steps to work in, with what they may change there. All of it blocks: call it in a thread.

    `check` is called often; what it raises ends the call, in a state that the same call goes on from.
    """

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

        Args:
            run: The id of the run.
            path: The path of the step.
            cwd: The directory that is worked on; it is in a repository, and is not touched.
            name: The name of the run, for people; its id without one.
            claims: What may be changed, as globs from `cwd`; everything without any.
            after: Paths of steps and scopes whose results it builds on.
            check: See above.

        Raises:
            WorkspaceFailed: The class says why.
        """
        ...

    def finish(
        self, workspace: Workspace, *, stray: str = "", check: Callable[[], None] | None = None
    ) -> Work:
        """Commit what was done in a workspace to its branch; what is committed already stays as it is.

        Args:
            workspace: The workspace.
            stray: What becomes of files outside the claims: nothing is committed without a word; `accept`
                takes them as they are, `leave out` commits the others.
            check: See above.

        Raises:
            WorkspaceFailed: The class says why.
        """
        ...

    def held(self, run: str = "") -> Sequence[Held]:
        """Return the workspaces of a run, or of all, in order of runs and paths."""
        ...

    def look(self, workspace: Workspace) -> Work:
        """Return what differs in a workspace from what it began from, committed or not; nothing is changed.

        Raises:
            WorkspaceFailed: The class says why.
        """
        ...

    def mark_landed(self, workspace: Workspace, commit: str) -> None:
        """Say that the work of a workspace, up to a commit, is safe elsewhere."""
        ...

    def remove(self, workspace: Workspace, *, discard: bool = False) -> None:
        """Remove a workspace with its branch.

        Raises:
            NotLanded: It holds work that is nowhere else, and that is not to be discarded.
        """
        ...

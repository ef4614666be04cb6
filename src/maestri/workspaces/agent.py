"""The agent behind worktrees: has one made for a step, and what was done in it committed.

Rule: what git is asked blocks, so it happens in a thread; a cancelled step ends it at the next look.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from maestri.claims import broken
from maestri.errors import NoSpace, RunError, StepFailed
from maestri.kernel.path import parent
from maestri.kernel.ports import Answer, Attempt, Task, Workspace, Workspaces

_NO_SPACE = 28  # ENOSPC


class _Stopped(Exception):
    """The step was cancelled; its thread ends."""


class WorkspaceAgent:
    """Performs tasks with workspaces, for the step that the scope of the task is.

    A request is `{"verb": …}` and: `prepare` with `claims` and `after` (paths) and perhaps `cwd` gives a
    workspace; `commit` with that `workspace` gives its work. `stray` is what becomes of files outside the
    claims: `fail`, or nothing, so that the answer tells of them; `accept`; `leave out`.
    """

    def __init__(self, workspaces: Workspaces, name_of: Callable[[str], str]) -> None:
        """Use these workspaces; `name_of` gives the name of a run by its id, called on the event loop."""
        self._workspaces = workspaces
        self._name_of = name_of

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Do one task.

        Raises:
            WorkspaceFailed: The class says why.
            ClaimBroken: Files outside the claims were changed, and that is a failure.
            StepFailed: A file cannot be read or written.
        """
        stop = threading.Event()

        def check() -> None:
            if stop.is_set():
                raise _Stopped

        request = dict(task.request)
        act = self._prepare if request["verb"] == "prepare" else self._commit
        request["name"] = self._name_of(attempt.run)
        work = asyncio.get_running_loop().run_in_executor(None, _told, act, request, attempt, check)
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

    def _prepare(self, request: Any, attempt: Attempt, check: Any) -> Answer:
        path = parent(attempt.path)[0]
        made = self._workspaces.prepare(
            attempt.run,
            path,
            request.get("cwd") or attempt.cwd,
            name=request["name"],
            claims=request.get("claims", ()),
            after=request.get("after", ()),
            check=check,
        )
        for note in made.notes:
            attempt.notice("progress", note)
        return Answer(made.as_json())

    def _commit(self, request: Any, _attempt: Attempt, check: Any) -> Answer:
        workspace = Workspace.from_json(request["workspace"])
        word = request.get("stray", "")
        work = self._workspaces.finish(workspace, stray="" if word == "fail" else word, check=check)
        if work.stray and word == "fail":
            failure = broken(work.stray)
            if work.aside:
                failure.cause += f"; everything is kept under `{work.aside}`"
                failure.detail = {**(failure.detail or {}), "aside": work.aside}
            raise failure
        return Answer({**work.as_json(), "branch": workspace.branch, "base": workspace.base})


def _told(act: Any, request: Any, attempt: Attempt, check: Any) -> Answer:
    try:
        return act(request, attempt, check)  # type: ignore[no-any-return]
    except RunError:
        raise
    except OSError as error:
        what = f"`{error.filename}`: " if error.filename else ""
        cls = NoSpace if error.errno == _NO_SPACE else StepFailed
        fix = "see that it can be read and written, then resume the run"
        raise cls(f"{what}{error.strerror or error}", fix=fix) from error

"""The agent behind landings: everything of them that touches a repository, a task at a time.

Rule 1: a task may be done again after a crash and comes to the same; only `move` changes what others see, and
does so by one compare-and-swap.
Rule 2: git blocks, so it is asked in a thread; a cancelled task stops it at the next look.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, Final, Protocol

from maestri.errors import (
    AgentUnavailable,
    BranchMoved,
    ExitFailed,
    KilledBySignal,
    NoSpace,
    RunError,
    StepFailed,
)
from maestri.kernel import isolation
from maestri.kernel.codec import encode
from maestri.kernel.ports import Answer, Attempt, Dispatcher, Task, Workspaces
from maestri.landing import forecast, inspecting, merging, resolving
from maestri.landing.merging import Link
from maestri.landing.proof import prove
from maestri.landing.rooms import Room, Rooms
from maestri.workspaces.git import NOWHERE, Git

_TAIL_LINES, _TAIL_CHARS = 5, 400
_NAMED: Final = 3
_NO_SPACE: Final = 28  # ENOSPC


class Verified(Protocol):
    """What is known of trees that have passed before, in any run."""

    def find(self, key: str) -> bool:
        """Tell whether a tree has passed a command, by the key of both."""
        ...

    def keep(self, key: str, asked: str, run: str, path: str) -> None:
        """Say that it has."""
        ...


class _Stopped(Exception):
    """The task was cancelled; its thread ends."""


class LandingAgent:
    """Performs tasks of a landing; `maestri.landing.steps` has what each is asked and answers."""

    def __init__(
        self,
        places: Callable[[str], Path],
        locks: Path,
        commands: Dispatcher,
        workspaces: Workspaces,
        verified: Verified,
        name_of: Callable[[str], str] = str,
    ) -> None:
        """Begin; nothing is looked at yet.

        Args:
            places: Gives the folder for the landings of a run by the run's id, made if need be.
            locks: The folder of the lock files of repositories.
            commands: Runs the commands that verify.
            workspaces: Those of the steps of a run.
            verified: What is known of trees that have passed before.
            name_of: Gives the name of a run by its id, called on the event loop.
        """
        self._places = places
        self._locks = locks
        self._commands = commands
        self._workspaces = workspaces
        self._verified = verified
        self._name_of = name_of
        self._rooms = Rooms(places, locks)

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Do one task.

        Raises:
            WorkspaceFailed: What git was asked for cannot be done.
            LandingFailed: The class says why.
            StepFailed: A file cannot be read or written.
        """
        request = dict(task.request)
        if request["verb"] == "verify":
            return Answer(await self._verify(request, task, attempt))
        request["run_name"] = self._name_of(attempt.run)
        act = {
            "open": self._open,
            "merge": self._merge,
            "forecast": self._forecast,
            "line": self._line,
            "conflict": self._conflict,
            "resolved": self._resolved,
            "history": self._history,
            "prove": self._prove,
            "move": self._move,
            "clean": self._clean,
        }[request["verb"]]
        return Answer(await _in_thread(lambda check: act(request, attempt, check)))

    async def close(self) -> None:
        """Remove the rooms."""
        await asyncio.to_thread(self._rooms.close)

    # --- the tasks ----------------------------------------------------------------------------------

    def _open(self, request: Any, attempt: Attempt, check: Any) -> Any:
        git = Git(attempt.cwd, check=check)
        return inspecting.opened(
            git, attempt.cwd, request, self._workspaces.held(attempt.run), request["run_name"]
        )

    def _merge(self, request: Any, _attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        links = [Link(**one) for one in request["links"]]

        onto, at, bases = request["onto"], request["at"], request["bases"]
        # A branch that contains the target is itself what comes of merging it.
        tips = [link.commit for link in links if bases[link.name] == onto]
        trees = dict(zip(tips, merging.trees_of(git, tips), strict=True))

        def merged(link: Link) -> dict[str, Any]:
            if link.commit in trees:
                return {"name": link.name, "commit": link.commit, "tree": trees[link.commit]}
            return merging.merged_alone(git, onto, link, at)

        return forecast.at_once(merged, links, os.cpu_count() or 1)

    def _forecast(self, request: Any, _attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        return forecast.forecast(git, request["onto"], request["commits"], os.cpu_count() or 1)

    def _line(self, request: Any, _attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        return [
            merging.merged_in_line(
                git, one["onto"], [Link(**link) for link in one["links"]], request["at"], stops=one["stops"]
            )
            for one in request["lines"]
        ]

    def _conflict(self, request: Any, attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        place = self._place(attempt.run, request["place"])
        return resolving.staged(git, place, self._locks, request["onto"], request["branch"], request["sides"])

    def _resolved(self, request: Any, attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        place = self._place(attempt.run, request["place"])
        onto, branch, at = request["onto"], request["branch"], request["at"]
        found = resolving.resolved(git, place, onto, branch, at, is_meant=request["is_meant"])
        if "problem" in found:
            return found
        # Proved at once: a resolution that loses something leaves out one branch, and not all of them.
        known = {"branch": branch["name"], "files": found["files"], "commit": found["commit"]}
        proof = prove(git, found["commit"], request["start"], request["branches"], resolved=[known])
        lost = ", ".join(one.text() for one in proof.lost[:_NAMED])
        return {"problem": f"its resolution loses changes: {lost}"} if lost else found

    def _history(self, request: Any, _attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        return merging.rendered(git, request["mode"], request["start"], request["line"], request["at"])

    def _prove(self, request: Any, _attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        result, base, branches = request["result"], request["base"], request["branches"]
        threads = os.cpu_count() or 1
        return prove(git, result, base, branches, resolved=request["resolved"], threads=threads).as_json()

    def _move(self, request: Any, attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        into, new, old = request["into"], request["new"], request["old"]
        ref = f"refs/heads/{into}"
        now = git.ref(ref)
        if now != new:
            if now != old:
                return {"moved_to": now}
            inspecting.refuse_checked_out(git, into)
            if old and not git.is_ancestor(old, new):
                message = f"`{into}` would lose commits that it has"
                raise StepFailed(message, cause="the result does not contain its tip", fix="report this")
            try:
                git.update_ref(ref, new, old or NOWHERE, reason=f"maestri: land in run {request['run_name']}")
            except BranchMoved:
                return {"moved_to": git.ref(ref)}
        landed = request["landed"]
        for held in self._workspaces.held(attempt.run):
            if held.commit and held.commit in landed:
                self._workspaces.mark_landed(held.workspace, held.commit)
        return {"moved_to": ""}

    def _clean(self, request: Any, attempt: Attempt, check: Any) -> Any:
        git = Git(request["repository"], check=check)
        self._rooms.clear(attempt.run, git)
        resolving.cleared(git, self._places(attempt.run) / "conflicts", self._locks)

    def _place(self, run: str, path: str) -> Path:
        return self._places(run) / "conflicts" / blake2b(path.encode(), digest_size=8).hexdigest()

    # --- verifying ----------------------------------------------------------------------------------

    async def _verify(self, request: Any, task: Task, attempt: Attempt) -> dict[str, Any]:
        command, tree = request["command"], request["tree"]
        asked = encode(["verify", tree, command, request["prefix"], request.get("isolation")])
        key = sha256(asked.encode()).hexdigest()
        if not request["fresh"] and await asyncio.to_thread(self._verified.find, key):
            return {"passed": True, "known": True}
        repository, commit = request["repository"], request["commit"]
        room: Room = await _in_thread(lambda _: self._rooms.take(attempt.run, repository, commit))
        attempt.notice("progress", f"verifying {request['of']}")
        try:
            verdict = await self._verdict(room, request, task, attempt)
        except asyncio.CancelledError:
            # Mostly all of the landing is cancelled, and nothing of it is to be left.
            await asyncio.shield(asyncio.to_thread(self._rooms.abandon, attempt.run, room))
            raise
        except BaseException:
            self._rooms.give_back(attempt.run, room)
            raise
        self._rooms.give_back(attempt.run, room)
        if verdict["passed"]:
            await asyncio.to_thread(self._verified.keep, key, asked, attempt.run, attempt.path)
        return verdict

    async def _verdict(self, room: Room, request: Any, task: Task, attempt: Attempt) -> dict[str, Any]:
        cwd = room.tree / request["prefix"]
        cwd.mkdir(parents=True, exist_ok=True)
        asked = {"command": request["command"], "cwd": str(cwd)}
        if "isolation" in request:
            asked |= {isolation.REQUEST: request["isolation"], isolation.FOLDER: str(room.tree)}
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            await self._commands.perform(Task("run", asked, task.policy), attempt)
        except (ExitFailed, KilledBySignal) as error:
            return {"passed": False, "said": _said(error), "took_s": round(clock() - begun, 3)}
        except AgentUnavailable as error:
            return {"passed": False, "said": error.message, "fix": error.fix, "is_unusable": True}
        return {"passed": True, "took_s": round(clock() - begun, 3)}


def _said(error: StepFailed) -> str:
    """Return how a command ended and its last lines, what it said of failures first."""
    detail = error.detail
    said = (detail["stderr"].strip() or detail["stdout_tail"].strip()).split("\n")
    lines = [line.strip() for line in said if any(map(str.isalnum, line))][-_TAIL_LINES:]
    how = f"killed by {detail['signal']}" if "signal" in detail else f"exit code {detail['exit_code']}"
    return f"{how}: {' / '.join(lines)}"[:_TAIL_CHARS] if any(lines) else how


async def _in_thread(act: Callable[[Callable[[], None]], Any]) -> Any:
    """Have something done in a thread; a cancellation stops it at its next check, and waits for that."""
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise _Stopped

    work = asyncio.get_running_loop().run_in_executor(None, _told, act, check)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # looked at, so that asyncio does not report it
        raise


def _told(act: Callable[[Callable[[], None]], Any], check: Callable[[], None]) -> Any:
    try:
        return act(check)
    except RunError:
        raise
    except OSError as error:
        what = f"`{error.filename}`: " if error.filename else ""
        cls = NoSpace if error.errno == _NO_SPACE else StepFailed
        fix = "see that it can be read and written, then resume the run"
        raise cls(f"{what}{error.strerror or error}", fix=fix) from error

"""The workflow behind `maestri land`: one landing, with conflicts resolved by a command or a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from maestri.kernel.context import Context
from maestri.landing.land import land
from maestri.patterns._registry import BoundBody
from maestri.patterns.workflow import MARK, Meta

LEAVE_OUT = "leave out"


async def landing(
    ctx: Context,
    branches: list[str],
    into: str | None = None,
    verify: str | None = None,
    base: str | None = None,
    mode: Literal["merge", "squash", "rebase"] = "merge",
    resolve: str | None = None,
    ask: bool = False,
    alone: bool = True,
    keep_going: bool = True,
    dry_run: bool = False,
    fresh: bool = False,
    max_concurrent: int | None = None,
    verify_timeout_s: float | None = None,
) -> dict[str, Any]:
    """Land branches; see the pattern `land`.

    Args:
        ctx: The run.
        branches: See there, like what is not named here.
        into: See there.
        verify: See there.
        base: See there.
        mode: See there.
        resolve: A command for the shell that resolves a conflict, in its worktree. It finds the branch in
            `LAND_BRANCH`, the files in conflict in `LAND_FILES`, a line each, and both sides in `LAND_TEXT`.
        ask: Whether a person is asked to resolve conflicts.
        alone: See there.
        keep_going: See there.
        dry_run: See there.
        fresh: See there.
        max_concurrent: See there.
        verify_timeout_s: How long one verification may take, in seconds.
    """
    return await land(
        ctx,
        "land",
        branches,
        into,
        verify=verify,
        base=base,
        mode=mode,
        resolve=_by_command(resolve) if resolve else _by_person if ask else None,
        alone=alone,
        keep_going=keep_going,
        dry_run=dry_run,
        fresh=fresh,
        max_concurrent=max_concurrent,
        verify_timeout=verify_timeout_s,
    )


setattr(landing, MARK, Meta("land", "", None))


def _by_command(command: str) -> BoundBody:
    async def resolve(scope: Context, conflict: Mapping[str, Any], place: str) -> str:
        files = "\n".join(file["path"] for file in conflict["files"])
        env = {"LAND_BRANCH": conflict["branch"], "LAND_FILES": files, "LAND_TEXT": conflict["text"]}
        said: str = await scope.run("command", command, cwd=place, env=env)
        return said

    return resolve


async def _by_person(scope: Context, conflict: Mapping[str, Any], place: str) -> str:
    files = ", ".join(file["path"] for file in conflict["files"])
    question = (
        f"`{conflict['branch']}` conflicts in {files}. Resolve it in {place}; CONFLICT.md beside it explains."
    )
    answer: str = await scope.ask("person", question, ["done", LEAVE_OUT])
    return answer

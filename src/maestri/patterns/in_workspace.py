"""Do a step in a place of its own, and take from there what it may change.

Shape:    worktree: make ── do ── commit to a branch of its own
          copy:     make ── do ── bring back ── remove
          shared:   look ── do ── look again
Journal:  <name>/workspace (the base, the branch), <name>/do, <name>/commit#n (the commit, the files), with a
          copy also <name>/apply and <name>/clean, <name>/stray#n (a person is asked), and one seal for <name>
Cost:     one checkout, or one copy, and one look at the files afterwards
When:     several write at once, what is written must be told from what was there, or may only be in places
Not:      the step only reads; it writes to what is outside of files
Source:   git worktrees and file ownership: seed document 3; workspaces of `compete` and `repair`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from maestri.claims import broken
from maestri.errors import InputInvalid
from maestri.kernel.body import Opening
from maestri.kernel.context import Context
from maestri.kernel.path import join
from maestri.kernel.ports import Task
from maestri.patterns._directory import applied, cleaned, copied
from maestri.patterns._registry import BoundBody, bind
from maestri.records import NamedTuple

RECHECK: Final = "check again"
ACCEPT: Final = "accept"
LEAVE_OUT: Final = "leave out"
GIVE_UP: Final = "give up"


class _Wanted(NamedTuple):
    """What is asked of one place."""

    body: BoundBody
    kind: str
    claims: Sequence[str]
    on_stray: str
    after: Sequence[str]
    directory: str | None
    source: str


async def in_workspace(
    ctx: Context,
    name: str,
    body: BoundBody,
    *,
    workspace: Literal["worktree", "copy", "shared"] = "worktree",
    claims: Sequence[str] = (),
    on_stray: Literal["fail", "block"] = "fail",
    after: Sequence[str] = (),
    dir_: str | None = None,
    source: str = "",
) -> Any:
    """Do something in a place of its own.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        body: What is done, with `dir`, the directory in which it is to work.
        workspace: `worktree` is a git worktree on a branch of its own, `copy` a copy of the directory that is
            brought back at the end, `shared` the directory itself.
        claims: What it may change, as globs from the directory; everything without any.
        on_stray: With other files changed: `fail`, or `block` until a person has decided.
        after: The steps of this scope whose results it builds on; paths of others begin with `/`.
        dir_: The directory; that of the run without it.
        source: Where it is written, as `file:line:col`.

    Returns:
        The output of the body.

    Raises:
        ClaimBroken: It changed files that it may not, and `on_stray` is `fail`, or a person gave it up.
        WorkspaceFailed: A worktree cannot be made, or is not what it was; the class says why.
        DirectoryChanged: The directory that was copied has changed meanwhile; nothing was brought back.
        InputInvalid: There is no such kind of workspace.
    """
    if workspace not in {"worktree", "copy", "shared"}:
        message = f"`{workspace}` is no kind of workspace"
        return await ctx.refuse(name, InputInvalid(message, fix="say `worktree`, `copy` or `shared`"))
    before = [one if one.startswith("/") else join(ctx.path, one) for one in after]
    wanted = _Wanted(body, workspace, list(claims), on_stray, before, dir_, source)
    inside = _in_worktree if workspace == "worktree" else _in_directory
    ctx.prepare(Opening(source))
    return await ctx.scope(name, lambda scope: inside(scope, wanted), pattern="workspace")


async def _in_worktree(scope: Context, wanted: _Wanted) -> Any:
    request = {"verb": "prepare", "claims": wanted.claims, "after": wanted.after}
    request |= {} if wanted.directory is None else {"cwd": wanted.directory}
    made = await scope.perform("workspace", Task("workspace", request, source=wanted.source))
    output = await scope.scope("do", bind(wanted.body, made["dir"]))

    async def commit(word: str) -> Mapping[str, Any]:
        request = {"verb": "commit", "workspace": made, "stray": word}
        return _told(await scope.perform("commit", Task("workspace", request, source=wanted.source)))

    work = await commit("fail" if wanted.on_stray == "fail" else "")
    while work.get("stray") and not work.get("commit"):
        word = await _decided(scope, work["stray"], [RECHECK, ACCEPT, LEAVE_OUT, GIVE_UP])
        work = await commit("" if word == RECHECK else word)
    return output


async def _in_directory(scope: Context, wanted: _Wanted) -> Any:
    """Work in a copy that is brought back, or in the directory itself, which is looked at twice."""
    is_copy = wanted.kind == "copy"
    if is_copy:
        directory = place = await copied(scope, "workspace", wanted.directory)
    else:
        given = {} if wanted.directory is None else {"dir": wanted.directory}
        made = await scope.perform("workspace", Task("directory", {"verb": "watch", **given}))
        directory, place = made["dir"], made["copy"]
    output = await scope.scope("do", bind(wanted.body, directory))
    options = [RECHECK, ACCEPT, *([LEAVE_OUT] if is_copy else []), GIVE_UP]
    left_out: list[str] = []
    while found := await _outside(scope, wanted, place):
        word = await _decided(scope, found, options)
        if word in {ACCEPT, LEAVE_OUT}:
            left_out = [one["path"] for one in found] if word == LEAVE_OUT else []
            break
    if is_copy:
        await applied(scope, "apply", wanted.directory, place, left_out)
    await cleaned(scope, "clean", [place])
    return output


async def _outside(scope: Context, wanted: _Wanted, place: str) -> Sequence[Mapping[str, str]]:
    """Return what was changed in a directory outside of the claims."""
    request = {"verb": "changes", "copy": place, "claims": wanted.claims, "on_stray": wanted.on_stray}
    work = _told(await scope.perform("commit", Task("directory", request, source=wanted.source)))
    found: Sequence[Mapping[str, str]] = work.get("stray", ())
    return found


async def _decided(scope: Context, found: Sequence[Mapping[str, str]], options: list[str]) -> str:
    """Return what a person says of files outside the claims.

    Raises:
        ClaimBroken: It is to fail of that.
    """
    failure = broken(found)
    word: str = await scope.ask("stray", f"{failure.message} ({failure.cause})", options)
    if word == GIVE_UP:
        raise failure
    return word


def _told(output: Any) -> Mapping[str, Any]:
    """Return what a step has told; a person who has decided it by hand may have said nothing of files."""
    return output if isinstance(output, dict) else {}

"""Bring branches together: foretell conflicts, verify each and all, leave out what breaks, move a branch.

Shape:    open ── merge each alone ── forecast ──┬─ verify target ─┬── in line ── together ── prove ── move
                                                 ├─ verify 1 … n ──┤     └ resolve    └ fails: bisect,
                                                 └─ verify all ────┘                    leave one out
Journal:  <name>/try with open, at, merge, forecast, line#n, verify#n (in the order in which they are asked
          for), conflict#n (with show, resolve and take), history, prove, move and clean; <name>/again when it
          is resumed after a failure of its own, and one seal
Cost:     verifications: the target, each branch and all together, and about 2 log2(n) for each set that
          breaks; the merges of a branch take a few hundredths of a second
When:     what several workers have made, each on a branch, is to come together, and nothing may be lost
Not:      there is one branch and nothing to check: a `run` of `git merge`
Source:   integration and handoff: seed document 3; "The Not Rocket Science Rule" (Hoare, 2014); merge queues
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from maestri.diagnostics import Failure
from maestri.errors import InputInvalid, LandingFailed, from_failure, to_failure
from maestri.kernel.context import Context
from maestri.landing import course, steps
from maestri.landing.standing import Order
from maestri.patterns._again import Again
from maestri.patterns._registry import Binds, BoundBody, Command, Items, Seconds, pattern

_VERIFY_TIMEOUT_S = 3600.0


@pattern("land")
async def land(
    ctx: Context,
    name: str,
    branches: Items | None = None,
    into: str | None = None,
    *,
    verify: Command | None = None,
    base: str | None = None,
    mode: Literal["merge", "squash", "rebase"] = "merge",
    resolve: Annotated[BoundBody, Binds(("conflict", "dir"))] | None = None,
    alone: bool = True,
    keep_going: bool = True,
    dry_run: bool = False,
    fresh: bool = False,
    max_concurrent: int | None = None,
    verify_timeout: Seconds | None = _VERIFY_TIMEOUT_S,
) -> dict[str, Any]:
    """Land git branches of the run's repository on another one.

    All of it happens in worktrees of its own; no checkout, index or stash of a user is touched, and no branch
    but `into` is moved. Branches land in the order of what they contain, then of their size.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        branches: Branches, or commits; without it the work of all steps so far that has not landed.
        into: The branch that is moved at the end, if it is where it was in the beginning. It must not be
            checked out anywhere. Without it a new branch `landed/<run>` begins where HEAD is.
        verify: A command for the shell that must end well on each branch alone, and on all of them together.
        base: Where `into` begins when there is no such branch yet.
        mode: What history shows of a branch: a merge, one commit, or its own commits anew.
        resolve: Resolves conflicts, in the worktree `dir`, by editing files: an agent, a command or a person.
            `conflict` has the `branch`, the `files` and a `text` that explains both sides. An answer
            `leave out` leaves the branch out; `done` says that the files are right as they are.
        alone: Whether each branch is verified alone first. Without it a branch that breaks is found by
            bisection, which takes fewer verifications where most branches are good.
        keep_going: Whether the others land when a branch must be left out.
        dry_run: Only merge and foretell: nothing is verified, and nothing moves.
        fresh: Verify also what has passed in an earlier run: trees are known by their content.
        max_concurrent: How many verifications may run at once; as many as there are cores without it.
        verify_timeout: How long one verification may take.

    Returns:
        The `commit` that `into` is at, the branches that have `landed`, those `left_out`, each with `branch`,
        `kind` and `reason`, and those `contained` in the target or in others; further `forecast`, `resolved`,
        `verified` and `proof`.

    Raises:
        LandingRefused: There is nothing to land, or `into` is checked out or not there.
        WorkspaceFailed: There is no repository, or no branch or commit of a name.
        TargetBroken: `verify` does not pass on the target itself.
        VerifyUnusable: `verify` cannot be run, or does not end.
        LandingIncomplete: A branch must be left out, and `keep_going` is off.
        ProofFailed: A change of a branch is not in the result.
        TargetMoved: `into` has moved meanwhile; it was not touched.
        InputInvalid: The list of branches is empty, or one of them is named twice or is `into`.
    """
    try:
        names = None if branches is None else _names(branches, into)
        _refuse_small(max_concurrent)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]
    order = Order(
        names,
        into,
        base,
        verify,
        mode,
        alone,
        keep_going,
        dry_run,
        fresh,
        resolve,
        max_concurrent,
        verify_timeout,
        getattr(verify, "sandbox", None),
    )

    async def inside(scope: Context) -> dict[str, Any]:
        again = Again(scope)
        while True:
            found = await scope.scope("try", lambda inner: _once(inner, order))
            if "failed" not in found:
                return found
            failure = from_failure(Failure.from_json(found["failed"]))
            failure.detail = again.detail(**(failure.detail or {}))
            if not await again.is_due(failure):
                raise failure

    return await ctx.scope(name, inside, pattern="land", total=None)


async def _once(scope: Context, order: Order) -> dict[str, Any]:
    """Land once; return the output, or the `failed` failure with which it ends."""
    standing = await course.begun(scope, order)
    try:
        output = await course.landed(scope, standing)
    except LandingFailed as error:
        if error.path is not None:
            raise  # a step has failed, and is done again when the run is resumed
        output = {"failed": to_failure(error).as_json()}
    if not order.dry_run:
        await steps.cleaned(scope, standing.place)
    return output


def _names(branches: Any, into: str | None) -> list[str]:
    """Return the names of the branches.

    Raises:
        InputInvalid: They are no names, or cannot be landed there.
    """
    if not isinstance(branches, list | tuple) or not branches:
        raise InputInvalid("`branches` is no list of branches", fix="name one or more local branches")
    for place, branch in enumerate(branches):
        if not isinstance(branch, str) or not branch or "\n" in branch:
            raise InputInvalid(f"{branch!r:.80} is not the name of a branch", fix="give a text")
        if branch in branches[:place] or branch == into:
            where = "itself" if branch == into else "twice"
            raise InputInvalid(
                f"the branch `{branch}` cannot be landed {where}", fix="take it out of the list"
            )
    return list(branches)


def _refuse_small(max_concurrent: int | None) -> None:
    if max_concurrent is not None and max_concurrent < 1:
        message = f"`max_concurrent: {max_concurrent}` would let nothing run"
        raise InputInvalid(message, fix="give 1 or more, or leave it out")

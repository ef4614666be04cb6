"""When a crowd of children is done: the join policies that `parallel` and `each` share.

Rule 1: what ends a join early is journaled before anything is cancelled for it.
Rule 2: a failure that the policy accepts appears in the output as `{failed: {code, message, path}}`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

from maestri.errors import InputInvalid, JoinFailed, RunError, Timeout
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan, Settled
from maestri.patterns._deadline import deadline_of
from maestri.records import NamedTuple

WORDS = frozenset({"all", "any", "settled"})
RESERVED = frozenset({"join", "begun", "on_result"})
CONTEST_RESERVED = frozenset(
    {"winner", "begun", "judge", "copy", "apply", "archive", "clean", "changes", "entrants"}
)
Policy: TypeAlias = "Literal['all', 'any', 'settled'] | int"
Key: TypeAlias = "tuple[str, int]"


NOT_ENDED = {"failed": {"code": Timeout.code, "message": "it had not ended at the deadline", "path": None}}


class Join(NamedTuple):
    """What is waited for: `policy` over `total` children, at most `deadline_s`."""

    policy: Policy
    total: int
    deadline_s: float | None = None

    @property
    def needed(self) -> int:
        """How many children must succeed."""
        if self.policy == "any":
            return 1
        return self.policy if isinstance(self.policy, int) else self.total

    def is_lost(self, failed: int) -> bool:
        """Tell whether it cannot succeed any more."""
        return self.policy != "settled" and self.total - failed < self.needed


def check_crowd(total: int, join: Policy, max_concurrent: int | None, names: Iterable[str] = ()) -> None:
    """Refuse what no crowd of this size can meet, and names that the join itself writes under.

    Raises:
        InputInvalid: Names the option and what it may be.
    """
    if max_concurrent is not None and max_concurrent < 1:
        message = f"`max_concurrent: {max_concurrent}` would start nothing"
        raise InputInvalid(message, fix="give a number from 1, or leave it out for no limit")
    if isinstance(join, str) and join not in WORDS:
        message = f"`join: {join}` is not known"
        raise InputInvalid(message, fix="use `all`, `any`, `settled` or a number")
    if not isinstance(join, str) and not 1 <= join <= max(1, total):
        message = f"`join: {join}` cannot be met by {total}"
        raise InputInvalid(message, fix=f"give a number from 1 to {max(1, total)}")
    taken = sorted(RESERVED.intersection(names))
    if taken:
        message = f"`{taken[0]}` cannot be the name of a branch: the join keeps its own record there"
        raise InputInvalid(message, fix="give the branch another name")


def settled_failure(error: RunError) -> dict[str, Any]:
    """Return the form in which an accepted failure appears in an output."""
    return {"failed": {"code": error.code, "message": error.message, "path": error.path}}


async def chosen_before(ctx: Context) -> list[Key] | None:
    """Return the children that an earlier execution has decided for, if it has."""
    found = ctx.recorded("join")
    return None if found is None else [(name, number) for name, number in found]


def again(policy: Policy, chosen: Sequence[Key]) -> Join:
    """Return the join over the children that were decided for: what counts of them has not changed."""
    return Join("settled" if policy == "settled" else "all", len(chosen))


async def gather(
    ctx: Context, fan: Fan, join: Join, on_result: Callable[[Settled], Awaitable[None]] | None = None
) -> dict[Key, Any]:
    """Take the children of a fan as they end until the join is satisfied; return the outputs by child.

    Raises:
        JoinFailed: Too few have succeeded.
    """
    deadline = await deadline_of(ctx, fan, join.deadline_s)
    try:
        found = await _until_enough(ctx, fan, join, on_result)
    finally:
        if deadline is not None:
            deadline.close()
    late = deadline is not None and deadline.is_over
    try:
        return await _joined(ctx, join, found._replace(late=late))
    except RunError as error:
        await fan.cancel()
        error.origins += tuple(origin for unseen in fan.unseen for origin in unseen.origins)
        raise


async def _until_enough(
    ctx: Context, fan: Fan, join: Join, on_result: Callable[[Settled], Awaitable[None]] | None
) -> _Outcome:
    outputs: dict[Key, Any] = {}
    failures: list[RunError] = []
    succeeded: list[Key] = []
    can_be_enough = join.policy not in {"all", "settled"}
    async for settled in fan:
        if on_result is not None:
            await on_result(settled)
        name, number, value, error = settled
        key = (name, number)
        if error is not None:
            failures.append(error)
            outputs[key] = settled_failure(error)
            if join.is_lost(len(failures)):
                break
            continue
        succeeded.append(key)
        outputs[key] = value
        if can_be_enough and len(succeeded) >= join.needed:
            await _decide(ctx, succeeded)
            return _Outcome(outputs, succeeded, failures, is_decided=True)
    return _Outcome(outputs, succeeded, failures)


async def _decide(ctx: Context, chosen: Iterable[Key]) -> None:
    """Record whom the join goes on with, before the others are cancelled for it."""
    await ctx.decide("join", lambda: [list(key) for key in chosen], stored=True)


class _Outcome(NamedTuple):
    outputs: dict[Key, Any]
    succeeded: Sequence[Key]
    failures: Sequence[RunError]
    is_decided: bool = False
    late: bool = False


async def _joined(ctx: Context, join: Join, found: _Outcome) -> dict[Key, Any]:
    """Return the outputs that count.

    Raises:
        JoinFailed: Too few have succeeded.
    """
    missing = join.total - len(found.outputs) if found.late else 0
    if join.policy == "settled":
        if missing and not found.is_decided:
            await _decide(ctx, found.outputs)
        return found.outputs
    if len(found.succeeded) >= join.needed:
        if not found.failures:
            return found.outputs
        return {key: found.outputs[key] for key in found.succeeded}
    if len(found.failures) == 1 and join.policy == "all" and not missing:
        raise found.failures[0]
    raise _failed(join, found, missing)


def _failed(join: Join, found: _Outcome, missing: int) -> JoinFailed:
    wanted = {"all": "all", "any": "one"}.get(str(join.policy), str(join.needed))
    message = f"{len(found.succeeded)} of {join.total} succeeded, and {wanted} had to"
    if missing:
        message += f"; {missing} had not ended at the deadline"
    causes = [f"{error.path}: {error.message}" for error in found.failures[:5]]
    detail: dict[str, Any] = {"failed": [error.path for error in found.failures]}
    fix = "mend what failed and resume the run, or accept fewer with `join`"
    error = JoinFailed(message, cause="; ".join(causes), fix=fix, detail=detail)
    error.origins = tuple(origin for failure in found.failures for origin in failure.origins)
    return error

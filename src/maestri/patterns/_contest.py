"""Several ways to one end: who is still in it, and how it ends, for `fallback`, `race`, `vote` and `compete`.

Rule 1: what ends a contest before all have ended is journaled before anybody is cancelled for it.
Rule 2: a resume after that decision takes up the winner only; what the others left behind is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from maestri.errors import InputInvalid, NoneSucceeded, RunError
from maestri.kernel.body import Body
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan, Settled
from maestri.patterns._deadline import deadline_of
from maestri.patterns._join import CONTEST_RESERVED

RESERVED = frozenset({"winner", "begun", "judge", "copy", "apply", "archive", "clean", "changes", "entrants"})
_NAMED = 5  # failures in the cause of an error
NOT_ACCEPTED = {"message": "its answer was not accepted"}


def check_names(branches: Iterable[str], least: int, max_concurrent: int | None = None) -> None:
    """Refuse too few branches, and names that a contest itself writes under.

    Raises:
        InputInvalid: Says which.
    """
    names = list(branches)
    if len(names) < least:
        wanted = "a branch" if least == 1 else f"{least} branches"
        message = f"it has {len(names)} branches, and needs {wanted} at least"
        raise InputInvalid(message, fix="add a branch, or write the step itself")
    if max_concurrent is not None and max_concurrent < 1:
        message = f"`max_concurrent: {max_concurrent}` would start nothing"
        raise InputInvalid(message, fix="give a number from 1, or leave it out for no limit")
    taken = sorted(CONTEST_RESERVED.intersection(names))
    if taken:
        message = f"`{taken[0]}` cannot be the name of a branch: the contest keeps its own record there"
        raise InputInvalid(message, fix="give the branch another name")


def short_failure(error: RunError) -> dict[str, Any]:
    """Return how the record of a contest names a failure."""
    return {"code": error.code, "message": error.message, "path": error.path}


def none_succeeded(
    failed: Mapping[str, Any], errors: Sequence[RunError], late: Sequence[str] = ()
) -> NoneSucceeded:
    """Return the error of a contest that nobody has won.

    Args:
        failed: How each branch failed, by name.
        errors: The failures themselves: a resume does those branches again.
        late: The branches that had not ended at the deadline.
    """
    total = len(failed) + len(late)
    message = f"none of {total} succeeded" if total > 1 else "the only branch has not succeeded"
    causes = [f"{branch}: {one['message']}" for branch, one in failed.items()][:_NAMED]
    causes += [f"{branch}: it had not ended at the deadline" for branch in late][: _NAMED - len(causes)]
    fix = "mend what failed and resume the run, or add another branch"
    detail = {"failed": dict(failed), **({"late": list(late)} if late else {})}
    found = NoneSucceeded(message, cause="; ".join(causes), fix=fix, detail=detail)
    found.origins = tuple(origin for error in errors for origin in error.origins)
    return found


class Standing:
    """How a contest stands: the answers and the failures so far, by branch, and who has not ended."""

    def __init__(self, branches: Iterable[str]) -> None:
        """Begin with nobody at the end."""
        self.branches = tuple(branches)
        self.answers: dict[str, Any] = {}
        self.failed: dict[str, Any] = {}
        self.errors: list[RunError] = []

    @property
    def open(self) -> list[str]:
        """The branches that have not ended."""
        return [name for name in self.branches if name not in self.answers and name not in self.failed]

    def in_order(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known by branch, in the order in which the branches are written."""
        return {name: found[name] for name in self.branches if name in found}

    def take(self, settled: Settled, *, is_good: Callable[[Any], bool] | None = None) -> None:
        """Take in a branch that has ended."""
        if settled.error is not None:
            self.errors.append(settled.error)
            self.failed[settled.name] = short_failure(settled.error)
        elif is_good is not None and not is_good(settled.value):
            self.failed[settled.name] = NOT_ACCEPTED
        else:
            self.answers[settled.name] = settled.value


async def follow(
    scope: Context,
    fan: Fan,
    standing: Standing,
    deadline_s: float | None,
    is_over: Callable[[], bool],
    *,
    is_good: Callable[[Any], bool] | None = None,
) -> bool:
    """Take the branches as they end until it is over; tell whether the deadline has ended it."""
    deadline = await deadline_of(scope, fan, deadline_s)
    try:
        async for settled in fan:
            standing.take(settled, is_good=is_good)
            if is_over():
                return False
    finally:
        if deadline is not None:
            deadline.close()
    return deadline is not None and deadline.is_over and bool(standing.open)


async def given_up(fan: Fan, error: RunError) -> RunError:
    """Cancel what still runs; return the error, with all that has failed among its origins."""
    await fan.cancel()
    error.origins += tuple(origin for unseen in fan.unseen for origin in unseen.origins)
    return error


async def taken_up(scope: Context, decided: Mapping[str, Any], branches: Mapping[str, Body[Any]]) -> Any:
    """Return the output of the branch that an earlier execution has decided for."""
    scope.add_failures(sum(1 for one in decided.get("failed", {}).values() if "code" in one))
    winner = decided["winner"]
    output = await scope.enter_body(scope.claim(winner), branches[winner])
    scope.forget()
    return output

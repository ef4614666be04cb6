"""The tasks of a landing as calls: what each step asks the agent `landing`, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from maestri.kernel.context import Context
from maestri.kernel.policy import Policy
from maestri.kernel.ports import Task
from maestri.landing.merging import Link
from maestri.records import NamedTuple

_AGENT: Final = "landing"


class Place(NamedTuple):
    """The repository, where the landing begins in it, and the date of its commits."""

    repository: str
    start: str
    at: float


def _task(verb: str, request: Mapping[str, Any]) -> Task:
    return Task(_AGENT, {"verb": verb, **request})


async def opened(scope: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Look what there is to land; see `inspecting.opened`.

    Raises:
        LandingRefused: It cannot be landed where it is to go.
    """
    return await scope.perform("open", _task("open", request))  # type: ignore[no-any-return]


async def merged(
    scope: Context, place: Place, links: Sequence[Link], bases: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Merge each branch alone onto the target; see `merging.merged_alone`.

    Args:
        scope: The scope of the landing.
        place: Its place.
        links: The branches.
        bases: Where each has left the target.
    """
    request = {**_of(place), "onto": place.start, "links": [link.as_json() for link in links]}
    request |= {"bases": dict(bases)}
    return await scope.perform("merge", _task("merge", request))  # type: ignore[no-any-return]


async def forecast(scope: Context, place: Place, commits: Mapping[str, str]) -> dict[str, Any]:
    """Tell which branches will conflict; see `forecast.forecast`."""
    request = {"repository": place.repository, "onto": place.start, "commits": dict(commits)}
    return await scope.perform("forecast", _task("forecast", request))  # type: ignore[no-any-return]


class Line(NamedTuple):
    """Branches that are to be merged one after the other onto a commit; a conflict may end the line."""

    onto: str
    links: Sequence[Link]
    stops: bool = False


async def merged_in_lines(scope: Context, place: Place, lines: Sequence[Line]) -> list[list[dict[str, Any]]]:
    """Merge some lines of branches; see `merging.merged_in_line`."""
    asked = [
        {"onto": line.onto, "stops": line.stops, "links": [link.as_json() for link in line.links]}
        for line in lines
    ]
    return await scope.perform("line", _task("line", {**_of(place), "lines": asked}))  # type: ignore[no-any-return]


async def shown(
    scope: Context, place: Place, onto: str, link: Link, sides: Mapping[str, str]
) -> dict[str, Any]:
    """Make the worktree of a conflict; see `resolving.staged`."""
    request = {**_conflict(scope, place, onto, link), "sides": dict(sides)}
    return await scope.perform("show", _task("conflict", request))  # type: ignore[no-any-return]


async def taken(
    scope: Context, place: Place, onto: str, link: Link, sides: Mapping[str, str], *, is_meant: bool
) -> dict[str, Any]:
    """Take what somebody has made of a conflict; see `resolving.resolved`.

    Raises:
        ConflictLost: The worktree is gone.
    """
    request = {**_conflict(scope, place, onto, link), "at": place.at, "is_meant": is_meant}
    request |= {"start": place.start, "branches": {**sides, link.name: link.tip}}
    return await scope.perform("take", _task("resolved", request))  # type: ignore[no-any-return]


def _conflict(scope: Context, place: Place, onto: str, link: Link) -> dict[str, Any]:
    branch = {"name": link.name, "commit": link.commit}
    return {"repository": place.repository, "onto": onto, "branch": branch, "place": scope.path}


class Tested(NamedTuple):
    """A commit that is to be verified, by its tree; `what` says for people what it is."""

    commit: str
    tree: str
    what: str


def verification(place: Place, tested: Tested, how: Mapping[str, Any], policy: Policy) -> Task:
    """Return the task that verifies a commit: `{passed, said, took_s}`; `known` where it is from before.

    Args:
        place: The place of the landing.
        tested: The commit.
        how: The `command`, the `prefix` of the folder it runs in, whether `fresh`, and its `isolation`.
        policy: How long it may take.
    """
    request = {"repository": place.repository, "commit": tested.commit, "tree": tested.tree}
    return Task(_AGENT, {"verb": "verify", **request, "of": tested.what, **how}, policy)


async def history(
    scope: Context, place: Place, mode: str, line: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Show a line of merges as another history; see `merging.rendered`."""
    request = {**_of(place), "mode": mode, "start": place.start, "line": list(line)}
    return await scope.perform("history", _task("history", request))  # type: ignore[no-any-return]


async def proved(
    scope: Context,
    place: Place,
    result: str,
    branches: Mapping[str, str],
    resolved: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Prove that no change was lost; see `proof.prove`."""
    request: dict[str, Any] = {"repository": place.repository, "base": place.start, "result": result}
    request |= {"branches": dict(branches), "resolved": list(resolved)}
    return await scope.perform("prove", _task("prove", request))  # type: ignore[no-any-return]


async def moved(scope: Context, place: Place, into: str, new: str, old: str, landed: Sequence[str]) -> str:
    """Move the target; return where it is if it is not where it was, else an empty text."""
    request = {"repository": place.repository, "into": into, "new": new, "old": old, "landed": list(landed)}
    found: str = (await scope.perform("move", _task("move", request)))["moved_to"]
    return found


async def cleaned(scope: Context, place: Place) -> None:
    """Remove all worktrees of the landing."""
    await scope.perform("clean", _task("clean", {"repository": place.repository}))


def _of(place: Place) -> dict[str, Any]:
    return {"repository": place.repository, "at": place.at}

"""What git says of what a run has landed: the commits, where the target is now, and the lines of each file.

Rule: a repository may have gone, or be of another form, since; then the report says that, and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from maestri.errors import WorkspaceFailed
from maestri.records import NamedTuple
from maestri.report.closeout.facts import Facts, Landing
from maestri.workspaces.git import Git

_COMMITS: Final = 200
_SHORT: Final = 12


class Landed(NamedTuple):
    """The history of one landing; `now` is where its target is, empty where there is no such branch.

    `commits` are pairs of a hash and a subject, newest first.
    """

    commits: tuple[tuple[str, str], ...] = ()
    now: str = ""
    problem: str = ""


class Lines(NamedTuple):
    """How many lines a file gained and lost; -1 where it holds no text."""

    path: str
    added: int
    removed: int


class History(NamedTuple):
    """What git knows of a run: its landings by their paths, and the files of branches by their names."""

    landings: Mapping[str, Landed] = {}
    branches: Mapping[str, tuple[Lines, ...]] = {}


def history_of(facts: Facts) -> History:
    """Ask git about a run; nothing is changed."""
    branches = {}
    for place in facts.places.values():
        found = _lines(place.repository, place.base, str(place.work.get("commit", "")))
        if found is not None:
            branches[place.branch] = found
    for landing in facts.landings.values():
        for one in landing.opened.get("branches", ()):
            if one["name"] not in branches:
                found = _lines(str(landing.opened.get("repository", "")), one["base"], one["tip"])
                branches |= {} if found is None else {one["name"]: found}
    return History({path: _landed(one) for path, one in facts.landings.items()}, branches)


def _landed(landing: Landing) -> Landed:
    output = landing.output
    if not output.get("landed"):
        return Landed()
    try:
        git = Git(str(landing.opened.get("repository", "")))
        commits = git.commits(output["base"], output["commit"], _COMMITS)
        now = git.ref(f"refs/heads/{output['into']}")
    except (WorkspaceFailed, OSError) as error:
        return Landed(problem=f"git cannot be asked any more: {error}")
    return Landed(tuple((one.hash[:_SHORT], one.subject) for one in commits), now)


def _lines(repository: str, base: str, commit: str) -> tuple[Lines, ...] | None:
    """Return what a commit changes; None where that cannot be told."""
    if not (repository and base and commit):
        return None
    try:
        changes = Git(repository).diff_hunks(base, commit)
    except (WorkspaceFailed, OSError):
        return None
    return tuple(
        Lines(one.change.path, -1, -1)
        if one.is_binary
        else Lines(
            one.change.path,
            sum(len(hunk.added) for hunk in one.hunks),
            sum(len(hunk.removed) for hunk in one.hunks),
        )
        for one in changes
    )

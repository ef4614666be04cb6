"""Lines: branches merged one after the other, each conflict resolved by somebody or its branch left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from maestri.errors import RunError
from maestri.kernel.context import Context
from maestri.kernel.typed import to_plain
from maestri.landing import steps
from maestri.landing.merging import Link
from maestri.landing.standing import Standing
from maestri.landing.steps import Line, Tested
from maestri.patterns._registry import BoundBody, bind
from maestri.records import NamedTuple

_LEAVE_OUT: Final = ("leave out", "leave_out", "no", "skip")
_AS_IT_IS: Final = ("done", "resolved", "yes")
_NAMED: Final = 5


class Merge(NamedTuple):
    """One branch of a line: its merge, and the commit of the line before it."""

    link: Link
    before: str
    commit: str
    tree: str

    @property
    def name(self) -> str:
        """The branch."""
        return self.link.name

    @property
    def again(self) -> Link:
        """The branch as it is to be merged elsewhere, with what its merge here has changed."""
        return self.link._replace(before=self.before, after=self.commit)


def tested(line: Sequence[Merge]) -> Tested:
    """Return what is to be verified of a line: its end."""
    return Tested(line[-1].commit, line[-1].tree, words([merge.name for merge in line]))


def words(names: Sequence[str]) -> str:
    """Return for people which branches a tree has."""
    listed = ", ".join(f"`{name}`" for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{listed}{more} together" if len(names) > 1 else f"{listed} alone"


async def lone(scope: Context, standing: Standing) -> None:
    """Merge each branch alone onto the target; one that conflicts with it is resolved, or left out."""
    links = list(standing.links.values())
    bases = {name: standing.branches[name].base for name in standing.links}
    for found in await steps.merged(scope, standing.place, links, bases) if links else ():
        link = standing.links[found["name"]]
        done: dict[str, Any] | None = found
        if "conflict" in found:
            done = await _decided(scope, standing, standing.place.start, link, found["conflict"], [])
            if done is not None:  # from here on the branch is what somebody has made of it
                standing.links[link.name] = link._replace(commit=done["commit"])
        if done is not None:
            standing.lone[link.name] = Tested(done["commit"], done["tree"], words([link.name]))
    standing.refuse_incomplete()


async def spare(scope: Context, standing: Standing) -> list[Merge]:
    """Return the line that comes out if no branch has to be left out; one that conflicts is passed over."""
    line = Line(standing.place.start, list(standing.links.values()))
    found = (await steps.merged_in_lines(scope, standing.place, [line]))[0]
    made: list[Merge] = []
    onto = line.onto
    for one in found:
        if "conflict" not in one:
            made.append(Merge(standing.links[one["name"]], onto, one["commit"], one["tree"]))
            onto = one["commit"]
    return made


async def line(
    scope: Context, standing: Standing, onto: str, links: Sequence[Link], before: Sequence[Merge] = ()
) -> list[Merge]:
    """Merge branches one after the other.

    Args:
        scope: The scope of the landing.
        standing: Where it stands; what conflicts and is not resolved is left out there.
        onto: The commit to begin on.
        links: The branches.
        before: What is merged in `onto`.

    Raises:
        LandingIncomplete: A branch must be left out, and all or none were to land.
    """
    made, rest = list[Merge](), list(links)
    while rest:
        asked = Line(onto, rest, stops=standing.order.resolve is not None)
        found = (await steps.merged_in_lines(scope, standing.place, [asked]))[0]
        for link, one in zip(rest, found, strict=False):
            done: Mapping[str, Any] | None = one
            if "conflict" in one:
                done = await _decided(scope, standing, onto, link, one["conflict"], [*before, *made])
            if done is not None:
                made.append(Merge(link, onto, done["commit"], done["tree"]))
                onto = done["commit"]
        rest = rest[len(found) :]
    standing.refuse_incomplete()
    return made


async def _decided(
    scope: Context,
    standing: Standing,
    onto: str,
    link: Link,
    conflict: Mapping[str, Any],
    before: Sequence[Merge],
) -> dict[str, Any] | None:
    """Have a conflict resolved, or leave the branch out and return None."""
    landed = [merge.name for merge in before]
    foes = standing.foes(link.name, landed) or landed
    whom = ", ".join(f"`{name}`" for name in foes[:_NAMED]) or f"`{standing.opened['into']}`"
    files = ", ".join(f"`{file}`" for file in conflict["files"][:_NAMED])
    reason = f"it conflicts with {whom} in {files}"
    resolve = standing.order.resolve
    found: dict[str, Any] = {"problem": ""}
    if resolve is not None and not standing.order.dry_run:
        sides = {merge.name: merge.link.tip for merge in before if merge.name in foes}
        sides = sides or {standing.opened["into"]: onto}
        found = await _resolution(scope, standing, onto, link, sides, resolve)
    if "problem" in found:
        said = f"{reason}; {found['problem']}" if found["problem"] else reason
        standing.leave_out(link.name, "conflict", said, files=conflict["files"], others=foes)
        return None
    known = {"branch": link.name, "files": found["files"], "with": foes, "commit": found["commit"]}
    standing.resolved.append(known)
    return found


async def _resolution(
    scope: Context,
    standing: Standing,
    onto: str,
    link: Link,
    sides: Mapping[str, str],
    resolve: BoundBody,
) -> dict[str, Any]:
    """Return what somebody has made of a conflict, or the `problem` with that."""

    async def inside(inner: Context) -> dict[str, Any]:
        shown = await steps.shown(inner, standing.place, onto, link, sides)
        try:
            said = to_plain(await inner.scope("resolve", bind(resolve, shown, shown["dir"])))
        except RunError as error:
            return {"problem": f"its resolver failed: {error.message}"}
        word = said.strip().lower() if isinstance(said, str) else said
        if word is False or word in _LEAVE_OUT:
            return {"problem": "its resolver has left it out"}
        is_meant = word is True or word in _AS_IT_IS
        return await steps.taken(inner, standing.place, onto, link, sides, is_meant=is_meant)

    return await scope.scope("conflict", inside)

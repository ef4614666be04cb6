"""The same task by several approaches, each isolated; a judge ranks them, and the winner's work is kept.

Shape:         ┌─ a ─┐
          ─────┼─ b ─┼── judge ── the winner is kept, the others are archived
               └─ c ─┘
Journal:  <name>/<branch>, <name>/judge, <name>/winner (with ranking, reason and who failed), and one seal for
          <name> that names the price; with `dir` also <name>/copy#n, changes#n, archive#n, apply and clean
          (n: the branch), and <name>/entrants when a deadline ended it
Cost:     all approaches and the judge; with `dir` one copy of the directory each
When:     several approaches are possible, and it is worth the price to compare what comes of them
Not:      a command can tell right from wrong: `repair`; the answers are short: `vote`
Source:   competitive evaluation: seed document 4; best-of-n sampling; tournament selection
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from maestri.errors import InputInvalid, VerdictInvalid
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.kernel.path import join
from maestri.kernel.typed import to_plain
from maestri.patterns._contest import Standing, check_names, follow, given_up, none_succeeded
from maestri.patterns._directory import applied, archived, changes, cleaned, copied
from maestri.patterns._price import price, total
from maestri.patterns._registry import Binds, BoundBodies, BoundBody, Seconds, Value, bind, pattern


@pattern("compete")
async def compete(
    ctx: Context,
    name: str,
    branches: Annotated[BoundBodies, Binds(("dir",))],
    judge: Annotated[BoundBody, Binds(("candidates", "criteria"))],
    criteria: Value,
    *,
    dir_: str | None = None,
    max_concurrent: int | None = None,
    deadline: Seconds | None = None,
) -> dict[str, Any]:
    """Let approaches compete.

    The candidates are what the approaches that succeeded gave, by name: `{output}`, with `dir` also
    `{dir, added, changed, deleted}`, the copy and the files that are new, other and gone in it.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        branches: The approaches by name, each with `dir`: its own copy of the directory, null without `dir`.
        judge: Names the winner among `candidates` by `criteria`: a name, or `{winner, ranking, reason}`.
        criteria: By what the judge is to rank.
        dir_: A directory that each approach gets a copy of; the winner's work is brought back into it.
        max_concurrent: How many may run at once; no limit without it.
        deadline: After this time no approach is waited for any more.

    Returns:
        `{winner, output, ranking, reason, failed, price}`; `price` has the tokens and US dollars by approach,
        as far as they are known, and `total`. With `dir` also `{added, changed, deleted}`, the files that
        were brought back, and `archived`: what the others did, by name, with the artifact of that.

    Raises:
        NoneSucceeded: All approaches failed.
        VerdictInvalid: The judge named somebody who is no candidate.
        DirectoryChanged: The directory has changed meanwhile; nothing was brought back.
        InputInvalid: There are too few approaches, no criteria, or `dir` is not a directory.
    """
    try:
        check_names(branches, 2, max_concurrent)
        _check_criteria(criteria)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    async def attempted(scope: Context, places: Mapping[str, str]) -> Standing:
        standing = Standing(branches)
        known = scope.recorded("entrants")
        if known is not None:
            standing.failed = dict(known["failed"])
        async with Fan(scope, max_concurrent) as fan:
            for branch, body in branches.items():
                if known is None or branch in known["entrants"]:
                    fan.start(branch, bind(body, places.get(branch)))
                else:
                    scope.drop(branch)
            late = await follow(scope, fan, standing, None if known else deadline, lambda: False)
            if not standing.answers:
                failed = standing.in_order(standing.failed)
                raise await given_up(fan, none_succeeded(failed, standing.errors, standing.open))
            if late:
                record = {"entrants": list(standing.answers), "failed": standing.failed}
                await scope.decide("entrants", lambda: record, stored=True)
        if known is not None:
            await scope.decide("entrants", lambda: known)
        return standing

    async def inside(scope: Context) -> dict[str, Any]:
        places = await _copies(scope, branches, dir_)
        standing = await attempted(scope, places)
        candidates = await _candidates(scope, standing, places)
        verdict = await scope.scope("judge", bind(judge, candidates, criteria))
        found = _verdict(verdict, candidates, join(scope.path, "judge"))
        found["failed"] = standing.in_order(standing.failed)
        await scope.decide("winner", lambda: found, stored=True)
        kept = await _kept(scope, found["winner"], dir_, places)
        prices = {branch: await price(scope, branch) for branch in branches}
        scope.remark = {"winner": found["winner"], "price": total(prices)}
        output = {"output": candidates[found["winner"]]["output"], **found}
        return {**output, **kept, "price": {**prices, "total": total(prices)}}

    return await ctx.scope(name, inside, pattern="compete", total=len(branches))


async def _candidates(scope: Context, standing: Standing, places: Mapping[str, str]) -> dict[str, Any]:
    """Return what the judge gets to see of each approach that succeeded."""
    found: dict[str, Any] = {}
    for number, branch in enumerate(standing.branches, 1):
        if branch in standing.answers:
            found[branch] = {"output": to_plain(standing.answers[branch])}
            if branch in places:
                found[branch]["dir"] = places[branch]
                found[branch] |= await changes(scope, number, places[branch])
    return found


async def _copies(scope: Context, branches: Iterable[str], directory: str | None) -> dict[str, str]:
    """Make a copy of the directory for each approach, if there is one."""
    return {branch: await copied(scope, "copy", directory) for branch in branches if directory is not None}


async def _kept(
    scope: Context, winner: str, directory: str | None, places: Mapping[str, str]
) -> dict[str, Any]:
    """Archive what the others did, bring back what the winner did, and remove the copies."""
    if directory is None:
        return {}
    others: dict[str, Any] = {}
    for number, (branch, place) in enumerate(places.items(), 1):
        if branch != winner:
            others[branch] = await archived(scope, number, place, branch)
    brought = await applied(scope, "apply", directory, places[winner])
    await cleaned(scope, "clean", list(places.values()))
    return {**brought, "archived": others}


def _check_criteria(criteria: Any) -> None:
    """Refuse a judge who would not know by what to judge.

    Raises:
        InputInvalid: There are no criteria.
    """
    if criteria in (None, "", [], {}):
        message = "`criteria` says nothing"
        raise InputInvalid(message, fix="say by what the judge is to rank, in words or as a list")


def _verdict(said: Any, candidates: Mapping[str, Any], judge: str) -> dict[str, Any]:
    """Return what a judge has said, in one form.

    Raises:
        VerdictInvalid: It names somebody who is no candidate, or nobody.
    """
    given = to_plain(said)
    if isinstance(given, str):
        given = {"winner": given.strip()}
    winner = given.get("winner") if isinstance(given, dict) else None
    ranking = given.get("ranking") if isinstance(given, dict) else None
    named = [winner, *ranking] if isinstance(ranking, list) else [winner]
    unknown = [one for one in named if not isinstance(one, str) or one not in candidates]
    if not unknown:
        return {"winner": winner, "ranking": ranking, "reason": given.get("reason")}
    listed = ", ".join(f"`{one}`" for one in candidates)
    message = f"the judge named {unknown[0]!r:.60}, and the candidates are {listed}"
    fix = f"have the judge name one of them: `maestri retry RUN {judge}` asks once more"
    error = VerdictInvalid(message, cause=f"it said {given!r:.120}", fix=fix, detail={"said": given})
    error.origins = (judge,)
    raise error

"""Verifying branches: each alone, then all of them together, and who is to blame where that fails."""

from __future__ import annotations

from collections.abc import Sequence

from maestri.errors import TargetBroken, VerifyUnusable
from maestri.kernel.context import Context
from maestri.landing import lines, steps
from maestri.landing.bisect import Probe, Subset, culprits
from maestri.landing.lines import Merge
from maestri.landing.queue import dependants
from maestri.landing.standing import Standing
from maestri.landing.steps import Line, Tested
from maestri.landing.verdicts import Verdict, Verdicts


async def verified(scope: Context, standing: Standing, verdicts: Verdicts) -> list[Merge]:
    """Return the line of branches that pass together.

    What comes out if no branch has to be left out is verified at the same time as the single branches: mostly
    it is what lands, and then nothing is waited for.

    Raises:
        LandingFailed: Nothing can be told of the branches, or one must be left out and none may be.
    """
    if not standing.links:
        return []
    guess = await lines.spare(scope, standing)
    target = await _alone(standing, verdicts, guess)
    if [merge.name for merge in guess] != list(standing.links):
        guess = await lines.line(scope, standing, standing.place.start, list(standing.links.values()))
    return await _together(scope, standing, verdicts, guess, target)


async def _alone(standing: Standing, verdicts: Verdicts, guess: Sequence[Merge]) -> Verdict:
    """Verify the target and each branch alone; leave out what does not pass, and tell of the target.

    Raises:
        VerifyUnusable: The command cannot be run, or does not end.
    """
    names = list(standing.links) if standing.order.alone else []
    together = [lines.tested(guess)] if guess else []
    wanted = [standing.target, *(standing.lone[name] for name in names), *together]
    target, *found = await verdicts.of(wanted)
    if target.is_unusable:
        raise _unusable(verdicts.command.text, target)
    # Where the target itself fails, a branch that fails may be as good as any: together will tell.
    for name, verdict in zip(names, found, strict=False):
        if target.passed and not verdict.passed:
            standing.leave_out(name, "verify", f"it does not pass alone: {verdict.said}")
    standing.refuse_incomplete()
    return target


async def _together(
    scope: Context, standing: Standing, verdicts: Verdicts, line: list[Merge], target: Verdict
) -> list[Merge]:
    """Verify a line; where it fails, leave out the last of the smallest set that breaks, and go on.

    Raises:
        TargetBroken: The target does not pass by itself, so that nobody can be blamed.
    """
    passing = 0
    while line:
        verdict = (await verdicts.of([lines.tested(line)]))[0]
        if verdict.passed:
            break
        if not target.passed:
            raise _broken(standing.opened["into"], verdicts.command.text, target)
        probe = _probe(scope, standing, verdicts, line)
        places = await culprits(len(line), probe, verdicts.command.width, passing)
        # What stands before the last of them has passed: without it the set would not be the smallest.
        passing = places[-1]
        _blame(standing, [line[place].name for place in places], verdict)
        kept = line[: places[-1]]
        onto = kept[-1].commit if kept else standing.place.start
        rest = [merge.again for merge in line[places[-1] + 1 :] if merge.name in standing.links]
        line = [*kept, *await lines.line(scope, standing, onto, rest, kept)]
    return line


def _blame(standing: Standing, names: Sequence[str], verdict: Verdict) -> None:
    """Leave out the last of some branches that break together, and whatever contains it."""
    *others, last = names
    if others:
        listed = ", ".join(f"`{name}`" for name in others)
        reason = f"it breaks together with {listed}: {verdict.said}"
        standing.leave_out(last, "combination", reason, others=others)
    else:
        standing.leave_out(last, "verify", f"it does not pass: {verdict.said}")
    for name, needed in dependants(list(standing.branches.values()), [last]).items():
        if name in standing.links:
            standing.leave_out(name, "needs", f"it contains `{needed}`, which is left out", others=[needed])
    standing.refuse_incomplete()


def _probe(scope: Context, standing: Standing, verdicts: Verdicts, line: Sequence[Merge]) -> Probe:
    """Return what tells which subsets of a line fail."""

    async def fails(subsets: Sequence[Subset]) -> list[bool]:
        found = await _trees(scope, standing, line, subsets)
        known = iter(await verdicts.of([one for one in found if one is not None]))
        # A set that cannot be merged by itself tells nothing: more of the line is needed for it.
        return [one is not None and not next(known).passed for one in found]

    return fails


async def _trees(
    scope: Context, standing: Standing, line: Sequence[Merge], subsets: Sequence[Subset]
) -> list[Tested | None]:
    """Return the trees of some subsets of a line; None for one that cannot be merged."""
    starts = [line[one.first - 1].commit if one.first else standing.place.start for one in subsets]
    asked = [
        Line(start, [line[place].again for place in one.further])
        for start, one in zip(starts, subsets, strict=True)
        if one.further
    ]
    merged = iter(await steps.merged_in_lines(scope, standing.place, asked) if asked else ())
    found: list[Tested | None] = []
    for one in subsets:
        if not one.further:
            found.append(lines.tested(line[: one.first]))
            continue
        links = next(merged)
        names = [*(merge.name for merge in line[: one.first]), *(link["name"] for link in links)]
        is_whole = not any("conflict" in link for link in links)
        last = links[-1]
        found.append(Tested(last["commit"], last["tree"], lines.words(names)) if is_whole else None)
    return found


def _broken(into: str, command: str, target: Verdict) -> TargetBroken:
    message = f"`{command}` does not pass on `{into}` as it is, without any branch"
    return TargetBroken(message, cause=target.said, fix="mend that first, or verify with what passes there")


def _unusable(command: str, target: Verdict) -> VerifyUnusable:
    message = f"`{command}` tells nothing of branches: {target.said}"
    cause = "it was tried on the target as it is, without any branch"
    fix = "see that it runs in a fresh checkout, and that it ends in time (`verify_timeout`)"
    return VerifyUnusable(message, cause=cause, fix=fix)

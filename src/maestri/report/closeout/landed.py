"""The landings of a run: what landed with its proof, conflicts with their ends, tests before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from maestri.report.closeout.document import Block, Paragraph, Points, Table
from maestri.report.closeout.facts import Facts, Landing
from maestri.report.closeout.history import History
from maestri.report.wording import counted, duration

_SHORT: Final = 12
_MOST: Final = 50
_SAID: Final = {True: "pass", False: "fail", None: "not run"}


def headline(landing: Landing) -> str:
    """Return in one line what a landing has come to."""
    if landing.failure is not None:
        return f"failed: {landing.failure.get('message', '')}; nothing was moved"
    output = landing.output
    if not output:
        return "has not ended; nothing was moved"
    count, out = len(output.get("landed", ())), len(output.get("left_out", ()))
    if output.get("dry_run"):
        return "a dry run: nothing was to be moved"
    if not count:
        return f"nothing landed, {out} left out; `{output.get('into', '')}` was not touched"
    return f"{count} of {count + out} landed on `{output['into']}`, at {output['commit'][:_SHORT]}"


def landed(facts: Facts, history: History) -> tuple[Block, ...]:
    """Return what landed, with commits and proof; nothing where the run has no landing."""
    blocks: list[Block] = []
    for path, landing in facts.landings.items():
        blocks.append(Paragraph(f"`{path}`: {headline(landing)}."))
        output = landing.output
        names = output.get("landed", ())
        if not names:
            continue
        rows = tuple(_row(name, output) for name in names)
        heads = ("branch", "worker", "commit", "files", "lines", "alone")
        blocks.append(Table(heads, rows, (3, 4)))
        blocks += _proof(output.get("proof"))
        blocks += _commits(landing, history)
        blocks += [Points(tuple(str(note) for note in output["notes"]))] if output.get("notes") else []
    return tuple(blocks)


def _row(name: str, output: Mapping[str, Any]) -> tuple[str, ...]:
    branch = output.get("branches", {}).get(name, {})
    alone = branch.get("alone") or {}
    took = f" in {duration(alone['took_s'])}" if alone.get("took_s") is not None else ""
    return (
        name,
        branch.get("workspace") or "-",
        str(branch.get("tip", ""))[:_SHORT],
        str(branch.get("files", "")),
        str(branch.get("lines", "")),
        f"{_SAID[alone.get('passed')]}{took}",
    )


def _proof(proof: Any) -> Iterator[Block]:
    """Yield what was proved of a landing, with each change that is not simply in the result."""
    if not isinstance(proof, dict):
        yield Paragraph("Nothing was proved of it.")
        return
    lost, listed = proof.get("lost", ()), proof.get("listed", ())
    if not proof.get("proved"):
        yield Paragraph(f"The proof failed: {counted(len(lost), 'change')} of the branches are missing.")
    else:
        total = proof.get("hunks")
        found = (
            f": {proof.get('present', total):,} of {counted(total, 'hunk')} are there as they were made"
            if total
            else ""
        )
        why = (
            f", and {len(listed):,} {'has' if len(listed) == 1 else 'have'} a reason not to be"
            if listed
            else ""
        )
        yield Paragraph(f"Proved: no change of these branches is missing in the result{found}{why}.")
    texts = [str(one.get("text", one)) if isinstance(one, dict) else str(one) for one in (*lost, *listed)]
    if texts:
        yield Points(tuple(texts[:_MOST]))
    if len(texts) > _MOST:
        yield Paragraph(f"... and {len(texts) - _MOST:,} more")


def _commits(landing: Landing, history: History) -> Iterator[Block]:
    found = history.landings.get(landing.path)
    if found is None:
        return
    if found.problem:
        yield Paragraph(found.problem)
        return
    yield Table(("commit", "subject"), found.commits[:_MOST])
    if len(found.commits) > _MOST:
        yield Paragraph(f"... and {counted(len(found.commits) - _MOST, 'more commit')}")
    into, at = landing.output["into"], landing.output["commit"]
    if not found.now:
        yield Paragraph(f"There is no branch `{into}` any more; the commits stay as long as git keeps them.")
    elif found.now != at:
        yield Paragraph(f"`{into}` has moved on since, to {found.now[:_SHORT]}.")


def conflicts(facts: Facts) -> tuple[Block, ...]:
    """Return which conflicts were foretold, which there were, and what became of each."""
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for landing in facts.landings.values():
        output = landing.output
        for one in output.get("resolved", ()):
            end = f"resolved in commit {str(one.get('commit', ''))[:_SHORT]}"
            rows.append((one["branch"], _listed(one.get("with")), _listed(one.get("files")), end))
        for one in output.get("left_out", ()):
            if one.get("kind") == "conflict":
                files, others = _listed(one.get("files")), _listed(one.get("others"))
                rows.append((one["branch"], others, files, "not resolved: the branch was left out"))
        notes += _foretold(output.get("forecast"))
    blocks: list[Block] = [Table(("branch", "conflicts with", "files", "end"), tuple(rows))] if rows else []
    blocks += [Points(tuple(notes[:_MOST]))] if notes else []
    if blocks:
        return tuple(blocks)
    return (Paragraph("There were none." if facts.landings else "Nothing was brought together."),)


def _foretold(forecast: Any) -> Iterator[str]:
    if not isinstance(forecast, dict):
        return
    for one in forecast.get("conflicts", ()):
        yield f"foretold: {_listed(one['branches'], ' and ')} conflict in {_listed(one['files'])}"
    for one in forecast.get("overlaps", ()):
        both = _listed(one["branches"], " and ")
        yield f"foretold: {both} both change {_listed(one['files'])}, without a conflict"


def tests(facts: Facts) -> tuple[Block, ...]:
    """Return what verifying said of the target before, of each branch alone, and of the result."""
    blocks: list[Block] = []
    for landing in facts.landings.values():
        verified = landing.output.get("verified")
        if not isinstance(verified, dict):
            continue
        after = verified.get("after") if landing.output.get("landed") else None
        rows = [("the target before", _SAID[verified.get("before")])]
        for name, branch in landing.output.get("branches", {}).items():
            alone = branch.get("alone")
            rows.append((f"{name} alone", _SAID[alone.get("passed") if alone else None]))
        rows.append(("all that landed, together", _SAID[after]))
        known = f", {verified['known']} known from before" if verified.get("known") else ""
        ran = counted(verified.get("ran", 0), "verification")
        blocks.append(
            Paragraph(
                f"`{verified.get('command', '')}`: {ran} in {duration(verified.get('took_s', 0))}{known}."
            )
        )
        blocks.append(Table(("of", "the command"), tuple(rows)))
    return tuple(blocks) or (Paragraph("No landing of this run verified anything."),)


def _listed(values: Sequence[Any] | None, by: str = ", ") -> str:
    return by.join(f"`{value}`" for value in values or ()) or "-"

"""What a run leaves to others: what was not done and why, and what somebody can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maestri.kernel import state
from maestri.report.closeout.document import Block, Paragraph, Points, Table
from maestri.report.closeout.facts import Facts, Landing
from maestri.report.closeout.history import History
from maestri.report.closeout.plan import Plan
from maestri.report.wording import counted

_MOST: Final = 100
_TO_DO: Final = {
    "conflict": "resolve the conflict of `{branch}`, then land it: `maestri land {branch} --into {into}`",
    "verify": "mend `{branch}`, then land it: `maestri land {branch} --into {into}`",
    "combination": "make `{branch}` fit what landed, then land it: `maestri land {branch} --into {into}`",
    "needs": "land `{branch}` when what it needs has landed: `maestri land {branch} --into {into}`",
}


def not_done(facts: Facts, plan: Plan, status: str) -> tuple[Block, ...]:
    """Return what failed, was left out or never began, each with its reason."""
    rows: list[tuple[str, str, str]] = []
    for path, failure in facts.causes():
        cause = f" ({failure['cause']})" if failure.get("cause") else ""
        rows.append((path, f"failed, {failure.get('code', '')}", f"{failure.get('message', '')}{cause}"))
    for landing in facts.landings.values():
        for one in landing.output.get("left_out", ()):
            ended = f"left out, {one.get('kind')}"
            rows.append((str(one.get("branch")), ended, str(one.get("reason", ""))))
    for path, step in facts.tree.run.steps.items():
        if step.is_scope:
            continue
        if step.state in {state.CANCELLED, state.INTERRUPTED, state.RUNNING, state.BLOCKED, state.READY}:
            rows.append((path, step.state, step.note or "-"))
        elif step.state == state.SKIPPED:
            why = (
                f"because of {step.note}" if step.note.startswith("/") else _SKIPPED.get(step.note, step.note)
            )
            rows.append((path, "skipped", why))
    if status != state.SUCCEEDED:
        begun = facts.begun_by()
        rows += [
            (one.name, "never began", "the run did not come to it")
            for one in plan.asked
            if not one.place(begun)
        ]
    if not rows:
        return (Paragraph("Everything was done." if status == state.SUCCEEDED else "No step says why."),)
    rest = [Paragraph(f"... and {counted(len(rows) - _MOST, 'more line')}")] if len(rows) > _MOST else []
    return (Table(("what", "how it ended", "why"), tuple(rows[:_MOST])), *rest)


_SKIPPED: Final = {
    "when": "its condition did not hold",
    "dependency": "something that it needs was skipped",
    "by-hand": "somebody decided so",
    "timeout": "the time for an answer was up",
}


def next_steps(facts: Facts, history: History, run: str, status: str) -> tuple[Block, ...]:
    """Return what somebody can do, with the command for it."""
    found = list(_of_run(facts, run, status))
    for path, landing in facts.landings.items():
        found += _of_landing(landing, history, path)
    found += _of_failures(facts, status)
    if any(place.work.get("commit") for place in facts.places.values()):
        found.append(
            f"remove the workspaces of this run when they are not needed: `maestri workspaces clean {run}`"
        )
    return (Points(tuple(dict.fromkeys(found))),) if found else (Paragraph("Nothing is left to do."),)


def _of_run(facts: Facts, run: str, status: str) -> Iterator[str]:
    for path, wait in facts.tree.waits.items():
        if wait.question:
            yield f"answer `{path}`: `maestri answer {run} {path} VALUE`"
        elif wait.hold:
            yield f"settle what blocks `{path}`, then: `maestri unblock {run} {path}`"
    if status in {state.INTERRUPTED, state.FAILED, state.CANCELLED}:
        yield f"go on with what was not done: `maestri resume {run}`; what succeeded is not done again"


def _of_failures(facts: Facts, status: str) -> Iterator[str]:
    for path, failure in facts.causes():
        # Of a run that has succeeded nothing can be resumed: what failed was handled.
        if failure.get("fix") and status != state.SUCCEEDED:
            yield f"`{path}`: {failure['fix']}"
    for place in facts.places.values():
        aside = place.work.get("aside")
        if aside:
            yield f"look at what `{place.path}` did outside of its claims: `git show {aside}`"


def _of_landing(landing: Landing, history: History, path: str) -> Iterator[str]:
    output = landing.output
    into, branches = output.get("into", ""), output.get("landed", ())
    if branches:
        found = history.landings.get(path)
        if found is None or found.now:
            yield f"look at the result, `git log --graph {into}`, and take it: `git merge {into}`"
    for one in output.get("left_out", ()):
        said = _TO_DO.get(str(one.get("kind")))
        if said is not None:
            yield said.format(branch=one.get("branch"), into=into)

"""The closeout of a run as a document: facts, plan and history in the order in which people ask for them.

Rule: a section says what it knows, and where it knows nothing it says that: an empty heading would leave open
whether nothing happened or nothing was looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from maestri.kernel import state
from maestri.records import NamedTuple
from maestri.report.closeout import figures, landed
from maestri.report.closeout.document import Block, Document, Paragraph, Points, Section, Table, Verbatim
from maestri.report.closeout.facts import Facts
from maestri.report.closeout.handoff import next_steps, not_done
from maestri.report.closeout.history import History
from maestri.report.closeout.plan import Plan
from maestri.report.output import pretty
from maestri.report.wording import counted, cut, date, duration, one_line

_ASKED: Final = 60
_FILES: Final = 100
_WORDS: Final = 100
_COLUMNS: Final = 300


class Subject(NamedTuple):
    """The run that a report is about; times are in seconds since 1970, `ended` is now where it goes on."""

    name: str
    id: str
    workflow: str
    status: str
    cwd: str
    started: float
    ended: float


def closeout(subject: Subject, facts: Facts, plan: Plan, history: History) -> Document:
    """Return the closeout report of a run.

    Args:
        subject: The run.
        facts: What its journal says.
        plan: What its definition says.
        history: What git says.
    """
    sections = (
        Section("What was asked", _asked(facts, plan)),
        Section("What landed", landed.landed(facts, history) or _output(subject, facts)),
        Section("What did not, and why", not_done(facts, plan, subject.status)),
        Section("Conflicts, and how they were solved", landed.conflicts(facts)),
        Section("Tests before and after", landed.tests(facts)),
        Section("Files by worker", _files(facts, history)),
        Section("Time, tokens and money: planned and actual", figures.figures(facts, plan, subject)),
        Section("Interruptions and decisions", _words(facts)),
        Section("What to do next", next_steps(facts, history, subject.name, subject.status)),
    )
    return Document(f"Closeout of {subject.name}: {subject.workflow}", tuple(_head(subject, facts)), sections)


def _head(subject: Subject, facts: Facts) -> Iterator[tuple[str, str]]:
    steps = [step for step in facts.tree.run.steps.values() if not step.is_scope]
    done = sum(step.state == state.SUCCEEDED for step in steps)
    told = f"{subject.status}; {done} of {counted(len(steps), 'step')} succeeded"
    if facts.tree.run.handled:
        told += f", {counted(facts.tree.run.handled, 'failure')} handled"
    if facts.restarts:
        told += f", interrupted {counted(facts.restarts, 'time')} and resumed"
    yield "status", told
    for landing in facts.landings.values():
        yield "landing", landed.headline(landing)
    yield "started", date(subject.started)
    yield "took", duration(subject.ended - subject.started)
    yield "folder", subject.cwd
    definition = facts.begun.get("definition")
    if isinstance(definition, dict):
        yield "definition", str(definition.get("shown_as") or definition.get("function") or "")
    yield "run", subject.id


def _asked(facts: Facts, plan: Plan) -> tuple[Block, ...]:
    blocks: list[Block] = [Paragraph(plan.description)] if plan.description else []
    inputs = facts.begun.get("inputs")
    if isinstance(inputs, dict) and inputs:
        rows = tuple((name, cut(_shown(value), _COLUMNS)) for name, value in inputs.items())
        blocks.append(Table(("input", "value"), rows))
    if plan.asked:
        begun = facts.begun_by()
        asked = tuple(
            (one.place(begun) or one.name, one.who, cut(one_line(one.text), _COLUMNS) or "-")
            for one in plan.asked[:_ASKED]
        )
        blocks.append(Table(("step", "done by", "asked for"), asked))
        blocks += _rest(len(plan.asked) - _ASKED, "step")
    if not blocks:
        blocks.append(Paragraph("The definition is Python, and the run had no inputs."))
    return tuple(blocks)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _output(subject: Subject, facts: Facts) -> tuple[Block, ...]:
    """Return what a run without a landing has come to."""
    blocks: list[Block] = [Paragraph("This run landed nothing: no step of it is a `land` that has ended.")]
    if facts.tree.run.output is not None:
        shown = pretty(facts.tree.run.output, f"maestri show {subject.name} --json")
        blocks += [Paragraph("Its output:"), Verbatim(shown)]
    return tuple(blocks)


def _files(facts: Facts, history: History) -> tuple[Block, ...]:
    rows: list[tuple[str, ...]] = []
    seen = set()
    for place in facts.places.values():
        seen.add(place.branch)
        lines = {one.path: one for one in history.branches.get(place.branch, ())}
        for file in place.files:
            one = lines.get(file[1:])
            added, removed = ("", "") if one is None else _counts(one.added, one.removed)
            rows.append((place.path, _SIGNS[file[0]], file[1:], added, removed))
        rows += [(place.path, "not allowed", stray, "", "") for stray in place.strays]
        if not (place.files or place.strays):
            rows.append((place.path, "nothing", "-", "", ""))
    for branch, files in history.branches.items():
        if branch not in seen:
            rows += [(branch, "changed", one.path, *_counts(one.added, one.removed)) for one in files]
    if not rows:
        return (
            Paragraph("No step worked in a workspace of its own, so that files cannot be told by worker."),
        )
    heads = ("worker", "did", "file", "lines added", "removed")
    return (Table(heads, tuple(rows[:_FILES]), (3, 4)), *_rest(len(rows) - _FILES, "file"))


_SIGNS: Final = {"+": "added", "~": "changed", "-": "deleted"}


def _counts(added: int, removed: int) -> tuple[str, str]:
    return ("binary", "") if added < 0 else (f"+{added}", f"-{removed}")


def _words(facts: Facts) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if facts.words:
        rows = tuple((date(word.at), word.text) for word in facts.words[:_WORDS])
        blocks = [Table(("when", "what"), rows), *_rest(len(facts.words) - _WORDS, "line")]
    if facts.retried:
        blocks.append(
            Points(
                tuple(f"`{path}` was tried {times + 1} times" for path, times in facts.retried.items())[
                    :_WORDS
                ]
            )
        )
    return tuple(blocks) or (Paragraph("Nothing interrupted the run, and nobody had to decide anything."),)


def _rest(count: int, what: str) -> Sequence[Block]:
    return [Paragraph(f"... and {counted(count, f'more {what}')}")] if count > 0 else []

"""The page of a campaign: every count, and what each of them takes to be repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Outcome(NamedTuple):
    """What came of one program: how much of it was done, what was counted, why it is not all."""

    name: str
    unit: str
    target: int
    done: int = 0
    rounds: int = 0
    tests: int = 0
    counts: Mapping[str, Counter[str]] = {}
    skipped: Sequence[str] = ()
    spent_s: float = 0.0
    missing: Sequence[str] = ()
    failure: str = ""

    @property
    def word(self) -> str:
        """The outcome in a word."""
        if self.failure:
            return "BROKEN"
        if self.missing:
            return "missing"
        return "held" if self.done >= self.target else "partly"


class Page(NamedTuple):
    """All that stands on the page."""

    date: str
    commit: str
    seed: int
    scale: str
    machine: Mapping[str, str]
    outcomes: Sequence[Outcome]
    compared: str = ""


def written(page: Page) -> str:
    """Return the page as Markdown."""
    broken = sum(outcome.word == "BROKEN" for outcome in page.outcomes)
    verdict = (
        f"{broken} of {len(page.outcomes)} programs broke a promise." if broken else "No promise was broken."
    )
    changed = " with uncommitted changes" if page.commit.endswith("+") else ""
    commit = f"Commit `{page.commit.rstrip('+')}`{changed}"
    settings = f"{commit}, scale `{page.scale}`, first seed {page.seed}."
    parts = [
        f"# Campaign of {page.date}\n",
        f"{verdict} {settings}\n",
        "## The machine\n",
        "\n".join(f"- {name}: {value}" for name, value in page.machine.items()) + "\n",
        "## What is wanted, and what was reached\n",
        page.compared,
        "## What was done\n",
        _table(page.outcomes),
        "## What was counted\n",
        _counts(page.outcomes),
        "## What is missing\n",
        _missing(page),
    ]
    failures = [outcome for outcome in page.outcomes if outcome.failure]
    if failures:
        parts += ["## What broke\n", "\n".join(_failure(outcome) for outcome in failures)]
    return "\n".join(parts)


def _table(outcomes: Sequence[Outcome]) -> str:
    rows = [
        "| program | outcome | done | of | unit | rounds | tests | time |",
        "|---|---|--:|--:|---|--:|--:|--:|",
    ]
    rows += [
        f"| {one.name} | {one.word} | {one.done:,} | {one.target:,} | {one.unit} | {one.rounds:,} "
        f"| {one.tests:,} | {one.spent_s:,.0f} s |"
        for one in outcomes
    ]
    return "\n".join(rows) + "\n"


def _counts(outcomes: Sequence[Outcome]) -> str:
    lines = [
        f"- {name}: "
        + ", ".join(f"{word.replace('_', ' ')} {_number(count)}" for word, count in counts.items())
        for outcome in outcomes
        for name, counts in outcome.counts.items()
    ]
    return "\n".join(lines or ["Nothing."]) + "\n"


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _missing(page: Page) -> str:
    lines = [f"- {one.name}: this machine or checkout lacks {', '.join(one.missing)}" for one in page.outcomes
             if one.missing]  # fmt: skip
    lines += [f"- {one.name}: skipped, because {reason}" for one in page.outcomes for reason in one.skipped]
    lines += [f"- {one.name}: the time was up after {one.done:,} of {one.target:,}" for one in page.outcomes
              if one.word == "partly"]  # fmt: skip
    return "\n".join(lines or ["Nothing."]) + "\n"


def _failure(outcome: Outcome) -> str:
    return f"### {outcome.name}\n\n```text\n{outcome.failure.replace('```', '` ` `').rstrip()}\n```\n"

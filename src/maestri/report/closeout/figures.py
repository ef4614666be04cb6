"""Time, tokens and money, as planned and as they came: of the run, of each estimate, and of each worker."""

from __future__ import annotations

from typing import Final, Protocol

from maestri.kernel import state
from maestri.kernel.path import ROOT, ancestors, is_within
from maestri.report.closeout.document import Block, Paragraph, Table
from maestri.report.closeout.facts import Facts, Spent
from maestri.report.closeout.plan import Asked, Plan
from maestri.report.outline import elapsed_s
from maestri.report.wording import counted, duration

_WORKERS: Final = 40
_NOT_KNOWN: Final = "-"


class Span(Protocol):
    """When a run began and ended, in seconds since 1970."""

    @property
    def started(self) -> float:
        """The beginning."""
        ...

    @property
    def ended(self) -> float:
        """The end, or now."""
        ...


def figures(facts: Facts, plan: Plan, span: Span) -> tuple[Block, ...]:
    """Return what the run was expected to take, and what it took."""
    blocks: list[Block] = [Table(("", "planned", "actual"), tuple(_totals(facts, plan, span)), (1, 2))]
    estimated = [one for one in plan.asked if one.estimate is not None]
    if estimated:
        begun = facts.begun_by()
        rows = tuple((one.place(begun) or one.name, *_estimated(facts, one, span.ended)) for one in estimated)
        heads = ("estimate of", "time planned", "actual", "tokens planned", "actual", "USD planned", "actual")
        blocks.append(Table(heads, rows, (1, 2, 3, 4, 5, 6)))
    else:
        blocks.append(Paragraph("The definition has no `estimate` for any step, so nothing was planned."))
    blocks.append(_workers(facts, span.ended))
    if facts.spent_within(ROOT) == Spent():
        blocks.append(Paragraph("No agent of this run says what it used; `-` is not known, and not zero."))
    return tuple(blocks)


def _totals(facts: Facts, plan: Plan, span: Span) -> list[tuple[str, str, str]]:
    estimates = [one.estimate for one in plan.asked if one.estimate is not None]
    times = [one.duration_s for one in estimates if one.duration_s is not None]
    tokens = [one.tokens for one in estimates if one.tokens is not None]
    usd = [one.usd for one in estimates if one.usd is not None]
    steps = [step for step in facts.tree.run.steps.values() if not step.is_scope]
    worked_s = sum(elapsed_s(step, span.ended) or 0.0 for step in steps if step.state != state.PENDING)
    limit = _NOT_KNOWN if plan.timeout_s is None else f"at most {duration(plan.timeout_s)}"
    spent = facts.spent_within(ROOT)
    return [
        ("from beginning to end", limit, duration(span.ended - span.started)),
        ("all steps together", _time(sum(times) if times else None), duration(worked_s)),
        ("tokens", _count(sum(tokens) if tokens else None), _count(spent.tokens)),
        ("money, USD", _money(sum(usd) if usd else None), _money(spent.usd)),
    ]


def _estimated(facts: Facts, asked: Asked, now: float) -> tuple[str, ...]:
    """Return the figures of one estimate; a step that ran several times counts with all of them."""
    steps = facts.tree.run.steps
    own = {path for path, step in steps.items() if step.source == asked.source}
    outer = [path for path in own if own.isdisjoint(ancestors(path))]
    spent = [facts.spent_within(path) for path in outer]
    times = [elapsed_s(steps[path], now) for path in outer]
    known = [time for time in times if time is not None]
    estimate = asked.estimate
    tokens = [one.tokens for one in spent if one.tokens is not None]
    usd = [one.usd for one in spent if one.usd is not None]
    return (
        _time(estimate.duration_s if estimate else None),
        _time(sum(known) if known else None),
        _count(estimate.tokens if estimate else None),
        _count(sum(tokens) if tokens else None),
        _money(estimate.usd if estimate else None),
        _money(sum(usd) if usd else None),
    )


def _workers(facts: Facts, now: float) -> Block:
    """Return who worked how long: the places of work, else the steps that took longest."""
    steps = facts.tree.run.steps
    chosen = [steps[path] for path in facts.places if path in steps]
    if not chosen:
        own = [step for step in steps.values() if not step.is_scope and step.state != state.PENDING]
        chosen = sorted(own, key=lambda step: -(elapsed_s(step, now) or 0.0))
    rows = []
    for step in chosen[:_WORKERS]:
        spent = facts.spent_within(step.path)
        tries = sum(n for path, n in facts.retried.items() if path == step.path or is_within(path, step.path))
        took = elapsed_s(step, now)
        again = f", {counted(tries, 'retry').replace('retrys', 'retries')}" if tries else ""
        rows.append((step.path, f"{step.state}{again}", _time(took), _count(spent.tokens), _money(spent.usd)))
    if len(chosen) > _WORKERS:
        left = chosen[_WORKERS:]
        took_s = sum(elapsed_s(step, now) or 0.0 for step in left)
        rows.append((f"{len(left):,} more", "", duration(took_s), _NOT_KNOWN, _NOT_KNOWN))
    return Table(("worker", "end", "time", "tokens", "USD"), tuple(rows), (2, 3, 4))


def _time(seconds: float | None) -> str:
    return _NOT_KNOWN if seconds is None else duration(seconds)


def _count(number: int | None) -> str:
    return _NOT_KNOWN if number is None else f"{number:,}"


def _money(usd: float | None) -> str:
    return _NOT_KNOWN if usd is None else f"{usd:.2f}" if usd >= 0.01 or not usd else f"{usd:.4f}"

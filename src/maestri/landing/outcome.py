"""What a landing tells in the end: the output of the pattern, for workflows and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestri.landing.lines import Merge
from maestri.landing.queue import Branch
from maestri.landing.standing import Standing
from maestri.landing.verdicts import Verdicts


def told(standing: Standing, line: Sequence[Merge], verdicts: Verdicts | None) -> dict[str, Any]:
    """Return the output of a landing, with the target where it was.

    Args:
        standing: Where it stands.
        line: What has landed.
        verdicts: What verifying has said, if anything was verified.
    """
    opened = standing.opened
    landed = [merge.name for merge in line]
    within = _within([standing.branches[name] for name in landed], standing.left_out)
    return {
        "commit": opened["old"] or opened["start"],
        "into": opened["into"],
        "base": opened["start"],
        "landed": landed,
        "left_out": [standing.left_out[name] for name in _left_out(standing) if name not in within],
        "contained": [*opened["contained"], *within],
        "order": list(standing.branches),
        "branches": {name: _branch(standing, name, verdicts) for name in standing.branches},
        "resolved": [one for one in standing.resolved if one["branch"] in landed],
        "forecast": dict(standing.forecast),
        "verified": None if verdicts is None else _verified(standing, line, verdicts),
        "squashed": [],
        "proof": None,
        "mode": standing.order.mode,
        "dry_run": standing.order.dry_run,
        "notes": list(opened["notes"]),
    }


def _left_out(standing: Standing) -> list[str]:
    """Return the branches that were left out: what could not be tried first, the others in order."""
    tried = [name for name in standing.branches if name in standing.left_out]
    return [*(name for name in standing.left_out if name not in tried), *tried]


def _within(landed: Sequence[Branch], left_out: Mapping[str, Any]) -> list[str]:
    """Return the branches that were left out and have landed all the same, as a part of others."""
    inside = {name for branch in landed for name in branch.needs}
    return [name for name in left_out if name in inside]


def _branch(standing: Standing, name: str, verdicts: Verdicts | None) -> dict[str, Any]:
    found = standing.branches[name].as_json()
    tested = standing.lone.get(name)
    verdict = verdicts.about(tested.tree) if tested is not None and verdicts is not None else None
    alone = None if verdict is None else {"passed": verdict.passed, "took_s": verdict.took_s}
    return {**found, "alone": alone}


def _verified(standing: Standing, line: Sequence[Merge], verdicts: Verdicts) -> dict[str, Any]:
    before = verdicts.about(standing.target.tree)
    after = verdicts.about(line[-1].tree) if line else None
    return {
        "command": verdicts.command.text,
        "before": None if before is None else before.passed,
        "after": None if after is None else after.passed,
        "ran": verdicts.ran,
        "known": verdicts.known,
        "took_s": verdicts.took_s,
    }

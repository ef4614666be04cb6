"""What a branch has cost, as far as its answers said: a fold over what is on record of it."""

from __future__ import annotations

from typing import Any

from maestri.kernel import events as ev
from maestri.kernel.context import Context
from maestri.kernel.path import join

_FIGURES = ("tokens_in", "tokens_out", "cost_usd")


async def price(scope: Context, branch: str) -> dict[str, Any]:
    """Return the figures of a child of a scope: tokens and US dollars; what is not known is left out.

    Args:
        scope: The scope; everything that is to be counted is stored.
        branch: The segment of the child: a step, or a scope with others below it.
    """
    found: dict[str, Any] = {}
    waiting = [(scope.path, branch)]
    while waiting:
        place, only = waiting.pop()
        for event in await scope.core.journal.settled(place):
            if only and event.name != only:
                continue
            usage = event.body.get("usage") or {}
            for figure in _FIGURES:
                if usage.get(figure) is not None:
                    found[figure] = found.get(figure, 0) + usage[figure]
            if event.kind in ev.SCOPE_ENDS:
                waiting.append((join(place, event.name), ""))
    return found


def total(prices: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the sum of several prices, figure by figure."""
    return {
        figure: sum(one[figure] for one in prices.values() if figure in one)
        for figure in _FIGURES
        if any(figure in one for one in prices.values())
    }

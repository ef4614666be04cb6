"""Who won where several took part, and what they have cost: a part of what `maestri show RUN PATH` says."""

from __future__ import annotations

from typing import Any

from maestri.kernel.ports import Reader
from maestri.report.lines import decision_words
from maestri.report.reading import SCOPE_EVENTS
from maestri.report.wording import one_line


def contest_lines(reader: Reader, path: str, remark: Any) -> list[str]:
    """Return the winner and the price of the contest in a scope, if there is one.

    Args:
        reader: The run.
        path: The scope.
        remark: What the seal of the scope says beside its output.
    """
    below = reader.scope(path, SCOPE_EVENTS)
    words = [decision_words(event.body.get("value")) for event in below if event.name == "winner"]
    price = remark.get("price") if isinstance(remark, dict) else None
    parts = [f"winner  {one_line(text)}" for text in words[-1:] if text]
    shown = ", ".join(f"{figure} {amount:g}" for figure, amount in (price or {}).items())
    return [*parts, f"price   {shown}"] if shown else parts

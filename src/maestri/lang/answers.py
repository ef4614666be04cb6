"""What a person may answer to a question: one of its options, or what fits its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestri.patterns._answers import fitted
from maestri.values import Json


def refusal(options: Sequence[str], schema: Mapping[str, Any] | None, answer: Json) -> str:
    """Return what is wrong with an answer; an empty text where nothing is."""
    if options and answer not in options:
        return f"it is none of: {', '.join(options)}"
    found, problems = fitted(answer, schema)
    if not problems and found != answer:
        return "it is a text that holds the answer as JSON, and not the answer"
    return "; ".join(problems)

"""Whether a condition is always the same."""

from __future__ import annotations

from maestri.lang.expressions.evaluate import evaluate
from maestri.lang.expressions.tokens import BadExpression
from maestri.lang.model import Fixed, Templated
from maestri.values import Json


def steady(value: Templated | Fixed) -> bool | None:
    """Return what a condition always is, or None where that is not certain."""
    if isinstance(value, Fixed):
        return value.value if isinstance(value.value, bool) else None
    template = value.template
    if not template.is_single or template.references():
        return None
    try:
        found = evaluate(template.parts[0].expr, _nothing)
    except BadExpression:
        return None
    return found if isinstance(found, bool) else None


def _nothing(name: str) -> Json:
    raise KeyError(name)

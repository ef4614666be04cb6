"""All advice on a definition, in the order of its lines."""

from __future__ import annotations

from maestri.guide import habits, sequences
from maestri.guide.advice import Advice, places
from maestri.lang.model import WorkflowDef

RULES = (*sequences.RULES, *habits.RULES)


def suggestions(model: WorkflowDef) -> list[Advice]:
    """Return what a definition shows about its patterns: what to change first, then what fits.

    Args:
        model: A definition that has been checked.
    """
    found = [advice for place in places(model) for rule in RULES for advice in rule(place)]
    return sorted(found, key=lambda one: (one.is_praise, one.seen[0].line if one.seen else 0))

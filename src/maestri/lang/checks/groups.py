"""The rules about patterns that few definitions have; each is loaded when a definition needs it."""

from __future__ import annotations

from typing import Final

from maestri.lang.checks.subject import Subject
from maestri.lang.parts import part

# The verbs that a rule is about, and its name in the table of parts.
_RULES: Final = (
    (frozenset({"saga"}), "check_undos"),
    (frozenset({"streams", "sync"}), "check_meetings"),
    (frozenset({"phases"}), "check_gates"),
    (frozenset({"review"}), "check_policies"),
)


def check_groups(subject: Subject) -> None:
    """Add what the rules find that are about something in this definition."""
    found = {placed.step.verb for placed in subject.survey.steps}
    if any(placed.step.undo is not None for placed in subject.survey.steps):
        found.add("saga")
    for verbs, rule in _RULES:
        if not found.isdisjoint(verbs):
            part(rule)(subject)

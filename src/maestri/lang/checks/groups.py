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
    (frozenset({"on", "route"}), "check_listeners"),
    (frozenset({"ask", "wait"}), "check_waits"),
    (frozenset({"land"}), "check_landings"),
)
_PLACES: Final = frozenset({"workspace", "claims", "on_stray"})


def check_groups(subject: Subject) -> None:
    """Add what the rules find that are about something in this definition."""
    steps = subject.survey.steps
    found = {placed.step.verb for placed in steps}
    if any(placed.step.undo is not None for placed in steps):
        found.add("saga")
    if any(placed.step.properties and _PLACES & placed.step.properties.keys.keys() for placed in steps):
        part("check_isolation")(subject)
        part("check_overlaps")(subject)
    if any(placed.step.properties and "sandbox" in placed.step.properties.keys for placed in steps):
        part("check_sandboxes")(subject)
    for verbs, rule in _RULES:
        if not found.isdisjoint(verbs):
            part(rule)(subject)

"""A condition decides something: one that is always the same is most likely a slip."""

from __future__ import annotations

from maestri.lang.checks.steady import steady
from maestri.lang.checks.subject import Subject
from maestri.lang.model import PatternDef, PredicateDef

CODE = "L223"

# What it means when a condition is always so, by its key.
_MEANING = {
    ("until", True): ("`until` always holds", "the loop ends after its first round"),
    ("until", False): ("`until` never holds", "the loop ends at its cap only"),
    ("while", True): ("`while` always holds", "the loop ends at its cap only"),
    ("while", False): ("`while` never holds", "the loop has no round at all"),
}


def check_constants(subject: Subject) -> None:
    """Add a warning for each condition of a step or a loop that is always the same."""
    for placed in subject.survey.steps:
        step = placed.step
        if step.when is not None and steady(step.when.value) is False:
            message = f"`{step.name}` never runs: its `when` is always false"
            _add(subject, step.when, message, "it holds the same for every run, because no name stands in it")
        if isinstance(step.action, PatternDef):
            for key, value in step.action.options.items():
                if isinstance(value, PredicateDef):
                    _check(subject, key, value)


def _check(subject: Subject, key: str, predicate: PredicateDef) -> None:
    holds = steady(predicate.value)
    meaning = None if holds is None else _MEANING.get((key, holds))
    if meaning is not None:
        _add(subject, predicate, *meaning)


def _add(subject: Subject, predicate: PredicateDef, message: str, cause: str) -> None:
    fix = "mend the condition, or take out what it stands for"
    subject.findings.add(CODE, message, predicate.value.span, cause=cause, fix=fix, severity="warning")

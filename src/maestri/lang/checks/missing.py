"""What may be missing: the branches of a join that ends early, and the output of a step with a `when`."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.references import Reference, names
from maestri.lang.expressions.template import Part
from maestri.lang.expressions.terms import Field, Name
from maestri.lang.model import Templated
from maestri.lang.survey import ANYTHING, Use

CODE = "L219"


def check_missing(subject: Subject) -> None:
    """Add a warning for each output that may be missing and is used as if it were there."""
    for use in subject.survey.uses:
        if not isinstance(use.value, Templated):
            continue
        for reference in use.value.template.references():
            if _may_be_missing(use, reference):
                part = f"{reference.name}.{reference.path[0]}"
                cause = f"the `join` of `{reference.name}` may end before that branch does"
                _add(subject, use.value, reference, f"`{part}` may be missing", what=part, cause=cause)
        for expression in use.value.template.parts if use.is_certain else ():
            _check_skipped(subject, use, use.value, expression)


def _may_be_missing(use: Use, reference: Reference) -> bool:
    if reference.guarded or not reference.path or not isinstance(reference.path[0], str):
        return False
    seen = use.view.find(reference.name)
    return seen is not None and reference.name in seen.level.lacking and reference.path[0] != "failed"


def _check_skipped(subject: Subject, use: Use, value: Templated, part: Part) -> None:
    """Look at an expression that is nothing but an output, or a part of one, of a step with a `when`.

    Within a comparison, or under a `when` of its own, null may well be meant.
    """
    found = names(part.expr) if isinstance(part.expr, Name | Field) else []
    if len(found) != 1 or found[0].start != part.expr.start:
        return  # nothing but a path that begins with a name is sure to fail
    reference = found[0]
    takes_null = value.template.is_single and (use.wanted == ANYTHING or "null" in use.wanted)
    if takes_null and not reference.path:
        return
    seen = use.view.find(reference.name)
    if seen is not None and reference.name in seen.level.skippable:
        name = reference.name
        cause = f"`{name}` has a `when`, and its output is null where that does not hold"
        _add(subject, value, reference, f"`{name}` may be null", what=name, cause=cause)


def _add(
    subject: Subject, value: Templated, reference: Reference, message: str, *, what: str, cause: str
) -> None:
    fix = f"write `default({what}, …)`, or ask `exists({what})` first"
    subject.findings.inside(
        value.scalar,
        reference.start,
        reference.end,
        CODE,
        message,
        cause=cause,
        fix=fix,
        severity="warning",
    )
